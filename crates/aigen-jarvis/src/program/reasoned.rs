//! Models that reason before they answer: nothing is constrained before they have.

use aigen_engine::TokenId;
use aigen_types::Digest;

use crate::{
    Blueprint, Context, Controller, Decision, Fault, Generate, Matcher, Opening, Program, Report,
    Turn, Until, Wake,
};

/// A program that begins once the model has said `end`.
pub(super) struct Reasoned {
    pub program: Program,
    pub end: String,
}

impl Blueprint for Reasoned {
    fn digest(&self) -> Digest {
        let inner = self.program.digest().to_string();
        super::digest_of("reasoned", &format!("{inner} {}", self.end))
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        let mut until = Until::default();
        match opening.tokenizer.encode(&self.end, true, false)[..] {
            [token] if opening.tokenizer.is_special(token) => until.triggers.push(token),
            _ => until.stops.push(self.end.clone().into_bytes()),
        }
        opening.context.set_visible(0, false);
        Ok(Box::new(Reasoning {
            inner: self.program.open(opening)?,
            context: opening.context.clone(),
            until: Some(until),
            reasons: true,
        }))
    }

    fn backtracks(&self) -> bool {
        self.program.backtracks()
    }

    fn branches(&self) -> u32 {
        self.program.branches()
    }

    fn matcher(&self) -> Option<Matcher> {
        self.program.matcher()
    }
}

/// Lets the model reason, unseen, then makes way for the controller.
struct Reasoning {
    inner: Box<dyn Controller>,
    context: Context,
    until: Option<Until>,
    reasons: bool,
}

impl Controller for Reasoning {
    fn prompt(&mut self) -> Result<Option<Vec<TokenId>>, Fault> {
        self.inner.prompt()
    }

    fn step(&mut self, report: &Report<'_>) -> Result<Turn, Fault> {
        if let Some(until) = self.until.take() {
            return Ok(Decision::Generate(Generate {
                until,
                ..Generate::default()
            })
            .into());
        }
        // A model that ended its turn instead has reasoned enough.
        if std::mem::take(&mut self.reasons) {
            self.context.set_visible(0, true);
            let why = Wake::Started;
            return self
                .inner
                .step(&Report::new(report.branch, report.position, why));
        }
        self.inner.step(report)
    }

    fn poll(&mut self) -> Result<Turn, Fault> {
        self.inner.poll()
    }

    fn fork(&mut self, index: u32) -> Result<Box<dyn Controller>, Fault> {
        self.inner.fork(index)
    }

    fn finish(&mut self) -> String {
        self.inner.finish()
    }

    fn reach(&self) -> u32 {
        self.inner.reach()
    }
}
