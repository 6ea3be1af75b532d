//! The port's contract as a check any [`Engine`] can be put through.

use crate::{Engine, EngineError, Feed, Sequence, TokenId};

/// Puts `engine`, all of whose sequences must be empty, through the contract of
/// the port with these two prompts and leaves it empty again.
///
/// `tolerance` is how far a logit may be off when the same tokens were computed
/// in a different batch; an engine whose arithmetic does not depend on the batch
/// passes with 0.
///
/// # Panics
/// At the first breach, saying which; and if the engine has fewer than 3
/// sequences or the prompts fewer than 4 tokens.
pub fn check(engine: &mut dyn Engine, prompts: [&[TokenId]; 2], tolerance: f32) {
    let [first, second] = prompts;
    let alone = [logits(engine, 0, first), logits(engine, 0, second)];
    let mut check = Check {
        engine,
        first,
        second,
        alone,
        tolerance,
    };
    check.one_batch();
    check.chunks();
    check.fresh_logits();
    check.fork();
    check.backtrack();
    check.kept();
    check.refusals();
}

/// The logits after `tokens` on an empty sequence, which is emptied again.
fn logits(engine: &mut dyn Engine, sequence: u32, tokens: &[TokenId]) -> Vec<f32> {
    let row = append(engine, sequence, tokens);
    engine.free(Sequence(sequence));
    row
}

fn append(engine: &mut dyn Engine, sequence: u32, tokens: &[TokenId]) -> Vec<f32> {
    engine
        .forward(&[feed(sequence, tokens)])
        .expect("a valid batch is computed");
    engine.logits(0).to_vec()
}

fn feed(sequence: u32, tokens: &[TokenId]) -> Feed<'_> {
    Feed {
        sequence: Sequence(sequence),
        tokens,
        logits: true,
    }
}

struct Check<'a> {
    engine: &'a mut dyn Engine,
    first: &'a [TokenId],
    second: &'a [TokenId],
    /// The logits after each prompt, computed alone.
    alone: [Vec<f32>; 2],
    tolerance: f32,
}

