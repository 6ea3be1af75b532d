//! Prompts that begin alike, a full cache, and a fair line.

use super::*;

/// Says something else after every history: what is lost, repeated or mixed up shows.
fn fingerprint() -> Script {
    let (open, gate) = channel();
    drop(open);
    fingerprint_behind(gate)
}

/// The same once the gate's sender is gone, so that what is submitted meanwhile comes together.
fn fingerprint_behind(gate: Receiver<()>) -> Script {
    Script::new(move |vocabulary, history| {
        let _ = gate.recv();
        let mut logits = vec![0.0; vocabulary.vocab_size() as usize];
        logits[history_hash(history) as usize] = 1.0;
        logits
    })
}

fn history_hash(history: &[TokenId]) -> TokenId {
    let hash = history.iter().fold(7_u32, |hash, token| {
        hash.wrapping_mul(31).wrapping_add(token + 1)
    });
    hash % 256
}

/// What a session on [`fingerprint`] has to say, computed without any engine.
fn expected(prompt: &str, count: u32) -> Vec<TokenId> {
    let mut history = text(prompt);
    let prompt = history.len();
    for _ in 0..count {
        history.push(history_hash(&history));
    }
    history.split_off(prompt)
}

fn outcome(seen: Receiver<Event>) -> (u32, Vec<TokenId>) {
    let (mut cached, mut said) = (0, Vec::new());
    for event in seen {
        match event {
            Started(_, start) => cached = start.cached_prompt_tokens,
            Said(_, token) => said.push(token),
            _ => {}
        }
    }
    (cached, said)
}

#[test]
fn a_prompt_that_begins_alike_is_computed_once() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), fingerprint());
    let bench = Bench::of(engine.with_sequences(2).keeping(2), Limits::default());
    // Tenant, prompt, tokens said, tokens found in the cache.
    let rows = [
        (1, "You are kind. Hello", 3, 0),
        (1, "You are kind. Howdy", 3, 15),
        (1, "You are kind. Howdy", 3, 18), // the last is always computed
        (2, "You are kind. Howdy", 3, 0),  // somebody else's
        (1, "You are", 1, 0),              // 6 of 7 are too few to share
        (1, "You are kind. Ho", 1, 15),
    ];
    for (tenant, prompt, count, cached) in rows {
        let (found, said) = outcome(bench.submit_for(tenant, prompt, count));
        assert_eq!(said, expected(prompt, count), "{prompt}");
        assert_eq!(found, cached, "{prompt}, tenant {tenant}");
    }
    let computed: u32 = bench
        .passes
        .passes()
        .iter()
        .flatten()
        .map(|part| part.1)
        .sum();
    let all: u32 = rows.iter().map(|row| row.1.len() as u32 + row.2 - 1).sum();
    let cached: u32 = rows.iter().map(|row| row.3).sum();
    assert_eq!(computed, all - cached);
}

#[test]
fn an_answer_is_part_of_the_next_turns_prefix() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet());
    let bench = Bench::of(engine.with_sequences(1).keeping(1), Limits::default());
    outcome(bench.submit_for(1, "Question: a", 4));
    // The answer was b, c, d, e, of which the last was never fed.
    let (cached, _) = outcome(bench.submit_for(1, "Question: abcdefgh", 1));
    assert_eq!(cached, 14);
}

#[test]
fn prefixes_used_longest_ago_give_way_first() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet());
    let bench = Bench::of(engine.with_sequences(1).keeping(2), Limits::default());
    let ask = |prompt| outcome(bench.submit_for(1, prompt, 1)).0;
    let [first, second, third] = ["one, one, one", "two, two, two", "three, three"];
    assert_eq!([ask(first), ask(second), ask(first)], [0, 0, 12]);
    assert_eq!([ask(third), ask(first), ask(second)], [0, 12, 0]);
}

/// Half of what the engine holds is kept, whole blocks counted once; of the cells themselves none is taken.
#[test]
fn kept_prefixes_have_blocks_in_common_and_are_bounded() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), fingerprint()).with_context(256);
    let bench = Bench::of(engine.with_sequences(2).keeping(9), Limits::default());
    let alike = "a".repeat(128);
    // Prompt, tokens found: 256 may be kept, four blocks: the two alike and one more of each, or two others.
    let rows = [
        (format!("{alike}b"), 0),
        (format!("{alike}c"), 128),
        (format!("{alike}b"), 128),
        ("d".repeat(100), 0),
        ("d".repeat(100), 99),
        (format!("{alike}c"), 0),
    ];
    for (prompt, cached) in rows {
        let (found, said) = outcome(bench.submit_for(1, &prompt, 2));
        assert_eq!(said, expected(&prompt, 2), "{prompt}");
        assert_eq!(found, cached, "{prompt}");
    }
}

