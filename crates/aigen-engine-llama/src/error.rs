use std::path::PathBuf;

/// Why a model could not be opened. [`OpenError::hint`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no such file.
    #[error("there is no model at {}", path.display())]
    Missing {
        /// The file asked for.
        path: PathBuf,
    },
    /// The file is there and cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file asked for.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file does not begin as GGUF files do.
    #[error("{} is not a GGUF file", path.display())]
    NotGguf {
        /// The file asked for.
        path: PathBuf,
    },
    /// The file ends before the data it announces.
    #[error("{} is incomplete: it has {actual} bytes of at least {needed}", path.display())]
    Truncated {
        /// The file asked for.
        path: PathBuf,
        /// Bytes the header asks for.
        needed: u64,
        /// Bytes there are.
        actual: u64,
    },
    /// The file contradicts itself or the format.
    #[error("{} is damaged: {reason}", path.display())]
    Broken {
        /// The file asked for.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file has weights but no vocabulary.
    #[error("{} has no tokenizer", path.display())]
    NoTokenizer {
        /// The file asked for.
        path: PathBuf,
    },
    /// Nothing in the vocabulary ends a text: llama.cpp would take a token at random for it.
    #[error("the vocabulary of {} names no token that ends a text", path.display())]
    NoEnd {
        /// The file asked for.
        path: PathBuf,
    },
    /// A good file of a kind this engine cannot run.
    #[error("{} is not supported: {reason}", path.display())]
    Unsupported {
        /// The file asked for.
        path: PathBuf,
        /// What kind it is.
        reason: String,
    },
    /// The processor lacks what llama.cpp was compiled for.
    #[error("this processor lacks {features}")]
    Processor {
        /// The missing features, such as `avx2, fma`.
        features: String,
    },
    /// The options contradict themselves or the model.
    #[error("{reason}")]
    Options {
        /// Which option and why.
        reason: String,
    },
    /// Whoever asked for it did not want it any more.
    #[error("opening {} was given up", path.display())]
    GivenUp {
        /// The file asked for.
        path: PathBuf,
    },
    /// The model was loaded, but no context could be made for it.
    #[error("no room for {sequences_max} sequences of {context_tokens} tokens: {reason}")]
    Context {
        /// Sequences asked for.
        sequences_max: u32,
        /// Tokens each should hold.
        context_tokens: u32,
        /// What llama.cpp said.
        reason: String,
    },
}

impl OpenError {
    /// What the operator can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "check the path, or download the model first",
            Self::Unreadable { .. } => "check the permissions of the file and its folders",
            Self::NotGguf { .. } => {
                "models for this engine end in .gguf; others can be converted with llama.cpp's convert_hf_to_gguf.py"
            }
            Self::Truncated { .. } => "the download stopped early: download the file again",
            Self::Broken { .. } => "download the file again and compare its checksum",
            Self::NoTokenizer { .. } => {
                "choose a GGUF that contains its vocabulary (tokenizer.ggml.tokens)"
            }
            Self::NoEnd { .. } => {
                "choose a GGUF that says it (tokenizer.ggml.eos_token_id), or add it with llama.cpp's gguf_set_metadata.py"
            }
            Self::Unsupported { .. } => {
                "choose a text-generation model of the llama, qwen, gemma, phi or mistral families"
            }
            Self::Processor { .. } => {
                "build on this machine with RUSTFLAGS=-Ctarget-cpu=native, or use a machine from 2013 or later"
            }
            Self::Options { .. } => "change the option, or leave it out for the default",
            Self::GivenUp { .. } => "open it again when it is wanted",
            Self::Context { .. } => {
                "ask for fewer sequences or a shorter context, or free some memory"
            }
        }
    }
}
