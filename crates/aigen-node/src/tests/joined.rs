//! Branches on a model elsewhere: what several requests come to, joined.

use super::remote::Told;
use crate::Counting;
use crate::remote::{Asking, Measured};
use crate::work::Told as Heard;
use aigen_engine::ControlLevel;
use aigen_engine::sampler::Sampling;
use aigen_engine::text::{TextEnding, TextEvent, TextFault, TextFinish, TextPrompt, TextRequest};
use aigen_jarvis::{
    Blueprint, BranchId, Context, Controller, Decision, Ending, Event, Fault, Finish, Generate,
    Observe, Opening, Program, Report, Stop, TextOpening, Turn, Waiting, Wake,
};
use aigen_types::Digest;
use std::sync::Arc;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

/// Three answer, and the longest is kept: the first of those that are as long.
struct BestOfThree {
    /// The likeliest instead.
    observe: Observe,
}

#[derive(Clone)]
struct Branch {
    context: Context,
    index: u32,
    observe: Observe,
}

impl Blueprint for BestOfThree {
    fn digest(&self) -> Digest {
        Digest([3; 32])
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        assert_eq!(opening.can.branches_max, 3);
        let context = opening.context.clone();
        Ok(Box::new(Branch {
            context,
            index: 0,
            observe: self.observe,
        }))
    }

    fn branches(&self) -> u32 {
        3
    }
}

impl Branch {
    fn score(&self, branch: BranchId, index: u32) -> Option<i64> {
        let name = format!("score {index}");
        let written = self.context.variable(branch, &name)?;
        Some(i64::from_le_bytes(written.value.try_into().unwrap()))
    }

    fn judge(&self, branch: BranchId) -> Decision {
        let scores: Vec<_> = (0..3).map(|index| self.score(branch, index)).collect();
        let missing = (0..3).filter(|index| scores[*index as usize].is_none());
        let missing: Vec<_> = missing.map(|index| format!("score {index}")).collect();
        if !missing.is_empty() {
            return Decision::Suspend(Waiting::Variables(missing));
        }
        let best = (0..3).rev().max_by_key(|index| scores[*index as usize]);
        Decision::Stop(Stop {
            keep: best == Some(self.index),
            ..Stop::default()
        })
    }
}

impl Controller for Branch {
    fn step(&mut self, report: &Report<'_>) -> Result<Turn, Fault> {
        let decision = match report.why {
            Wake::Started => Decision::Fork(2),
            Wake::Forked { .. } => Decision::Generate(Generate {
                observe: self.observe,
                ..Generate::default()
            }),
            Wake::Resumed => self.judge(report.branch),
            _ => {
                let name = format!("score {}", self.index);
                let likely = report.logprob.map(|logprob| (logprob * 1000.0) as i64);
                let value = likely.unwrap_or(report.position.into()).to_le_bytes();
                self.context.set_variable(report.branch, &name, &value)?;
                self.judge(report.branch)
            }
        };
        Ok(decision.into())
    }

    fn fork(&mut self, index: u32) -> Result<Box<dyn Controller>, Fault> {
        let context = self.context.clone();
        Ok(Box::new(Self {
            context,
            index,
            observe: self.observe,
        }))
    }
}

/// What comes of three requests to this engine: the text, the last that was measured, and the ending.
async fn asked(told: &Arc<Told>, observe: Observe) -> (String, Measured, Ending) {
    let terms = TextOpening {
        branches: 3,
        probabilities: true,
        ..TextOpening::default()
    };
    let asking = Asking {
        engine: told.clone(),
        request: TextRequest {
            prompt: TextPrompt::Plain("Say x".to_owned()),
            max_tokens: 40,
            sampling: Sampling::default(),
            stops: Vec::new(),
            schema: None,
            tools: None,
            probabilities: false,
            traceparent: None,
        },
        form: None,
        steered: Some((Program::new(BestOfThree { observe }), terms)),
        prompt_max: 9,
        output_max: 40,
    };
    let (tell, mut heard) = unbounded_channel();
    let started = Box::new(asking).start(tell, CancellationToken::new()).await;
    let _control = started.map_err(|unbegun| unbegun.error).unwrap();
    let (mut text, mut last) = (String::new(), None);
    loop {
        match heard.recv().await.expect("it ends") {
            Heard::Measured(measured) => last = Some(measured),
            Heard::Event(0, Event::Output(piece)) => text.push_str(&piece.text),
            Heard::Event(0, Event::Finished(ending)) => return (text, last.unwrap(), ending),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_best_of_three_requests_is_the_answer_and_all_of_them_are_counted() {
    let told = Told::new(ControlLevel::Text, false);
    // The last of these is said first.
    told.answers("ab", Ok(TextFinish::Stop), Some((5, Some(1), 2)));
    told.answers("abc", Ok(TextFinish::Length), Some((4, None, 3)));
    told.answers("a", Ok(TextFinish::Stop), Some((4, None, 1)));
    let (text, measured, ending) = asked(&told, Observe::Nothing).await;
    assert_eq!((text.as_str(), &ending.finish), ("abc", &Finish::Length));
    let usage = ending.usage;
    assert_eq!((usage.sampled_tokens, usage.discarded_tokens), (3, 3));
    assert_eq!((usage.unkept_tokens, usage.branches), (3, 2));
    assert_eq!((measured.prompt, measured.cached), (13, 1));
    assert_eq!(measured.counting, Counting::Claimed);
}

/// What the upstream says of how likely each of them is decides, where the controller wants to know.
#[tokio::test]
async fn the_likeliest_of_three_requests_is_the_answer() {
    let told = Told::new(ControlLevel::Text, false);
    // The last of these is said first.
    for (text, logprob) in [("ab", -0.5), ("abc", -4.0), ("a", -2.0)] {
        told.will(move |request, mut on_event| {
            assert!(request.probabilities);
            on_event(TextEvent::Started);
            on_event(TextEvent::Text(text.into()));
            on_event(TextEvent::Logprob(logprob));
            on_event(TextEvent::Finished(TextEnding {
                finish: Ok(TextFinish::Stop),
                claimed: None,
            }));
        });
    }
    let (text, _, ending) = asked(&told, Observe::Sampled).await;
    assert_eq!((text.as_str(), &ending.finish), ("ab", &Finish::Stop));
}

/// Two of them are no answer: the third is not even asked, and what the others used is owed.
#[tokio::test]
async fn where_one_request_fails_the_others_are_ended() {
    let told = Told::new(ControlLevel::Text, false);
    let reason = "it hung up".to_owned();
    told.answers("ab", Err(TextFault::Broken { reason }), None);
    told.answers("abc", Ok(TextFinish::Stop), Some((4, None, 3)));
    let (text, measured, ending) = asked(&told, Observe::Nothing).await;
    assert_eq!(text, "");
    assert!(
        matches!(ending.finish, Finish::Fault(Fault::Engine(_))),
        "{ending:?}"
    );
    // 3 are claimed, and 2 bytes make one by our count; of a prompt that is not claimed 3 are estimated.
    let usage = ending.usage;
    assert_eq!((usage.sampled_tokens, usage.discarded_tokens), (0, 4));
    assert_eq!((measured.prompt, measured.cached), (4 + 3, 0));
    assert!(matches!(measured.counting, Counting::Estimated(_)));
}
