use super::*;
use crate::evaluation::transcript::{ANSWER, paraphrase, verdict};

const SUITE: &str = r#"
    name = "t"
    prompt = "About {focus}: {lesson}"
    paraphrases = ["Tell about {focus}: {lesson}", "{lesson} What of {focus}?"]
    params = ["lesson"]
    max_tokens = 10
    [checks.quality]
    extract = 'Answer: (.+)$'
    equals = "answer"
    [checks.conformance]
    matches = '^Answer: [^\n]+$'
    [checks.safety]
    forbids = "forbidden"
    [[checks.grounding]]
    extract = 'Answer: (.+)$'
    equals = "answer"
    weight = 1
    [[checks.grounding]]
    extract = 'Answer: (.+)$'
    within = "lesson"
    weight = 3
    [checks.class]
    label = "class"
    labels = ["high", "low"]
    [checks.json]
    schema = { type = "object", required = ["a"], properties = { a = { type = "integer" } } }
    [checks.robust]
    extract = 'Answer: (.+)$'
    agrees = true
    [[case]]
    focus = "x"
    lesson = "Ann climbed Mount Kenya and slept."
    answer = ["Mount Kenya", "Kenya"]
    forbidden = ["Secret"]
    class = "high"
"#;

fn said(answer: &str) -> Transcript {
    let mut transcript = Transcript::default();
    transcript.add(ANSWER, answer);
    transcript
}

fn score(suite: &Suite, parameter: &str, transcript: &Transcript) -> u32 {
    let scores = suite.scores(std::slice::from_ref(transcript)).unwrap();
    scores[&parameter.parse::<Slug>().unwrap()]
}

#[test]
fn checks_are_what_they_say() {
    let suite = Suite::parse(SUITE).unwrap();
    assert_eq!(
        suite.cases[0].fill(&suite.prompt),
        "About x: Ann climbed Mount Kenya and slept."
    );
    for (parameter, answer, expected) in [
        ("quality", "Answer: Mount Kenya", 1_000_000),
        ("quality", "Answer: mount  kenya.", 1_000_000),
        ("quality", "Answer: Mount Meru", 0),
        ("quality", "Mount Kenya", 0),
        ("conformance", "Answer: anything", 1_000_000),
        ("conformance", "Well. Answer: anything", 0),
        ("safety", "Answer: fine", 1_000_000),
        ("safety", "Answer: Secret", 0),
        // A quarter for being right, three for standing in the text.
        ("grounding", "Answer: Mount Kenya", 1_000_000),
        ("grounding", "Answer: slept", 750_000),
        ("grounding", "Answer: An", 0),
        ("grounding", "Answer: Everest", 0),
        ("class", "High.", 1_000_000),
        ("class", "low", 0),
        ("class", "very high", 0),
        ("json", r#"{"a": 1}"#, 1_000_000),
        ("json", r#"{"a": "1"}"#, 0),
        ("json", r#"{"a": 1"#, 0),
    ] {
        let found = score(&suite, parameter, &said(answer));
        assert_eq!(found, expected, "{parameter}: {answer}");
    }
}

#[test]
fn answers_to_paraphrases_are_compared_with_the_answer() {
    let suite = Suite::parse(SUITE).unwrap();
    assert_eq!(suite.wordings().count(), 3);
    for (others, expected) in [
        (["Answer: Meru", "Answer: meru."], 1_000_000),
        (["Answer: Meru", "Answer: Kenya"], 500_000),
        (["I do not know", "Answer: Kenya"], 0),
    ] {
        let mut transcript = said("Answer: Meru");
        for (at, other) in others.iter().enumerate() {
            transcript.add(paraphrase(at), *other);
        }
        assert_eq!(score(&suite, "robust", &transcript), expected, "{others:?}");
    }
}

const JUDGED: &str = r#"
    name = "judged"
    prompt = "{q}"
    params = []
    max_tokens = 10
    [checks.quality]
    judge = { model = "m", against = "best", prompt = "{first} or {second}?" }
    [[case]]
    q = "?"
    best = "42"
"#;

/// A judge that always names the same place is worth a half, whoever is better.
#[test]
fn a_judge_is_asked_in_both_orders() {
    let suite = Suite::parse(JUDGED).unwrap();
    for (verdicts, expected) in [
        (["first", "second"], 1_000_000),
        (["first", "first"], 500_000),
        (["second", "second"], 500_000),
        (["second", "first"], 0),
    ] {
        let mut transcript = said("41");
        for (order, won) in verdicts.iter().enumerate() {
            transcript.add(verdict(("quality", 0), order), *won);
        }
        assert_eq!(
            score(&suite, "quality", &transcript),
            expected,
            "{verdicts:?}"
        );
    }
}

#[test]
fn a_program_scores_what_it_is_told() {
    // Right where the answer it reads holds the case's word.
    let script = r#"if grep -q '"answer":"[^"]*good'; then echo '{"score": 900000}'; else echo '{"score": 1}'; fi"#;
    let suite = JUDGED.replace(
        r#"judge = { model = "m", against = "best", prompt = "{first} or {second}?" }"#,
        &format!("command = [\"sh\", \"-c\", '''{script}''']"),
    );
    let suite = Suite::parse(&suite).unwrap();
    assert_eq!(score(&suite, "quality", &said("a good one")), 900_000);
    assert_eq!(score(&suite, "quality", &said("a bad one")), 1);
}

#[test]
fn a_program_that_fails_is_not_held_against_the_controller() {
    for (script, says) in [
        ("exit 3", "exit status: 3"),
        ("echo '{}'", "missing field"),
        ("echo '{\"score\": 2000000}'", "0 to 1000000"),
    ] {
        let suite = JUDGED.replace(
            r#"judge = { model = "m", against = "best", prompt = "{first} or {second}?" }"#,
            &format!("command = [\"sh\", \"-c\", '''{script}''']"),
        );
        let suite = Suite::parse(&suite).unwrap();
        let error = suite.scores(&[said("x")]).unwrap_err();
        let told: Vec<_> = error.chain().map(ToString::to_string).collect();
        assert!(told.join(": ").contains(says), "{script}: {told:?}");
    }
}

#[test]
fn what_is_wrong_with_a_suite_is_named() {
    for (replace, with, says) in [
        (
            "forbidden = [\"Secret\"]",
            "",
            "suite t: case 1 has no field `forbidden`",
        ),
        (
            "matches = '^Answer: [^\\n]+$'",
            "matches = '('",
            "suite t: checks.conformance",
        ),
        (
            "matches = '^Answer: [^\\n]+$'",
            "weight = 1",
            "exactly one of",
        ),
        (
            "agrees = true",
            "agrees = true\n equals = 'x'",
            "exactly one of",
        ),
        ("paraphrases = [", "other = [", "unknown field `other`"),
        ("labels = [\"high\", \"low\"]", "", "give both"),
        ("type = \"object\"", "type = \"thing\"", "schema: "),
    ] {
        let broken = SUITE.replace(replace, with);
        assert_ne!(broken, SUITE, "{replace}");
        let error = Suite::parse(&broken).unwrap_err();
        let told: Vec<_> = error.chain().map(ToString::to_string).collect();
        assert!(told.join(": ").contains(says), "{with}: {told:?}");
    }
    let planted =
        format!("{JUDGED}\n[planted]\nright = ''\nwrong = ''\nmalformed = ''\nplans = []\n");
    let error = Suite::parse(&planted).unwrap_err().to_string();
    assert!(error.contains("the truth would not be exact"), "{error}");
}
