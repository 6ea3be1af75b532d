//! llama.cpp driven as its own programs drive it: no scheduler, one sequence, and its own grammar
//! sampler, from a schema by its own converter.
#![expect(
    unsafe_code,
    reason = "a rival is measured without anything of ours around it"
)]

use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

use aigen_engine::TokenId;
use llama_cpp_sys_2 as sys;

/// How it is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// As the engine here: no flash attention, which costs a small model time.
    Ours,
    /// As it comes.
    Own,
}

/// How it keeps to the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// What the model likes best is checked alone; the whole vocabulary only where that is
    /// refused. As its server does.
    Chosen,
    /// The whole vocabulary at every token, as a chain of samplers does.
    All,
}

/// One model, one context, one sequence.
pub struct Rival {
    model: *mut sys::llama_model,
    context: *mut sys::llama_context,
    vocabulary: *const sys::llama_vocab,
    candidates: Vec<sys::llama_token_data>,
}

/// A grammar in llama.cpp's own form.
pub struct Grammar(CString);

/// What it said, and how long that took once the prompt was read.
pub struct Said {
    pub tokens: Vec<TokenId>,
    pub took: Duration,
}

impl Grammar {
    /// By llama.cpp's converter, without the whitespace that it allows everywhere: the schema's
    /// values have no other texts then than they have here.
    pub fn of(schema: &str) -> Self {
        let schema = CString::new(schema).expect("a schema has no NUL");
        let mut out = null_mut();
        // SAFETY: the text outlives the call, and what comes back is freed once.
        let text = unsafe {
            sys::llama_rs_json_schema_to_grammar(schema.as_ptr(), true, &raw mut out);
            assert!(!out.is_null(), "llama.cpp converts {schema:?}");
            let text = CStr::from_ptr(out).to_string_lossy().into_owned();
            sys::llama_rs_string_free(out);
            text
        };
        let compact = text
            .lines()
            .map(|line| match line.starts_with("space ::=") {
                true => "space ::= \"\"",
                false => line,
            });
        let compact: Vec<&str> = compact.collect();
        Self(CString::new(compact.join("\n")).expect("a grammar has no NUL"))
    }
}

impl Rival {
    pub fn open(file: &Path, setup: Setup) -> Self {
        let path = CString::new(file.to_str().expect("a path of letters")).expect("no NUL");
        // SAFETY: the backend runs, since the engine here was opened before; what is made is
        // freed when this is dropped, the context first.
        unsafe {
            let model =
                sys::llama_model_load_from_file(path.as_ptr(), sys::llama_model_default_params());
            assert!(!model.is_null(), "llama.cpp opens {}", file.display());
            let mut params = sys::llama_context_default_params();
            (params.n_ctx, params.n_batch) = (512, 512);
            (params.n_threads, params.n_threads_batch) = (1, 1);
            if setup == Setup::Ours {
                params.flash_attn_type = sys::LLAMA_FLASH_ATTN_TYPE_DISABLED;
            }
            let context = sys::llama_init_from_model(model, params);
            assert!(!context.is_null(), "llama.cpp makes a context");
            let vocabulary = sys::llama_model_get_vocab(model);
            let candidates = Vec::with_capacity(sys::llama_vocab_n_tokens(vocabulary) as usize);
            Self {
                model,
                context,
                vocabulary,
                candidates,
            }
        }
    }

    /// What the model likes best at every token, until it ends its turn.
    pub fn run(
        &mut self,
        prompt: &[TokenId],
        grammar: Option<(&Grammar, Checks)>,
        tokens_max: usize,
    ) -> Said {
        let mut prompt: Vec<i32> = prompt.iter().map(|token| *token as i32).collect();
        let mut last = prompt.pop().expect("a prompt has tokens");
        // SAFETY: the context is this one's own.
        unsafe { sys::llama_memory_clear(sys::llama_get_memory(self.context), true) };
        self.feed(&mut prompt);
        let began = Instant::now();
        let mut sampler = grammar.map(|(grammar, checks)| Sampler::new(self, grammar, checks));
        let mut tokens = Vec::new();
        while tokens.len() < tokens_max {
            self.feed(&mut [last]);
            last = self.choose(sampler.as_mut());
            // SAFETY: the vocabulary lives as long as the model.
            if unsafe { sys::llama_vocab_is_eog(self.vocabulary, last) } {
                break;
            }
            tokens.push(last as TokenId);
        }
        let took = began.elapsed();
        Said { tokens, took }
    }

