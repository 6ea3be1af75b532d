//! The header of a GGUF file, read and checked before llama.cpp sees the file.
//!
//! llama.cpp reports most faults as errors but aborts the process on some; the
//! checks here are those that turn an abort or a vague message into a clear one.
//! The format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

#[cfg(test)]
pub(crate) mod draft;
mod read;
mod tensor;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use crate::OpenError;
use read::{Fault, Reader};

/// What the header says.
#[derive(Debug)]
pub(crate) struct Header {
    values: BTreeMap<String, Value>,
    pub tokens: Vec<Vec<u8>>,
}

/// A metadata value, as far as anybody here asks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Whole(i64),
    Real(f64),
    Flag(bool),
    Array { length: u64 },
    Other,
}

impl Header {
    /// A header of these texts alone.
    #[cfg(test)]
    pub fn with_texts<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let texts = texts.into_iter();
        let values = texts.map(|(key, text)| (key.to_owned(), Value::Text(text.to_owned())));
        Self {
            values: values.collect(),
            tokens: Vec::new(),
        }
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.values.get(key) {
            Some(Value::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    pub fn whole(&self, key: &str) -> Option<i64> {
        match self.values.get(key) {
            Some(Value::Whole(number)) => Some(*number),
            _ => None,
        }
    }

    pub fn architecture(&self) -> &str {
        self.text("general.architecture").unwrap_or_default()
    }
}

/// Whether the file at `path` is a whole GGUF model of a kind that is known here, as far as its header says.
///
/// # Errors
/// As [`crate::open`], for a file that is none.
pub fn check_file(path: impl AsRef<Path>) -> Result<(), OpenError> {
    read(path.as_ref()).map(|_| ())
}

/// Reads the header of the file at `path` and checks that the file is whole.
pub(crate) fn read(path: &Path) -> Result<Header, OpenError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => OpenError::Missing { path: path.into() },
        _ => OpenError::Unreadable {
            path: path.into(),
            source,
        },
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        let source = io::Error::other("it is not a file");
        return Err(OpenError::Unreadable {
            path: path.into(),
            source,
        });
    }
    let mut reader = Reader::new(BufReader::new(file), metadata.len());
    let header = parse(&mut reader).map_err(|fault| fault.at(path))?;
    check(&header, path)?;
    Ok(header)
}

const MAGIC: &[u8; 4] = b"GGUF";
const TOKENS: &str = "tokenizer.ggml.tokens";

fn parse(reader: &mut Reader<impl io::Read>) -> Result<Header, Fault> {
    if reader.bytes(4).ok().as_deref() != Some(MAGIC) {
        return Err(Fault::NotGguf);
    }
    let version = reader.u32()?;
    if !(2..=3).contains(&version) {
        return Err(Fault::Unsupported(format!("GGUF version {version}")));
    }
    let tensors = reader.u64()?;
    let pairs = reader.u64()?;
    let mut header = Header {
        values: BTreeMap::new(),
        tokens: Vec::new(),
    };
    for _ in 0..pairs {
        pair(reader, &mut header)?;
    }
    let alignment = header.whole("general.alignment").unwrap_or(32);
    tensor::check_all(reader, tensors, alignment)?;
    Ok(header)
}

fn pair(reader: &mut Reader<impl io::Read>, header: &mut Header) -> Result<(), Fault> {
    let key = reader.text()?;
    let kind = reader.u32()?;
    let value = match kind {
        ARRAY if key == TOKENS => tokens(reader, header)?,
        ARRAY => array(reader)?,
        _ => scalar(reader, kind)?,
    };
    match header.values.insert(key, value) {
        None => Ok(()),
        Some(_) => Err(Fault::Broken("a metadata key occurs twice".to_owned())),
    }
}

const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// Bytes of a scalar of each kind, in the order of the format's type numbers.
const WIDTHS: [u64; 13] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

