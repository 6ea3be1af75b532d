use std::io::{self, Read};
use std::path::Path;

use crate::OpenError;

/// A fault of the file, before anybody says which file.
#[derive(Debug)]
pub(super) enum Fault {
    NotGguf,
    Ends { needed: u64, actual: u64 },
    Broken(String),
    Unsupported(String),
    Unreadable(io::Error),
}

impl Fault {
    pub fn at(self, path: &Path) -> OpenError {
        let path = path.to_path_buf();
        match self {
            Self::NotGguf => OpenError::NotGguf { path },
            Self::Ends { needed, actual } => OpenError::Truncated {
                path,
                needed,
                actual,
            },
            Self::Broken(reason) => OpenError::Broken { path, reason },
            Self::Unsupported(reason) => OpenError::Unsupported { path, reason },
            Self::Unreadable(source) => OpenError::Unreadable { path, source },
        }
    }
}

/// Longest text in a header: templates run to some 10,000 bytes, tokens to 500.
const TEXT_BYTES_MAX: u64 = 1 << 24;

/// Little-endian numbers and texts from a file of known size. Never reads, and
/// never allocates, more than the file has.
pub(super) struct Reader<R> {
    source: R,
    position: u64,
    size: u64,
}

impl<R: Read> Reader<R> {
    pub fn new(source: R, size: u64) -> Self {
        Self {
            source,
            position: 0,
            size,
        }
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.claim(N as u64)?;
        let mut array = [0; N];
        self.source
            .read_exact(&mut array)
            .map_err(Fault::Unreadable)?;
        Ok(array)
    }

    pub fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64, Fault> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub fn bytes(&mut self, count: u64) -> Result<Vec<u8>, Fault> {
        if count > TEXT_BYTES_MAX {
            return Err(Fault::Broken(format!("a text of {count} bytes")));
        }
        self.claim(count)?;
        let mut bytes = vec![0; count as usize];
        self.source
            .read_exact(&mut bytes)
            .map_err(Fault::Unreadable)?;
        Ok(bytes)
    }

    /// A text with its length before it.
    pub fn text(&mut self) -> Result<String, Fault> {
        let count = self.u64()?;
        let bytes = self.bytes(count)?;
        String::from_utf8(bytes).map_err(|_| Fault::Broken("a text is not UTF-8".to_owned()))
    }

    pub fn skip(&mut self, count: u64) -> Result<(), Fault> {
        self.claim(count)?;
        let mut rest = self.source.by_ref().take(count);
        let skipped = io::copy(&mut rest, &mut io::sink()).map_err(Fault::Unreadable)?;
        if skipped == count {
            Ok(())
        } else {
            Err(self.ends(count))
        }
    }

    /// Moves on by `count` bytes, if the file has so many.
    fn claim(&mut self, count: u64) -> Result<(), Fault> {
        if count > self.size - self.position {
            return Err(self.ends(count));
        }
        self.position += count;
        Ok(())
    }

    fn ends(&self, count: u64) -> Fault {
        let needed = self.position.saturating_add(count);
        Fault::Ends {
            needed,
            actual: self.size,
        }
    }
}
