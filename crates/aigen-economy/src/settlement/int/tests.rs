use super::*;

#[test]
fn division_rounds_down_and_nothing_panics() {
    for (a, b, quotient) in [
        (7, 2, 3),
        (-7, 2, -4),
        (-1, 1_000_000, -1),
        (0, 5, 0),
        (5, 0, 0),
    ] {
        assert_eq!(Int(a) / Int(b), Int(quotient), "{a} // {b}");
    }
    assert_eq!(Int(i128::MAX) * Int(2) + Int(1), Int(i128::MAX));
    assert_eq!(Int(i128::MIN) - Int(1), Int(i128::MIN));
    assert_eq!(-Int(i128::MIN), Int(i128::MAX));
}
