use std::collections::BTreeSet;

use super::*;
use crate::limits::{LOG_BYTES_MAX, VARIABLES_BYTES_MAX, VARIABLES_MAX};

fn value(context: &Context, name: &str) -> (u64, String) {
    let found = context.variable(0, name).expect("it was set");
    (found.version, String::from_utf8(found.value).unwrap())
}

#[test]
fn variables_have_versions() {
    let context = Context::new(0);
    assert_eq!(context.variable(0, "a"), None);
    assert_eq!(context.set_variable(0, "a", b"x"), Ok(1));
    assert_eq!(context.append_variable(1, "a", b"y"), Ok(2));
    assert_eq!(context.append_variable(1, "b", b"z"), Ok(1));
    assert_eq!(value(&context, "a"), (2, "xy".to_owned()));
    let swap = |expected, value: &[u8]| context.compare_and_set_variable(0, "a", expected, value);
    assert_eq!(swap(1, b"no"), Ok(Err(2)));
    assert_eq!(swap(0, b"no"), Ok(Err(2)));
    assert_eq!(swap(2, b"yes"), Ok(Ok(3)));
    assert_eq!(context.compare_and_set_variable(0, "c", 0, b""), Ok(Ok(1)));
    assert_eq!(value(&context, "a"), (3, "yes".to_owned()));
}

#[test]
fn a_branch_hears_of_what_it_has_not_seen() {
    let mut variables = Variables::default();
    let names = ["a".to_owned()];
    assert!(!variables.news(0, &names));
    variables.set(0, "a", b"1").unwrap();
    assert!(!variables.news(0, &names) && variables.news(1, &names));
    variables.get(1, "a");
    assert!(!variables.news(1, &names));
    variables.fork(1, 2);
    variables.append(0, "a", b"2").unwrap();
    assert!(variables.news(1, &names) && variables.news(2, &names));
}

/// Bombs: each ends in a named fault, which the context keeps.
#[test]
fn bounds_are_kept() {
    let log = |context: &Context| context.log(0, Level::Info, &"x".repeat(1000));
    let many = |context: &Context| {
        let mut names = (0..=VARIABLES_MAX).map(|n| n.to_string());
        let set = |name: String| context.set_variable(0, &name, b"").map(|_| ());
        names.try_for_each(set)
    };
    let large = |context: &Context| context.set_variable(0, "a", &vec![0; VARIABLES_BYTES_MAX]);
    let grow = |context: &Context| {
        (0..300).try_for_each(|_| context.append_variable(0, "a", &[0; 4096]).map(|_| ()))
    };
    let flood = |context: &Context| (0..=LOG_BYTES_MAX / 1000).try_for_each(|_| log(context));
    let long = |context: &Context| context.set_variable(0, &"n".repeat(129), b"").map(|_| ());
    type Bomb<'a> = &'a dyn Fn(&Context) -> Result<(), Fault>;
    let bombs: [(Bomb<'_>, &str); 7] = [
        (&many, "variables_full"),
        (&|context| large(context).map(|_| ()), "variables_full"),
        (&grow, "variables_full"),
        (&long, "variables_full"),
        (&flood, "log_full"),
        (&|context| context.put_result("a", "{"), "result_invalid"),
        (
            &|context| context.put_result("a", &format!("\"{}\"", "x".repeat(300_000))),
            "result_invalid",
        ),
    ];
    for (bomb, name) in bombs {
        let context = Context::new(0);
        assert_eq!(bomb(&context).unwrap_err().name(), name);
        let kept = context.lock().fault.clone();
        assert_eq!(kept.unwrap().name(), name);
    }
}

#[test]
fn overwriting_for_ever_fills_nothing() {
    let context = Context::new(0);
    for _ in 0..1000 {
        context.set_variable(0, "a", &[0; 10_000]).unwrap();
        context
            .put_result("a", &format!("\"{}\"", "x".repeat(10_000)))
            .unwrap();
    }
    assert_eq!(context.lock().fault, None);
}

#[test]
fn chance_is_keyed_by_seed_branch_and_call() {
    let mut drawn = BTreeSet::new();
    for seed in 0..3 {
        let context = Context::new(seed);
        let again = Context::new(seed);
        for _ in 0..4 {
            let number = context.random(0);
            assert_eq!(again.random(0), number);
            assert!(drawn.insert(number));
        }
    }
}