#[test]
fn a_model_that_cannot_take_tokens_back_keeps_nothing() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet());
    let bench = Bench::of(engine.without_backtrack(), Limits::default());
    for _ in 0..2 {
        assert_eq!(outcome(bench.submit_for(1, "the same prompt", 3)).0, 0);
    }
}

#[test]
fn what_runs_is_shared_too() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), fingerprint());
    let bench = Bench::of(engine.with_sequences(2).keeping(1), Limits::default());
    let running = bench.submit("runs", "You are kind. Hello", |_| Step::Wait);
    bench.until(&Said("runs", expected("You are kind. Hello", 1)[0]));
    let (cached, said) = outcome(bench.submit_for(0, "You are kind. Hi", 5));
    assert_eq!((cached, said), (15, expected("You are kind. Hi", 5)));
    running.cancel();
}

/// Of prompts that come together and begin alike, one is computed; the others wait for it, and those of
/// somebody else wait for nothing.
#[test]
fn what_is_about_to_be_computed_is_waited_for() {
    let prefix = "You are kind, and you answer in as few words as you can. ";
    let (closed, gate) = channel();
    let engine = ScriptedEngine::new(Vocabulary::bytes(), fingerprint_behind(gate));
    let limits = Limits {
        batch_tokens: 8,
        ..Limits::default()
    };
    let bench = Bench::of(engine.with_sequences(5).keeping(1), limits);
    let first = bench.submit("all", "x", |_| Step::Wait);
    let rows = [(1, "Hello"), (1, "Howdy"), (2, "Hello"), (1, "Hi")];
    let prompts = rows.map(|(tenant, end)| (tenant, format!("{prefix}{end}")));
    let seen = prompts
        .each_ref()
        .map(|(tenant, prompt)| bench.submit_for(*tenant, prompt, 3));
    drop(closed);
    let found = seen.map(outcome);
    for ((_, said), (_, prompt)) in found.iter().zip(&prompts) {
        assert_eq!(*said, expected(prompt, 3), "{prompt}");
    }
    let shared = prefix.len() as u32;
    assert_eq!(
        found.map(|(cached, _)| cached),
        [0, shared + 1, 0, shared + 1]
    );
    first.cancel();
}

/// One that waits for another goes on without it.
#[test]
fn who_waits_for_a_prefix_that_never_comes_computes_it() {
    let [leaves, stays] = ["b", "c"].map(|end| "a".repeat(400) + end);
    let (go, gate) = channel();
    let engine = ScriptedEngine::new(Vocabulary::bytes(), fingerprint_behind(gate));
    let limits = Limits {
        batch_tokens: 2,
        ..Limits::default()
    };
    let bench = Bench::of(engine.with_sequences(3).keeping(1), limits);
    // One token of this a pass, and one pass a go.
    let clock = bench.submit("clock", "x", |said| match said {
        Heard::Token(token) => feed(token),
        _ => Step::Done,
    });
    let ticks = expected("x", 2);
    go.send(()).unwrap();
    bench.until(&Said("clock", ticks[0]));
    let leaver = bench.submit("leaves", &leaves, |_| Step::Wait);
    let seen = bench.submit_for(0, &stays, 2);
    go.send(()).unwrap();
    bench.until(&Said("clock", ticks[1]));
    leaver.cancel();
    drop(go);
    let (cached, said) = outcome(seen);
    assert_eq!(said, expected(&stays, 2));
    assert!(cached < 8, "{cached}");
    clock.cancel();
}

/// Whose driver is asked aside has not given way for it.
#[test]
fn in_a_full_cache_the_youngest_gives_way_and_loses_nothing() {
    for limits in [Limits::default(), super::aside::always()] {
        check_giving_way(limits);
    }
}

fn check_giving_way(limits: Limits) {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), fingerprint());
    let engine = engine.with_context(128).with_cells(160);
    let bench = Bench::of(engine, limits);
    let sessions = ["a", "bc", "def", "g"].map(|prompt| (prompt, bench.submit_for(1, prompt, 100)));
    for (prompt, seen) in sessions {
        assert_eq!(outcome(seen).1, expected(prompt, 100), "{prompt}");
    }
    let computed: u32 = bench
        .passes
        .passes()
        .iter()
        .flatten()
        .map(|part| part.1)
        .sum();
    assert!(computed > 400, "{computed}: nobody gave way");
    assert!(computed < 1200, "{computed}: they gave way over and over");
    assert_eq!(bench.handle.sessions(), 0);
}

