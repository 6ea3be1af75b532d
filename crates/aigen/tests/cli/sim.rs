//! The simulator, as whoever hunts a bug runs it.

use crate::support::Folder;

#[test]
fn the_same_seed_is_the_same_world() {
    let folder = Folder::new();
    let world = |seed| folder.run(&["sim", "--seed", seed, "--steps", "60", "--trace"]);
    let lines = |seed| {
        let ran = world(seed);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let (trace, summary) = ran.stdout.split_once("Every promise was kept").unwrap();
        assert!(summary.contains("commands in"), "{summary}");
        trace.to_owned()
    };
    assert!(lines("7").contains("record 1: Found -> ok"));
    assert_eq!(lines("7"), lines("7"));
    assert_ne!(lines("7"), lines("8"));
}

#[test]
fn many_worlds_are_summed_up() {
    let folder = Folder::new();
    let sum = folder.json(&["sim", "--seeds", "20", "--steps", "50"]);
    assert_eq!((&sum["ok"], &sum["seeds"]), (&true.into(), &20.into()));
    assert_eq!(sum["steps"], 20 * 50);
    assert!(sum["crashes"].as_u64().unwrap() > 20, "{sum}");
    let everywhere = folder.json(&["sim", "--steps", "10", "--stop-everywhere"]);
    assert!(everywhere["faults"].as_u64().unwrap() > 10, "{everywhere}");
}
