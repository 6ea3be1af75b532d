use super::*;

#[test]
fn digits_stand_in_threes() {
    for (number, text) in [
        (0, "0"),
        (999, "999"),
        (1_000, "1,000"),
        (-12_345_678, "−12,345,678"),
        (123_456, "123,456"),
    ] {
        assert_eq!(grouped(Int::new(number)), text);
    }
}

#[test]
fn a_formula_is_repeated_in_numbers() {
    let values = [("m", Int::new(7)), ("max", Int::new(9))];
    assert_eq!(
        formula("x = (m + max) // PPM", &values, Int::ZERO),
        "x = (m + max) // PPM = (7 + 9) // 1,000,000 = 0"
    );
}
