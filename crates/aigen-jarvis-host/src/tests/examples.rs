//! The example controllers, built from their source and asked by hand; in whole sessions they
//! are run in `tests/sessions`.

use std::sync::Arc;

use aigen_engine::scripted::Vocabulary;
use aigen_jarvis::{Compiler, Opening};
use aigen_testkit_guests::built;

use super::HOST;
use crate::{Component, Settings};

/// The component of an example; `None`, with a word about it, if it cannot be built here.
fn example(name: &str) -> Option<Component> {
    Some(HOST.compile(&built(name)?).unwrap())
}

/// What an example says about parameters that are none.
#[test]
fn examples_refuse_what_they_cannot_use() {
    let Some(component) = example("redact") else {
        return;
    };
    let prompt = [1];
    let vocabulary = Arc::new(Vocabulary::bytes());
    let opening = Opening::new(&prompt, vocabulary.clone());
    let compiler = Arc::new(Compiler::new(vocabulary).unwrap());
    let program = component.program(compiler, Settings::default());
    let fault = program.open(&opening).err().unwrap();
    assert!(fault.to_string().contains("no JSON"), "{fault}");
}

/// The contract is all that they import: no WASI, and nothing that is not used.
#[test]
fn examples_import_the_contract_only() {
    for name in ["yes-no", "best-of-three", "debate", "budget-aware"] {
        let Some(component) = example(name) else {
            return;
        };
        let foreign = component
            .imports()
            .iter()
            .find(|import| !import.starts_with("aigen:controller/"));
        assert_eq!(foreign, None, "{name}");
        let outside = component
            .imports()
            .iter()
            .any(|import| import.contains("outside"));
        assert!(!outside, "{name}: {:?}", component.imports());
    }
}

/// A fork clones the state, matchers with it.
#[test]
fn best_of_three_forks_and_waits() {
    use aigen_jarvis::{Decision, Report, Waiting, Wake};
    let Some(component) = example("best-of-three") else {
        return;
    };
    let mut request = super::open(&component).unwrap();
    assert!(matches!(
        request.step(0, Wake::Started).1,
        Ok(Decision::Fork(2))
    ));
    let mut branches = vec![
        request.controller.fork(1).unwrap(),
        request.controller.fork(2).unwrap(),
    ];
    branches.insert(0, request.controller);
    let mut ask = |branch: usize, why, logprob| {
        let number = u32::try_from(branch).unwrap();
        let report = Report {
            logprob,
            ..Report::new(number, 1, why)
        };
        super::decided(branches[branch].as_mut(), &report)
    };
    for (branch, index) in [(0, 0), (1, 1), (2, 2)] {
        let decision = ask(branch, Wake::Forked { index, first: 1 }, None);
        assert!(matches!(decision, Decision::Generate(_)));
    }
    for (branch, logprob) in [(0, -2.0), (1, -0.5)] {
        let decision = ask(branch, Wake::EndOfSequence, Some(logprob));
        assert!(
            matches!(decision, Decision::Suspend(Waiting::Variables(_))),
            "{decision:?}"
        );
    }
    // The last one to end knows all scores; it is not the best.
    let last = ask(2, Wake::EndOfSequence, Some(-1.0));
    assert!(matches!(last, Decision::Stop(stop) if !stop.keep));
    let best = ask(1, Wake::Resumed, None);
    assert!(matches!(best, Decision::Stop(stop) if stop.keep));
    assert!(
        super::last_word(branches[1].as_mut())
            .unwrap()
            .contains("\"branch\":1")
    );
}
