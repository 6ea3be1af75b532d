use super::*;

/// A header under construction.
struct Draft(Vec<u8>);

impl Draft {
    fn new(tensors: u64, pairs: u64) -> Self {
        Self([b"GGUF".as_slice(), &3_u32.to_le_bytes()].concat())
            .number(tensors)
            .number(pairs)
    }

    fn number(mut self, number: u64) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn small(mut self, number: u32) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn text(mut self, text: &str) -> Self {
        self = self.number(text.len() as u64);
        self.0.extend(text.as_bytes());
        self
    }

    fn pair(self, key: &str, value: &str) -> Self {
        self.text(key).small(STRING).text(value)
    }

    fn vocabulary(self, tokens: &[&str]) -> Self {
        let start = self
            .text(TOKENS)
            .small(ARRAY)
            .small(STRING)
            .number(tokens.len() as u64);
        tokens.iter().fold(start, |draft, token| draft.text(token))
    }

    /// A complete header but for its tensors.
    fn model(tensors: u64) -> Self {
        Self::new(tensors, 3)
            .pair("general.architecture", "llama")
            .pair("tokenizer.ggml.model", "gpt2")
            .vocabulary(&["a", "b"])
    }

    /// One row of `elements` of type `kind`.
    fn tensor(self, elements: u64, kind: u32, offset: u64) -> Self {
        self.text("weights")
            .small(1)
            .number(elements)
            .small(kind)
            .number(offset)
    }

    fn data(mut self, bytes: usize) -> Self {
        let start = self.0.len().next_multiple_of(32);
        self.0.resize(start + bytes, 0);
        self
    }

    fn read(&self) -> Result<Header, OpenError> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), &self.0).expect("room for a temporary file");
        super::read(file.path())
    }
}

#[test]
fn a_header_is_read() {
    let draft = Draft::new(0, 7)
        .pair("general.architecture", "llama")
        .pair("tokenizer.ggml.model", "llama")
        .text("small")
        .small(1)
        .data_bytes(&[0xFF])
        .text("flag")
        .small(7)
        .data_bytes(&[1])
        .text("numbers")
        .small(ARRAY)
        .small(2)
        .number(3)
        .data_bytes(&[0; 6])
        .text("words")
        .small(ARRAY)
        .small(STRING)
        .number(2)
        .text("x")
        .text("yz")
        .vocabulary(&["", "", "é"]);
    let header = draft.read().expect("the header is good");
    assert_eq!(header.architecture(), "llama");
    assert_eq!(header.whole("small"), Some(-1));
    assert_eq!(header.flag("flag"), Some(true));
    assert_eq!(header.values["numbers"], Value::Array { length: 3 });
    assert_eq!(header.values["words"], Value::Array { length: 2 });
    assert_eq!(header.tokens, [b"".as_slice(), b"", "é".as_bytes()]);
    assert_eq!(header.text("flag"), None);
}

impl Draft {
    fn data_bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }
}

#[test]
fn faults_have_names() {
    let basics = |pairs| {
        Draft::new(0, pairs)
            .pair("general.architecture", "llama")
            .pair("tokenizer.ggml.model", "gpt2")
    };
    let rows = [
        (
            "no architecture",
            Draft::new(0, 1).pair("x", "y"),
            "names no architecture",
        ),
        ("no vocabulary", basics(2), "has no tokenizer"),
        (
            "equal tokens",
            basics(3).vocabulary(&["a", "a"]),
            "are the same",
        ),
        (
            "equal up to NUL",
            basics(3).vocabulary(&["a", "a\0b"]),
            "are the same",
        ),
        (
            "a key twice",
            Draft::new(0, 2).pair("x", "").pair("x", ""),
            "occurs twice",
        ),
        (
            "an unknown type",
            Draft::new(0, 1).text("x").small(99),
            "has type 99",
        ),
        (
            "a nested array",
            Draft::new(0, 1)
                .text("x")
                .small(ARRAY)
                .small(ARRAY)
                .number(1),
            "has type 9",
        ),
        (
            "a vast text",
            Draft::new(0, 1).number(u64::MAX),
            "a text of",
        ),
        (
            "a vast array",
            Draft::new(0, 1)
                .text("x")
                .small(ARRAY)
                .small(10)
                .number(u64::MAX),
            "incomplete",
        ),
        (
            "too many pairs",
            Draft::new(0, u64::MAX).pair("x", ""),
            "incomplete",
        ),
        (
            "one of several parts",
            basics(4)
                .vocabulary(&["a"])
                .text("split.count")
                .small(4)
                .small(2),
            "several parts",
        ),
        (
            "data missing",
            Draft::model(1).tensor(64, 8, 0).data(67),
            "incomplete",
        ),
        (
            "data elsewhere",
            Draft::model(1).tensor(64, 8, 32).data(68),
            "incomplete",
        ),
        (
            "a vast tensor",
            Draft::model(1).tensor(u64::MAX, 0, 0).data(9),
            "overflows",
        ),
        (
            "a far tensor",
            Draft::model(1).tensor(1, 0, u64::MAX).data(9),
            "overflows",
        ),
    ];
    for (name, draft, expected) in rows {
        let error = draft.read().expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn data_may_end_with_the_file() {
    Draft::model(1)
        .tensor(64, 8, 0)
        .data(68)
        .read()
        .expect("68 bytes are two blocks of Q8_0");
    Draft::model(1)
        .tensor(64, 99, 0)
        .data(0)
        .read()
        .expect("llama.cpp judges types unknown here");
}
