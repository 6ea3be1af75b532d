//! What stands in SQLite's log behind its last whole transaction.

use std::fs;
use std::io;
use std::path::Path;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// The first word of a log whose checksums are made of little-endian words; the other kind has 1
/// more.
const MAGIC: u32 = 0x377f_0682;

/// Bytes of SQLite's log that were begun to be written and belong to no whole record. SQLite drops
/// them: a process was killed, or the power went, in the midst of a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Bytes of them, a frame that was cut short included.
    pub bytes: u64,
    /// Frames: pages of the database, each with a header.
    pub frames: u64,
}

/// Looks at a log; one that is not there has nothing unfinished.
///
/// # Errors
/// When there is one and the file system does not give it.
pub(super) fn read(log: &Path) -> io::Result<Unfinished> {
    match fs::read(log) {
        Ok(bytes) => Ok(find(&bytes).unwrap_or_default()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Unfinished::default()),
        Err(error) => Err(error),
    }
}

/// None for a log whose header is not whole: nothing of it was ever used.
fn find(log: &[u8]) -> Option<Unfinished> {
    let header = log.get(..HEADER_BYTES)?;
    let big_endian = word(header, 0) == MAGIC + 1;
    let mut sum = checksum([0, 0], &header[..24], big_endian);
    let page_bytes = usize::try_from(word(header, 8)).ok()?;
    if word(header, 0) & !1 != MAGIC || sum != pair(header, 24) || page_bytes == 0 {
        return None;
    }
    let salts = pair(header, 16);
    let frame_bytes = FRAME_HEADER_BYTES + page_bytes;
    // Behind what was written since the log was last begun anew stands what is older than that.
    let ours = |frame: &&[u8]| frame.len() >= 16 && pair(frame, 8) == salts;
    let frames = log[HEADER_BYTES..].chunks(frame_bytes).take_while(ours);
    let (mut whole, mut found) = (true, Unfinished::default());
    for frame in frames {
        found.bytes += frame.len() as u64;
        found.frames += 1;
        if whole && frame.len() == frame_bytes {
            sum = checksum(sum, &frame[..8], big_endian);
            sum = checksum(sum, &frame[FRAME_HEADER_BYTES..], big_endian);
            whole = sum == pair(frame, 16);
            let commits = word(frame, 4) != 0;
            if whole && commits {
                found = Unfinished::default();
            }
        }
    }
    Some(found)
}

/// SQLite's own, over words in pairs.
fn checksum(sum: [u32; 2], bytes: &[u8], big_endian: bool) -> [u32; 2] {
    let read = if big_endian {
        u32::from_be_bytes
    } else {
        u32::from_le_bytes
    };
    let (pairs, _) = bytes.as_chunks::<8>();
    pairs.iter().fold(sum, |[a, b], &[p, q, r, s, t, u, v, w]| {
        let a = a.wrapping_add(read([p, q, r, s])).wrapping_add(b);
        let b = b.wrapping_add(read([t, u, v, w])).wrapping_add(a);
        [a, b]
    })
}

fn pair(bytes: &[u8], at: usize) -> [u32; 2] {
    [word(bytes, at), word(bytes, at + 4)]
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(word)
}
