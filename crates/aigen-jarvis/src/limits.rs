//! Every bound of the runtime, with its unit.

use std::time::Duration;

/// Decisions a controller may take between two forward passes. A loop of edits
/// that never generates would otherwise hold the scheduler's thread.
pub const DECISIONS_PER_PASS_MAX: u32 = 64;

/// Tokens a branch may have forced between two forward passes: by a grammar or an edit. What a
/// grammar forces can be as long as the answer may be, and is found out on the scheduler's
/// thread.
pub const FORCED_PER_PASS_MAX: u32 = 256;

/// Bytes of forced text that are made tokens at once, beside two of the vocabulary's longest
/// tokens. A model's own tokenizer takes up to 1 µs a byte.
pub(crate) const FORCED_BYTES_MAX: usize = 512;

/// Bytes before the end of what was made tokens at once that are made tokens again with what
/// follows them, which may change how they are cut into words.
pub(crate) const FORCED_BYTES_LOOSE: usize = 32;

/// Steps of one session at which its controllers may be late.
pub const LATE_STEPS_MAX: u32 = 3;

/// How long a controller is waited for that computes where its session is ended from outside. Its host ends it within
/// milliseconds, where the processors are not taken by others.
pub const RECALL_TIME_MAX: Duration = Duration::from_secs(10);

/// Branches one session may create beside its first, those that are over too.
pub const BRANCHES_MAX: u32 = 64;

/// The longest time that the branches of one session may suspend themselves for, all together, in milliseconds: who
/// sleeps keeps a place in the engine that others wait for, and pays nothing for it.
pub const SUSPEND_MILLIS_MAX: u32 = 60_000;

/// Biased tokens, splices, triggers, stop strings or names of one decision; each
/// of them is looked at for every token.
pub const BIASES_MAX: usize = 1024;
/// Tokens that the splices of one decision name, in all.
pub const SPLICE_TOKENS_MAX: usize = 4096;
/// Bytes of the stop texts of one decision, in all: each is compared with the end of the text at every
/// token, on the scheduler's thread.
pub const STOP_TEXT_BYTES_MAX: usize = 16 * 1024;
/// The model's likeliest tokens that one report may name.
pub const OBSERVED_TOP_MAX: u8 = 20;

/// Variables of one session.
pub const VARIABLES_MAX: usize = 256;
/// Bytes of a variable's name.
pub const VARIABLE_NAME_BYTES_MAX: usize = 128;
/// Bytes of all names and values of one session.
pub const VARIABLES_BYTES_MAX: usize = 1024 * 1024;

/// Lines one session may log.
pub const LOG_LINES_MAX: usize = 1024;
/// Bytes one session may log.
pub const LOG_BYTES_MAX: usize = 64 * 1024;

/// Results one session may put beside its text.
pub const RESULTS_MAX: usize = 64;
/// Bytes of their names and values.
pub const RESULTS_BYTES_MAX: usize = 256 * 1024;

/// Questions that one session may ask the outside, whatever an operator grants.
pub const OUTSIDE_ASKS_MAX: usize = 64;
/// Bytes of answers after which it may ask no more: a log keeps them all.
pub const OUTSIDE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Steps of one session's trace. A trace of 8,192 tokens under a controller that decides at
/// each is 16,384 steps.
pub const TRACE_STEPS_MAX: usize = 65_536;

/// Bytes of what a controller says in the end.
pub const OUTCOME_BYTES_MAX: usize = 256 * 1024;

/// Tokens one edit may append.
pub const EDIT_TOKENS_MAX: usize = 4096;

/// Where a branch can have so many tokens more and no more, a grammar is steered to its end: a
/// token after which it could not be completed any more is not taken. Looking for a way out
/// costs a mask for each token of it.
pub const CLOSING_TOKENS: usize = 128;

/// Items and steps of a lexer that looking for one way out may cost beside its last mask: 10 ms at the very
/// worst, where 128 first masks of a plain schema take 6. A way out that takes more is not found.
pub(crate) const CLOSING_FUEL_MAX: u64 = 150_000;

/// Tokens one session may take back in total: every one of them was computed
/// and is charged, and none of them reaches the caller.
pub const DISCARDED_TOKENS_MAX: u64 = 4096;

/// How often a controller may take back the same tokens at the same place and
/// splice in the same ones before it counts as stuck.
pub const IDENTICAL_REWINDS_MAX: u32 = 8;

/// Stop strings of one request, and the bytes of each. Every one of them is
/// searched for after every token.
pub const STOPS_MAX: usize = 16;
/// Bytes of one stop string.
pub const STOP_BYTES_MAX: usize = 256;

/// Bytes of one grammar source, after its holes were filled.
pub const SOURCE_BYTES_MAX: usize = 256 * 1024;

/// Words of a text to quote from, times the words of a quotation: at 12 words,
/// about 1,250 words or three pages.
pub const QUOTE_CHUNKS_MAX: usize = 16 * 1024;

/// Words in a quotation unless the controller says otherwise.
pub const QUOTE_WORDS: u32 = 12;

/// Options of one choice.
pub const CHOICE_OPTIONS_MAX: usize = 1024;

/// How long a request waits for its grammar to compile. A grammar that is not ready then is
/// refused, and its thread goes on to the end of what cannot be interrupted: of building its
/// lexer, whose fuel is some 20 ms, or of one mask.
pub const COMPILE_TIME_MAX: Duration = Duration::from_secs(2);

/// After so long a grammar leaves its place to others, for one of
/// [`COMPILES_SLOW_MAX`]; where those are taken it is refused. Nearly all are ready in 20 ms.
pub const COMPILE_TIME_SOFT: Duration = Duration::from_millis(250);

/// Grammars that compile at once, those nobody waits for any more included.
pub const COMPILES_AT_ONCE_MAX: usize = 4;

/// Grammars beside them that take longer than [`COMPILE_TIME_SOFT`].
pub const COMPILES_SLOW_MAX: usize = 2;

/// Stack of a compiling thread, in bytes; it is reserved, not used. Schemas may
/// nest 128 deep and the compiler is recursive.
pub const COMPILE_STACK_BYTES: usize = 32 * 1024 * 1024;

/// Compiled grammars kept for the next request with the same source.
pub const GRAMMARS_CACHED_MAX: usize = 128;

/// What one grammar may cost. Rows are as long as llguidance allows them, so that
/// every schema it can run runs here (500 optional properties in one object);
/// fuel is half, lexer states a fifth.
pub(crate) fn parser_limits() -> llguidance::api::ParserLimits {
    llguidance::api::ParserLimits {
        max_items_in_row: 2_000,
        // 50,000 a millisecond.
        initial_lexer_fuel: 1_000_000,
        // 14,000 a millisecond: 7 ms for one mask.
        step_lexer_fuel: 100_000,
        // 20,000 a millisecond: 2.5 ms for one mask.
        step_max_items: 50_000,
        // 1 to 2 kB each: 100 MB for one session at the very worst.
        max_lexer_states: 50_000,
        max_grammar_size: 500_000,
        precompute_large_lexemes: true,
        // Verbose errors would put the caller's text into logs.
        verbose_errors: false,
    }
}
