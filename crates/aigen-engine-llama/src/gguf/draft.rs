//! GGUF files made for tests.

use std::io::Write;

use tempfile::NamedTempFile;

use super::{ARRAY, MAGIC, STRING, TOKENS};

/// A file under construction.
pub(crate) struct Draft(Vec<u8>);

impl Draft {
    pub fn new(tensors: u64, pairs: u64) -> Self {
        let start = [MAGIC.as_slice(), &3_u32.to_le_bytes()].concat();
        Self(start).number(tensors).number(pairs)
    }

    /// A header that lacks nothing but its tensors.
    pub fn model(tensors: u64) -> Self {
        Self::new(tensors, 3)
            .pair("general.architecture", "llama")
            .pair("tokenizer.ggml.model", "gpt2")
            .vocabulary(&["a", "b"])
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub fn number(self, number: u64) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    pub fn small(self, number: u32) -> Self {
        self.bytes(&number.to_le_bytes())
    }

    pub fn text(self, text: &str) -> Self {
        self.number(text.len() as u64).bytes(text.as_bytes())
    }

    pub fn pair(self, key: &str, value: &str) -> Self {
        self.text(key).small(STRING).text(value)
    }

    pub fn pair_small(self, key: &str, value: u32) -> Self {
        self.text(key).small(4).small(value)
    }

    pub fn pair_real(self, key: &str, value: f32) -> Self {
        self.text(key).small(6).bytes(&value.to_le_bytes())
    }

    /// An array of 32-bit numbers of type `kind`.
    pub fn pair_array(self, key: &str, kind: u32, values: &[[u8; 4]]) -> Self {
        let start = self.text(key).small(ARRAY).small(kind);
        start
            .number(values.len() as u64)
            .bytes(values.as_flattened())
    }

    pub fn vocabulary<T: AsRef<str>>(self, tokens: &[T]) -> Self {
        let start = self.text(TOKENS).small(ARRAY).small(STRING);
        let start = start.number(tokens.len() as u64);
        tokens
            .iter()
            .fold(start, |draft, token| draft.text(token.as_ref()))
    }

    /// A tensor of type `kind`, whose data start at `offset`.
    pub fn tensor(self, name: &str, shape: &[u64], kind: u32, offset: u64) -> Self {
        let start = self.text(name).small(shape.len() as u32);
        let shaped = shape.iter().fold(start, |draft, &size| draft.number(size));
        shaped.small(kind).number(offset)
    }

    /// Padding and then as many zeros.
    pub fn data(mut self, bytes: usize) -> Self {
        let start = self.0.len().next_multiple_of(32);
        self.0.resize(start + bytes, 0);
        self
    }

    pub fn write(&self) -> NamedTempFile {
        let mut file = NamedTempFile::new().expect("a temporary file");
        file.write_all(&self.0).expect("room for a temporary file");
        file
    }
}
