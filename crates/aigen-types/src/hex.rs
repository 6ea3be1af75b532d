//! Lowercase hex, all digits of it at once: ids and digests are in every log line, head and answer.

use core::fmt;

/// Bytes, shown as lowercase hex.
///
/// ```
/// # use aigen_types::Hex;
/// assert_eq!(Hex([0x0a, 0xff]).to_string(), "0aff");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Hex<const BYTES: usize>(pub [u8; BYTES]);

impl<const BYTES: usize> fmt::Display for Hex<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self.0, f)
    }
}

pub(crate) fn write<const BYTES: usize>(
    bytes: [u8; BYTES],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    // Without a table or a branch, several digits are made at once.
    let digit = |number: u8| {
        let letters = u8::from(number > 9).wrapping_mul(b'a' - b'9' - 1);
        number.wrapping_add(b'0').wrapping_add(letters)
    };
    let pairs = bytes.map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    let text = core::str::from_utf8(pairs.as_flattened());
    f.write_str(text.expect("hex digits are ASCII"))
}