impl Check<'_> {
    fn one_batch(&mut self) {
        let feeds = [feed(0, self.first), feed(2, self.second)];
        self.engine
            .forward(&feeds)
            .expect("two prefills in one batch");
        let rows = [
            self.engine.logits(0).to_vec(),
            self.engine.logits(1).to_vec(),
        ];
        self.same("a batch of two, the first", 0, &rows[0]);
        self.same("a batch of two, the second", 1, &rows[1]);
        self.free_all();
    }

    /// Prefill in two pieces, the second together with another's decode.
    fn chunks(&mut self) {
        let (head, tail) = self.first.split_at(2);
        let (start, last) = self.second.split_at(self.second.len() - 1);
        append(self.engine, 0, start);
        let silent = Feed {
            logits: false,
            ..feed(1, head)
        };
        self.engine
            .forward(&[silent])
            .expect("a chunk without logits");
        let feeds = [feed(0, last), feed(1, tail)];
        self.engine
            .forward(&feeds)
            .expect("decode and prefill in one batch");
        let rows = [
            self.engine.logits(1).to_vec(),
            self.engine.logits(0).to_vec(),
        ];
        self.same("prefill in chunks", 0, &rows[0]);
        self.same("decode beside a prefill", 1, &rows[1]);
        self.free_all();
    }

    fn fresh_logits(&mut self) {
        append(self.engine, 0, self.first);
        self.engine.logits(0).fill(f32::NEG_INFINITY);
        let row = self.engine.logits(0).to_vec();
        self.same("logits read twice", 0, &row);
        self.free_all();
    }

    /// A fork goes on like its parent, and neither sees what the other is fed.
    fn fork(&mut self) {
        let (head, tail) = self.first.split_at(2);
        append(self.engine, 0, head);
        self.engine.fork(Sequence(0), Sequence(1));
        append(self.engine, 0, self.second);
        let row = append(self.engine, 1, tail);
        self.same("a fork", 0, &row);
        self.engine.free(Sequence(1));
        self.engine.fork(Sequence(0), Sequence(1));
        self.engine.free(Sequence(0));
        append(self.engine, 1, tail);
        self.free_all();
    }

    fn backtrack(&mut self) {
        let (head, tail) = self.first.split_at(2);
        append(self.engine, 0, head);
        append(self.engine, 0, self.second);
        let outcome = self.engine.truncate(Sequence(0), 2);
        if self.engine.info().backtrack {
            outcome.expect("a model that can backtrack does");
            let row = append(self.engine, 0, tail);
            self.same("a backtrack", 0, &row);
        } else {
            assert_eq!(outcome, Err(EngineError::BacktrackUnsupported));
        }
        self.free_all();
    }

    /// What was saved in two parts goes on like its original, on another sequence and after that is gone.
    fn kept(&mut self) {
        if self.engine.info().kept_sequences == 0 {
            return;
        }
        let (head, last) = self.first.split_at(self.first.len() - 1);
        append(self.engine, 0, head);
        append(self.engine, 2, self.second);
        let parts = [0..2, 2..head.len() as u32];
        let parts = parts.map(|part| {
            self.engine
                .save(Sequence(0), part)
                .expect("it can be saved")
        });
        self.engine.free(Sequence(0));
        for part in &parts {
            assert!(self.engine.restore(Sequence(1), part), "there is room");
        }
        let row = append(self.engine, 1, last);
        self.same("a kept sequence", 0, &row);
        self.free_all();
    }

    fn refusals(&mut self) {
        let info = self.engine.info().clone();
        let vocab_size = info.vocab_size;
        let unknown = EngineError::TokenUnknown {
            token: vocab_size,
            vocab_size,
        };
        let strange = [vocab_size];
        assert_eq!(self.engine.forward(&[feed(0, &strange)]), Err(unknown));
        let feeds = [feed(info.sequences_max, self.first)];
        self.refused("a sequence outside the engine", &feeds);
        self.refused("an empty feed", &[feed(0, &[])]);
        self.refused(
            "a sequence twice",
            &[feed(0, self.first), feed(0, self.second)],
        );
        self.full(info.context_tokens);
        let row = logits(self.engine, 0, self.first);
        self.same("after the refusals", 0, &row);
    }

    fn refused(&mut self, what: &str, feeds: &[Feed<'_>]) {
        let outcome = self.engine.forward(feeds);
        let invalid = matches!(outcome, Err(EngineError::BatchInvalid { .. }));
        assert!(invalid, "{what}: {outcome:?}");
    }

    /// A sequence takes exactly as many tokens as it promises.
    fn full(&mut self, context: u32) {
        let token = self.first[0];
        let batch = self.engine.info().batch_tokens_max.min(context) as usize;
        let mut left = context as usize;
        while left > 0 {
            let tokens = vec![token; left.min(batch)];
            let silent = Feed {
                logits: false,
                ..feed(0, &tokens)
            };
            self.engine
                .forward(&[silent])
                .expect("a sequence takes all its tokens");
            left -= tokens.len();
        }
        let outcome = self.engine.forward(&[feed(0, &[token])]);
        assert_eq!(outcome, Err(EngineError::ContextFull { context }));
        self.free_all();
    }

    fn free_all(&mut self) {
        for sequence in 0..self.engine.info().sequences_max {
            self.engine.free(Sequence(sequence));
        }
    }

    fn same(&self, what: &str, prompt: usize, row: &[f32]) {
        let expected = &self.alone[prompt];
        assert_eq!(row.len(), expected.len(), "{what}");
        let differences = row.iter().zip(expected).map(|(a, b)| (a - b).abs());
        let worst = differences.fold(0.0, f32::max);
        assert!(worst <= self.tolerance, "{what}: a logit is off by {worst}");
    }
}
