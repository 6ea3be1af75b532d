use super::draft::Draft;
use super::*;

fn read(draft: &Draft) -> Result<Header, OpenError> {
    super::read(draft.write().path())
}

#[test]
fn a_header_is_read() {
    let draft = Draft::new(0, 7)
        .pair("general.architecture", "llama")
        .pair("tokenizer.ggml.model", "llama")
        .text("small")
        .small(1)
        .bytes(&[0xFF])
        .text("flag")
        .small(7)
        .bytes(&[1])
        .text("numbers")
        .small(ARRAY)
        .small(2)
        .number(3)
        .bytes(&[0; 6])
        .text("words")
        .small(ARRAY)
        .small(STRING)
        .number(2)
        .text("x")
        .text("yz")
        .vocabulary(&["", "", "é"]);
    let header = read(&draft).expect("the header is good");
    assert_eq!(header.architecture(), "llama");
    assert_eq!(header.whole("small"), Some(-1));
    assert_eq!(header.flag("flag"), Some(true));
    assert_eq!(header.values["numbers"], Value::Array { length: 3 });
    assert_eq!(header.values["words"], Value::Array { length: 2 });
    assert_eq!(header.tokens, [b"".as_slice(), b"", "é".as_bytes()]);
    assert_eq!(header.text("flag"), None);
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
            Draft::model(1).tensor("weights", &[64], 8, 0).data(67),
            "incomplete",
        ),
        (
            "data elsewhere",
            Draft::model(1).tensor("weights", &[64], 8, 32).data(68),
            "incomplete",
        ),
        (
            "a vast tensor",
            Draft::model(1).tensor("weights", &[u64::MAX], 0, 0).data(9),
            "overflows",
        ),
        (
            "a far tensor",
            Draft::model(1).tensor("weights", &[1], 0, u64::MAX).data(9),
            "overflows",
        ),
    ];
    for (name, draft, expected) in rows {
        let error = read(&draft).expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn data_may_end_with_the_file() {
    // 64 elements are two blocks of Q8_0, 34 bytes each.
    let exact = Draft::model(1).tensor("weights", &[64], 8, 0).data(68);
    read(&exact).expect("all data are there");
    let unknown = Draft::model(1).tensor("weights", &[64], 99, 0).data(0);
    read(&unknown).expect("types unknown here are llama.cpp's to judge");
}
