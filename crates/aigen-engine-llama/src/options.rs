use crate::OpenError;

/// How a model is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Threads that compute, 1 to 512. By default one for models of less than 100
    /// million parameters and otherwise one per physical core this process may
    /// use, at most 8.
    pub threads: Option<u32>,
    /// Tokens each sequence can hold. By default what the model was trained for,
    /// at most 8,192; more than it was trained for is an error.
    pub context_tokens: Option<u32>,
    /// Sequences of sessions that can live at once, 1 to 256.
    pub sequences_max: u32,
    /// Tokens that all sequences together can hold, at least as many as one can; by default
    /// as many as all of them filled. With fewer, memory is saved, and when it is full the
    /// session let in last pauses until there is room.
    pub cells: Option<u32>,
    /// Sequences of sessions that ended, kept beside the cache for prompts that begin alike; with
    /// `sequences_max` 256 at most. They take memory as they come, up to half as much as all sequences.
    pub kept_sequences: u32,
    /// Tokens in one forward pass, at least 1. On a GPU it costs memory for
    /// intermediate results.
    pub batch_tokens_max: u32,
    /// Layers computed by the GPU; `None` for all of them if this build has a GPU
    /// backend. Without one it has no effect.
    pub gpu_layers: Option<u32>,
}

/// The context [`Options::context_tokens`] stands for when it is not given: long
/// enough for a conversation, small enough that four sequences of an 8-billion
/// parameter model take 4 GiB and not 64.
pub(crate) const DEFAULT_CONTEXT_MAX: u32 = 8192;

/// llama.cpp's own bound, `GGML_MAX_N_THREADS`.
pub(crate) const THREADS_MAX: u32 = 512;

/// llama.cpp's own bound, `LLAMA_MAX_SEQ`.
pub(crate) const SEQUENCES_MAX: u32 = 256;

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: None,
            context_tokens: None,
            sequences_max: 4,
            cells: None,
            kept_sequences: 16,
            batch_tokens_max: 512,
            gpu_layers: None,
        }
    }
}

/// llama.cpp aborts the process for a context of one token.
const CONTEXT_TOKENS_MIN: u32 = 2;

impl Options {
    /// Whether they make sense together, as far as that can be known without a model.
    ///
    /// # Errors
    /// [`OpenError::Options`], with the first that does not.
    pub fn check(&self) -> Result<(), OpenError> {
        let refuse = |reason: String| Err(OpenError::Options { reason });
        if !(1..=SEQUENCES_MAX).contains(&self.sequences_max) {
            return refuse(format!("sequences_max must be 1 to {SEQUENCES_MAX}"));
        }
        if self.kept_sequences > SEQUENCES_MAX - self.sequences_max {
            return refuse(format!(
                "sequences_max and kept_sequences must be {SEQUENCES_MAX} at most together"
            ));
        }
        let threads_fit = |threads| (1..=THREADS_MAX).contains(&threads);
        if !self.threads.is_none_or(threads_fit) {
            return refuse(format!("threads must be 1 to {THREADS_MAX}"));
        }
        if self.batch_tokens_max == 0 || i32::try_from(self.batch_tokens_max).is_err() {
            return refuse("batch_tokens_max must be at least 1".to_owned());
        }
        let context = self.context_tokens;
        if context.is_some_and(|tokens| tokens < CONTEXT_TOKENS_MIN) {
            return refuse(format!(
                "context_tokens must be at least {CONTEXT_TOKENS_MIN}"
            ));
        }
        Ok(())
    }
}

/// Beyond this many, threads wait for memory rather than compute.
const DEFAULT_THREADS_MAX: usize = 8;

/// llama.cpp's threads meet after every operation, spinning until the last one
/// comes. A small model's operations are shorter than that meeting, and where
/// another program takes a core from one thread all others spin meanwhile: with 2
/// million parameters on 2 busy cores, two threads gave 2 tokens per second and
/// one gave 800.
const PARAMETERS_WORTH_THREADS: u64 = 100_000_000;

/// The threads [`Options::threads`] stands for when it is not given.
pub(crate) fn default_threads(parameters: u64) -> u32 {
    if parameters < PARAMETERS_WORTH_THREADS {
        return 1;
    }
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    num_cpus::get_physical()
        .min(allowed)
        .clamp(1, DEFAULT_THREADS_MAX) as u32
}
