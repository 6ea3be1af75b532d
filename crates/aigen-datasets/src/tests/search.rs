//! What a question finds.

use super::World;
use crate::limits::QUERY_BYTES_MAX;
use crate::{Dataset, Format, ReadError};
use proptest::prelude::*;
use std::sync::Arc;

fn dataset(world: &World, lines: &str) -> Arc<Dataset> {
    let manifest = world
        .import(Format::JsonLines, lines.as_bytes())
        .expect("rows");
    world.library.get(&manifest.digest).expect("kept")
}

const FAQ: &str = r#"{"q":"How do I return a mug?","a":"Send it back within 30 days.","n":1}
{"q":"Café opening hours","a":"From nine to five.","tags":["time",{"day":"Sunday"}]}
{"q":"退货政策是什么","a":"三十天内可以退货"}
{"q":"Warranty","a":"A mug has none; a kettle has two years."}
{"q":"Warranty","a":"A mug has none; a kettle has two years."}
"#;

#[test]
fn words_find_rows() {
    let rows = "
        return mug        | 0 3 4
        RETURN            | 0
        cafe hours        | 1
        sunday            | 1
        kettle            | 3 4
        退货               | 2
        +\"mug\" AND -(x:* | 0 3 4
        q:kettle^2 OR ~   | 3 4
        30                | 0
        unknown           |
        ...               |
    ";
    let world = World::new();
    let faq = dataset(&world, FAQ);
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (query, expected) = row.split_once('|').expect("two cells");
        let hits = faq.search(query.trim(), 10).expect(query);
        let found: Vec<String> = hits.iter().map(|hit| hit.row.to_string()).collect();
        assert_eq!(found.join(" "), expected.trim(), "{query}");
        assert!(
            hits.windows(2).all(|pair| pair[0].score >= pair[1].score),
            "{query}"
        );
    }
    assert_eq!(
        faq.search("warranty", 1).expect("a hit")[0].row,
        3,
        "the first of equals"
    );
    assert!(matches!(
        faq.search(&"x".repeat(QUERY_BYTES_MAX + 1), 1),
        Err(ReadError::LongQuery { .. })
    ));
}

#[test]
fn columns_that_are_not_looked_into() {
    let world = World::new();
    let faq = dataset(&world, FAQ);
    let found = |query: &str, columns: &[&str]| {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        faq.search_in(query, Some(&columns), 10)
            .expect("hits")
            .iter()
            .map(|hit| hit.row)
            .collect::<Vec<_>>()
    };
    assert_eq!(found("mug", &["q"]), [0]);
    assert_eq!(found("mug", &["a"]), [3, 4]);
    assert_eq!(
        found("mug", &["n"]),
        [0; 0],
        "a column of numbers has no words"
    );
    assert_eq!(found("mug", &[]), [0; 0]);
}

/// More rows than an index holds in memory at once come out in their order.
#[test]
fn equal_scores_in_the_order_of_rows() {
    let world = World::new();
    let lines: String = (0..60_000)
        .map(|n| format!("{{\"t\":\"same {}\"}}\n", n % 7))
        .collect();
    let same = dataset(&world, &lines);
    let hits = same.search("same", 1_000).expect("hits");
    assert!(hits.iter().map(|hit| hit.row).eq(0..1_000));
    let third = same.search("3", 50).expect("hits");
    assert!(
        third
            .iter()
            .map(|hit| hit.row)
            .eq((0..50).map(|n| n * 7 + 3))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_is_syntax(query in ".{0,40}") {
        thread_local! {
            static FAQ_WORLD: (World, Arc<Dataset>) = {
                let world = World::new();
                let faq = dataset(&world, FAQ);
                (world, faq)
            };
        }
        let twice = FAQ_WORLD.with(|(_, faq)| (faq.search(&query, 3), faq.search(&query, 3)));
        prop_assert_eq!(twice.0.expect("hits"), twice.1.expect("hits"));
    }
}
