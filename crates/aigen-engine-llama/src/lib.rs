//! llama.cpp as an engine.
//!
//! [`open`] reads a GGUF file and gives a [`LlamaEngine`], which serves several
//! sequences of one context: one batch may mix prefill and decode, a fork shares
//! the cells of its prefix, and tokens can be taken back where the model allows
//! it. Whatever can be wrong with the file is found before llama.cpp sees it, as
//! far as a reader of the header can tell, because llama.cpp may abort the
//! process.
//!
//! # Where a binary runs
//! llama.cpp is built without `-march=native`: on x86-64 for AVX2, FMA, F16C and
//! BMI2 (2013 and later), or for what `RUSTFLAGS=-Ctarget-cpu=…` names. A binary
//! moved to an older machine refuses to open a model ([`OpenError::Processor`])
//! instead of dying of an illegal instruction.
//!
//! # What neighbours change
//! On the CPU a session gets the same logits alone and beside others, whatever they
//! compute, as long as its tokens lie in the pool in their order. Cells that another
//! session has freed are used again, and a later token that comes to lie before an
//! earlier one is summed up before it: the last digits may differ then, and tip a
//! choice that hangs by them. GPU kernels depend on the size of the batch as well.
//!
//! # What a context costs
//! Every sequence can be filled to [`Options::context_tokens`], whatever the others do, unless
//! [`Options::cells`] says that there is less: the cache is one pool, allocated for all of them
//! at once. Prefixes are kept beside it ([`Options::kept_sequences`]), since attention looks at
//! every cell in use, and copied back for a prompt that begins alike. Recurrent and hybrid
//! models keep none.

mod embedder;
mod engine;
mod error;
mod gguf;
mod memory;
mod native;
mod options;
mod progress;
mod tokenizer;

pub use embedder::{LlamaEmbedder, makes_vectors, open_embedder};
pub use engine::{LlamaEngine, open, open_telling};
pub use error::OpenError;
pub use gguf::check_file;
pub use memory::memory;
pub use options::Options;
pub use progress::OnProgress;