fn scalar(reader: &mut Reader<impl io::Read>, kind: u32) -> Result<Value, Fault> {
    Ok(match kind {
        0 => Value::Whole(i64::from(reader.array::<1>()?[0])),
        1 => Value::Whole(i64::from(i8::from_le_bytes(reader.array()?))),
        2 => Value::Whole(i64::from(u16::from_le_bytes(reader.array()?))),
        3 => Value::Whole(i64::from(i16::from_le_bytes(reader.array()?))),
        4 => Value::Whole(i64::from(reader.u32()?)),
        5 => Value::Whole(i64::from(i32::from_le_bytes(reader.array()?))),
        7 => Value::Flag(reader.array::<1>()?[0] != 0),
        STRING => Value::Text(reader.text()?),
        10 => i64::try_from(reader.u64()?).map_or(Value::Other, Value::Whole),
        11 => Value::Whole(i64::from_le_bytes(reader.array()?)),
        6 => Value::Real(f64::from(f32::from_le_bytes(reader.array()?))),
        12 => Value::Real(f64::from_le_bytes(reader.array()?)),
        _ => return Err(Fault::Broken(format!("a metadata value has type {kind}"))),
    })
}

fn array(reader: &mut Reader<impl io::Read>) -> Result<Value, Fault> {
    let kind = reader.u32()?;
    let length = reader.u64()?;
    match WIDTHS.get(kind as usize) {
        Some(0) if kind == STRING => {
            for _ in 0..length {
                let bytes = reader.u64()?;
                reader.skip(bytes)?;
            }
        }
        Some(&width) if width > 0 => reader.skip(length.saturating_mul(width))?,
        _ => return Err(Fault::Broken(format!("a metadata array has type {kind}"))),
    }
    Ok(Value::Array { length })
}

fn tokens(reader: &mut Reader<impl io::Read>, header: &mut Header) -> Result<Value, Fault> {
    if reader.u32()? != STRING {
        return Err(Fault::Broken("the vocabulary is not text".to_owned()));
    }
    let length = reader.u64()?;
    for _ in 0..length {
        let size = reader.u64()?;
        header.tokens.push(reader.bytes(size)?);
    }
    Ok(Value::Array { length })
}

/// What llama.cpp does not check, or only by aborting.
fn check(header: &Header, path: &Path) -> Result<(), OpenError> {
    let broken = |reason: &str| OpenError::Broken {
        path: path.into(),
        reason: reason.to_owned(),
    };
    if header.architecture().is_empty() {
        return Err(broken("it names no architecture"));
    }
    if header.tokens.is_empty() {
        return Err(OpenError::NoTokenizer { path: path.into() });
    }
    if let Some(key) = impossible(header) {
        return Err(broken(&format!("{key} is out of range")));
    }
    if !distinct(&header.tokens) {
        return Err(broken("two tokens of the vocabulary are the same"));
    }
    if header.whole("split.count").is_some_and(|parts| parts > 1) {
        let reason = "it is one of several parts, to be joined with llama-gguf-split --merge";
        return Err(OpenError::Unsupported {
            path: path.into(),
            reason: reason.to_owned(),
        });
    }
    match header.text("tokenizer.ggml.model") {
        Some("gpt2" | "llama" | "gemma4") => Ok(()),
        None | Some("none" | "no_vocab") => Err(OpenError::NoTokenizer { path: path.into() }),
        Some(other) => {
            let reason = format!("its tokenizer is of the kind {other}");
            Err(OpenError::Unsupported {
                path: path.into(),
                reason,
            })
        }
    }
}

/// llama.cpp's own bound, `LLAMA_MAX_LAYERS`.
const LAYERS_MAX: i64 = 512;

/// The key of a number llama.cpp would abort on.
fn impossible(header: &Header) -> Option<&str> {
    let possible = |key: &str, value: &Value| match *value {
        Value::Whole(number) if key.ends_with(".context_length") => {
            (1..=i64::from(i32::MAX)).contains(&number)
        }
        Value::Whole(number) if key.ends_with(".block_count") => (1..=LAYERS_MAX).contains(&number),
        Value::Real(number) if key.ends_with("_epsilon") => number >= 0.0,
        _ => true,
    };
    let mut values = header.values.iter();
    values
        .find(|(key, value)| !possible(key, value))
        .map(|(key, _)| key.as_str())
}

/// llama.cpp aborts on two equal tokens, where a token ends at its first NUL. Empty
/// ones are given names and may repeat.
fn distinct(tokens: &[Vec<u8>]) -> bool {
    let mut seen = HashSet::with_capacity(tokens.len());
    let mut texts = tokens
        .iter()
        .filter_map(|token| token.split(|byte| *byte == 0).next());
    texts.all(|text| text.is_empty() || seen.insert(text))
}

#[cfg(test)]
mod tests;
