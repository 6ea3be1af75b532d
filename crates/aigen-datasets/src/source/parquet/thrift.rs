//! Thrift's compact protocol, as far as Parquet's headers are made of it: read field by field, and
//! nothing of it kept, so that no length in it takes memory.

use std::io::{self, Read};

/// Structs, lists and maps within each other. Parquet's own have 5.
const DEPTH_MAX: usize = 16;

pub(super) const I32: u8 = 5;
pub(super) const LIST: u8 = 9;
pub(super) const STRUCT: u8 = 12;

/// Fields of one struct after the other.
pub(super) struct Thrift<R> {
    input: R,
    bytes: u64,
}

impl<R: Read> Thrift<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, bytes: 0 }
    }

    /// How many bytes were read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The number and the kind of the next field; none at the end of the struct. `last` is the
    /// number of the field before, 0 at first.
    pub(super) fn field(&mut self, last: &mut i64) -> io::Result<Option<(i64, u8)>> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        let id = match head >> 4 {
            0 => self.integer()?,
            step => last.wrapping_add(i64::from(step)),
        };
        *last = id;
        Ok(Some((id, head & 15)))
    }

    /// A field's integer, if its kind is one of 32 bits.
    pub(super) fn i32(&mut self, kind: u8) -> io::Result<i64> {
        expect(kind, I32)?;
        self.integer()
    }

    /// The length and the kind of a list's items.
    pub(super) fn list(&mut self) -> io::Result<(u64, u8)> {
        let head = self.byte()?;
        let length = match head >> 4 {
            15 => self.varint()?,
            short => u64::from(short),
        };
        Ok((length, head & 15))
    }

    /// Passes over a field's value.
    pub(super) fn skip(&mut self, kind: u8) -> io::Result<()> {
        match kind {
            // A boolean field is its kind.
            1 | 2 => Ok(()),
            other => self.skip_value(other, 0),
        }
    }

    fn skip_value(&mut self, kind: u8, depth: usize) -> io::Result<()> {
        if depth > DEPTH_MAX {
            return Err(broken("its structs are nested too deep"));
        }
        match kind {
            1..=3 => self.byte().map(|_| ()),
            4..=6 => self.varint().map(|_| ()),
            7 => self.pass(8),
            8 => {
                let length = self.varint()?;
                self.pass(length)
            }
            9 | 10 => self.skip_list(depth),
            11 => self.skip_map(depth),
            STRUCT => self.skip_struct(depth),
            _ => Err(broken("a field of it has no kind")),
        }
    }

    fn skip_list(&mut self, depth: usize) -> io::Result<()> {
        let (length, kind) = self.list()?;
        (0..length).try_for_each(|_| self.skip_value(kind, depth + 1))
    }

    fn skip_map(&mut self, depth: usize) -> io::Result<()> {
        let length = self.varint()?;
        if length == 0 {
            return Ok(());
        }
        let kinds = self.byte()?;
        (0..length).try_for_each(|_| {
            self.skip_value(kinds >> 4, depth + 1)?;
            self.skip_value(kinds & 15, depth + 1)
        })
    }

    fn skip_struct(&mut self, depth: usize) -> io::Result<()> {
        let mut last = 0;
        while let Some((_, kind)) = self.field(&mut last)? {
            if !matches!(kind, 1 | 2) {
                self.skip_value(kind, depth + 1)?;
            }
        }
        Ok(())
    }

    fn pass(&mut self, length: u64) -> io::Result<()> {
        let passed = io::copy(&mut self.input.by_ref().take(length), &mut io::sink())?;
        self.bytes += passed;
        match passed == length {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        self.bytes += 1;
        Ok(byte[0])
    }

    fn integer(&mut self) -> io::Result<i64> {
        let zigzag = self.varint()?;
        let value = (zigzag >> 1).cast_signed();
        Ok(if zigzag & 1 == 1 { !value } else { value })
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            value |= u64::from(byte & 127) << (7 * place);
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(broken("a number of it has no end"))
    }
}

pub(super) fn expect(kind: u8, wanted: u8) -> io::Result<()> {
    match kind == wanted {
        true => Ok(()),
        false => Err(broken("a field of it is of another kind")),
    }
}

pub(super) fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