    /// How long a pass of so many tokens takes, behind 64 others.
    pub fn pass(&mut self, tokens: usize) -> Duration {
        // SAFETY: the context is this one's own.
        unsafe { sys::llama_memory_clear(sys::llama_get_memory(self.context), true) };
        self.feed(&mut [300; 64]);
        let began = Instant::now();
        self.feed(&mut vec![301; tokens]);
        let _ = self.choose(None);
        began.elapsed()
    }

    fn feed(&mut self, tokens: &mut [i32]) {
        // SAFETY: the tokens outlive the call, and are in the vocabulary.
        let failed = unsafe {
            let batch = sys::llama_batch_get_one(tokens.as_mut_ptr(), tokens.len() as i32);
            sys::llama_decode(self.context, batch)
        };
        assert_eq!(failed, 0, "llama.cpp computes");
    }

    fn choose(&mut self, sampler: Option<&mut Sampler>) -> i32 {
        // SAFETY: the last pass had logits for its last token, one for each of the vocabulary.
        let logits = unsafe {
            let row = sys::llama_get_logits_ith(self.context, -1);
            std::slice::from_raw_parts(row, self.candidates.capacity())
        };
        let likeliest = (0..)
            .zip(logits)
            .fold((0, f32::MIN), |best, (token, logit)| {
                if *logit > best.1 {
                    (token, *logit)
                } else {
                    best
                }
            });
        match sampler {
            None => likeliest.0,
            Some(sampler) => sampler.choose(likeliest, logits, &mut self.candidates),
        }
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        // SAFETY: nobody uses them any more.
        unsafe {
            sys::llama_free(self.context);
            sys::llama_model_free(self.model);
        }
    }
}

struct Sampler {
    grammar: *mut sys::llama_sampler,
    checks: Checks,
}

impl Sampler {
    fn new(rival: &Rival, grammar: &Grammar, checks: Checks) -> Self {
        // SAFETY: vocabulary and texts outlive the call.
        let grammar = unsafe {
            sys::llama_sampler_init_grammar(rival.vocabulary, grammar.0.as_ptr(), c"root".as_ptr())
        };
        assert!(!grammar.is_null(), "llama.cpp reads its own grammar");
        Self { grammar, checks }
    }

    fn choose(
        &mut self,
        likeliest: (i32, f32),
        logits: &[f32],
        candidates: &mut Vec<sys::llama_token_data>,
    ) -> i32 {
        let candidate = |(id, logit)| sys::llama_token_data { id, logit, p: 0.0 };
        candidates.clear();
        candidates.push(candidate(likeliest));
        let alone = self.checks == Checks::Chosen && self.best(candidates).1.is_finite();
        if !alone {
            candidates.clear();
            candidates.extend((0..).zip(logits.iter().copied()).map(candidate));
        }
        let (token, _) = self.best(candidates);
        // SAFETY: the sampler is this one's own.
        unsafe { sys::llama_sampler_accept(self.grammar, token) };
        token
    }

    /// The likeliest that the grammar allows, with its logit.
    fn best(&mut self, candidates: &mut [sys::llama_token_data]) -> (i32, f32) {
        let mut all = sys::llama_token_data_array {
            data: candidates.as_mut_ptr(),
            size: candidates.len(),
            selected: -1,
            sorted: false,
        };
        // SAFETY: the candidates outlive the call, which changes logits in place.
        unsafe { sys::llama_sampler_apply(self.grammar, &raw mut all) };
        candidates
            .iter()
            .fold((0, f32::NEG_INFINITY), |best, other| {
                match other.logit > best.1 {
                    true => (other.id, other.logit),
                    false => best,
                }
            })
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { sys::llama_sampler_free(self.grammar) };
    }
}
