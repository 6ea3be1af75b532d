use super::*;

fn ppm(parts: u32) -> Ppm {
    Ppm::new(parts).unwrap()
}

#[test]
fn strictly_more_than_the_support() {
    let check = |reports: &[(u32, u128)], support, expected: Option<u32>| {
        let reports = reports.iter();
        let reports: Vec<_> = reports
            .map(|(value, weight)| (ppm(*value), Amount::from_nano(*weight)))
            .collect();
        assert_eq!(supported(&reports, ppm(support)), expected.map(ppm));
    };
    check(&[], 500_000, None);
    check(&[(5, 0), (7, 0)], 500_000, None);
    check(&[(5, 1)], 500_000, Some(5));
    check(&[(5, 1)], 999_999, Some(5));
    check(&[(5, 1)], 1_000_000, None);
    // A report without weight supports nothing, wherever it stands.
    check(&[(9, 0), (5, 1), (3, 0)], 0, Some(5));
    // Equal values stand together.
    check(&[(7, 30), (9, 20), (7, 1), (3, 49)], 500_000, Some(7));
    check(&[(7, 30), (9, 20), (3, 50)], 500_000, Some(3));
}

#[test]
fn every_owner_is_left_out_in_turn() {
    let ballots = [(900, 10, 0), (800, 10, 1), (700, 10, 0), (600, 10, 2)];
    let ballots = ballots.map(|(value, weight, owner)| Ballot {
        value: Int::new(value),
        weight: Int::new(weight),
        owner,
    });
    let tally = Tally::of(Vec::from(ballots), ppm(500_000));
    let without: Vec<_> = tally.supported_without_each_owner().into_iter().collect();
    let expected = [(0, 600), (1, 700), (2, 800)];
    assert_eq!(
        without,
        expected.map(|(owner, m)| (owner, Some(Int::new(m))))
    );
}
