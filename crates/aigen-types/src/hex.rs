//! Lowercase hex, all digits of it at once: ids and digests are in every log line, head and answer.

use core::fmt;

const DIGITS: [u8; 16] = *b"0123456789abcdef";

pub(crate) fn write<const BYTES: usize>(
    bytes: [u8; BYTES],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let digit = |number: u8| DIGITS[usize::from(number)];
    let pairs = bytes.map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    let text = core::str::from_utf8(pairs.as_flattened());
    f.write_str(text.expect("hex digits are ASCII"))
}