#[test]
fn those_who_wait_give_way_to_those_who_could_go_on() {
    let engine = ScriptedEngine::new(Vocabulary::bytes(), fingerprint());
    let bench = Bench::of(engine.with_context(64).with_cells(64), Limits::default());
    let prompt = "x".repeat(40);
    let mut said = 0;
    let waiting = bench.submit("waits", &prompt, move |heard| match heard {
        Heard::Token(_) if said == 0 => {
            said += 1;
            Step::Wait
        }
        Heard::Token(_) => Step::Done,
        _ => Step::Feed(vec![]),
    });
    bench.until(&Said("waits", expected(&prompt, 1)[0]));
    let other = "y".repeat(40);
    assert_eq!(
        outcome(bench.submit_for(2, &other, 9)).1,
        expected(&other, 9)
    );
    waiting.wake();
    let last = bench.until_gone(1);
    assert_eq!(last[1], Said("waits", expected(&prompt, 1)[0]));
}

#[test]
fn a_tenant_with_many_sessions_does_not_starve_one_with_one() {
    let bench = Bench::with_sequences(1);
    let (events, seen) = channel();
    let holder = bench.submit("holder", "a", |_| Step::Wait);
    bench.until(&Said("holder", u32::from(b'b')));
    let rows = [
        (1, "busy"),
        (1, "busy"),
        (1, "busy"),
        (2, "rare"),
        (1, "busy"),
        (2, "rare"),
    ];
    for (tenant, name) in rows {
        let terms = Terms {
            tenant,
            ..Terms::default()
        };
        let driver = Probe::new(name, &events, decode(1));
        let _ = bench.handle.submit_on(terms, text("a"), driver);
    }
    drop(events);
    holder.cancel();
    let started = seen.iter().filter_map(|event| match event {
        Started(name, _) => Some(name),
        _ => None,
    });
    assert_eq!(
        started.collect::<Vec<_>>(),
        ["busy", "rare", "busy", "rare", "busy", "busy"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Whatever is shared, kept, evicted or has to give way, everybody says what it must.
    #[test]
    fn the_cache_changes_nothing(
        sessions in proptest::collection::vec((0_u64..3, "[ab]{1,30}", 1_u32..30), 1..24),
        sequences in 1_u32..5,
        kept in 0_u32..4,
        cells in 64_u32..200,
        limits in (0..2).prop_map(|aside| if aside == 0 { Limits::default() } else { super::aside::always() }),
    ) {
        let engine = ScriptedEngine::new(Vocabulary::bytes(), fingerprint());
        let engine = engine.with_context(64).with_sequences(sequences).keeping(kept);
        let bench = Bench::of(engine.with_cells(cells), limits);
        let seen: Vec<_> = sessions
            .iter()
            .map(|(tenant, prompt, count)| bench.submit_for(*tenant, prompt, *count))
            .collect();
        for (seen, (_, prompt, count)) in seen.into_iter().zip(&sessions) {
            let (cached, said) = outcome(seen);
            prop_assert!((cached as usize) < prompt.len());
            prop_assert_eq!(said, expected(prompt, *count));
        }
        prop_assert_eq!(bench.handle.sessions(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// However sessions are mixed, each says what it would say alone.
    #[test]
    fn neighbours_change_nothing(
        sessions in proptest::collection::vec(("[a-m]{1,40}", 1_u32..12), 1..12),
        batch_tokens in 1_u32..40,
        sequences in 1_u32..5,
        limits in (0..2).prop_map(|aside| if aside == 0 { Limits::default() } else { super::aside::always() }),
    ) {
        let engine = ScriptedEngine::new(Vocabulary::bytes(), alphabet());
        let limits = Limits { batch_tokens, ..limits };
        let bench = Bench::of(engine.with_sequences(sequences), limits);
        let channels: Vec<_> = sessions.iter().map(|(prompt, count)| {
            let (events, seen) = channel();
            let driver = Probe::new("s", &events, decode(*count));
            bench.handle.submit(text(prompt), driver).expect("there is room");
            seen
        }).collect();
        for (seen, (prompt, count)) in channels.into_iter().zip(&sessions) {
            let said: Vec<TokenId> = seen.iter().filter_map(|event| match event {
                Said(_, token) => Some(token),
                _ => None,
            }).collect();
            let last = u32::from(*prompt.as_bytes().last().expect("at least one letter"));
            let expected: Vec<TokenId> = (1..=*count).map(|step| last + step).collect();
            prop_assert_eq!(said, expected);
        }
        let passes = bench.passes.passes();
        let tokens = passes.iter().map(|pass| pass.iter().map(|part| part.1).sum::<u32>());
        prop_assert!(tokens.max().unwrap_or(0) <= batch_tokens);
    }
}
