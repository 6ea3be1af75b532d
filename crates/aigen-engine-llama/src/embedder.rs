use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aigen_engine::{Embedder, EmbedderInfo, EngineError, TokenId, Tokenizer};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::{LlamaContextParams, LlamaPoolingType};
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;

use crate::engine::Loaded;
use crate::engine::open::{check_processor, context_tokens, digest, load, opening};
use crate::gguf::{self, Header};
use crate::native;
use crate::options::default_threads;
use crate::progress::Progress;
use crate::tokenizer::LlamaTokenizer;
use crate::{OpenError, Options};

/// llama.cpp with a model that turns texts into vectors.
pub struct LlamaEmbedder {
    info: EmbedderInfo,
    tokenizer: Arc<LlamaTokenizer>,
    /// One text at a time: a batch of several would be no faster where a core is all there is.
    loaded: Mutex<Loaded>,
}

/// Whether the model at `path` makes vectors: its metadata say how its tokens are pooled into one.
///
/// # Errors
/// As [`crate::open`], for a file that is none.
pub fn makes_vectors(path: impl AsRef<Path>) -> Result<bool, OpenError> {
    Ok(pooling(&gguf::read(path.as_ref())?).is_some())
}

/// Opens such a model; of the options only threads, context and GPU layers matter.
///
/// # Errors
/// [`OpenError`], each of which has a [`OpenError::hint`].
pub fn open_embedder(
    path: impl AsRef<Path>,
    options: &Options,
) -> Result<LlamaEmbedder, OpenError> {
    let path = path.as_ref();
    check_processor()?;
    let header = gguf::read(path)?;
    let Some(pooling) = pooling(&header) else {
        let reason = "it does not say how its tokens become one vector (pooling_type)".to_owned();
        return Err(OpenError::Unsupported {
            path: path.into(),
            reason,
        });
    };
    let digest = digest(path, &mut Progress::unheard())?;
    let _opening = opening();
    let model = Arc::new(load(path, &header, options, Progress::unheard())?);
    let context_tokens = context_tokens(&model, options)?;
    let threads = options
        .threads
        .unwrap_or_else(|| default_threads(model.n_params())) as i32;
    let params = LlamaContextParams::default()
        .with_embeddings(true)
        .with_pooling_type(pooling)
        .with_n_ctx(NonZeroU32::new(context_tokens))
        // A text is pooled where all of it is in one pass.
        .with_n_batch(context_tokens)
        .with_n_ubatch(context_tokens)
        .with_n_threads(threads)
        .with_n_threads_batch(threads);
    let loaded = Loaded::try_new(Arc::clone(&model), |model| {
        let context = model.new_context(native::backend(), params);
        context.map_err(|error| OpenError::Context {
            sequences_max: 1,
            context_tokens,
            reason: native::take_first_error().unwrap_or_else(|| error.to_string()),
        })
    })?;
    Ok(LlamaEmbedder {
        info: EmbedderInfo {
            digest,
            architecture: header.architecture().to_owned(),
            dimensions: u32::try_from(model.n_embd()).unwrap_or_default(),
            context_tokens,
            vocab_size: u32::try_from(model.n_vocab()).unwrap_or_default(),
        },
        tokenizer: Arc::new(LlamaTokenizer::new(model, &header)),
        loaded: Mutex::new(loaded),
    })
}

/// llama.cpp's numbers; 0 stands for none and 4 for a judge of pairs, which makes no vectors.
fn pooling(header: &Header) -> Option<LlamaPoolingType> {
    let key = format!("{}.pooling_type", header.architecture());
    match header.whole(&key)? {
        1 => Some(LlamaPoolingType::Mean),
        2 => Some(LlamaPoolingType::Cls),
        3 => Some(LlamaPoolingType::Last),
        _ => None,
    }
}

impl Embedder for LlamaEmbedder {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    fn tokenizer(&self) -> Arc<dyn Tokenizer> {
        Arc::clone(&self.tokenizer) as Arc<dyn Tokenizer>
    }

    fn embed(&self, texts: &[Vec<TokenId>]) -> Result<Vec<Vec<f32>>, EngineError> {
        texts.iter().try_for_each(|text| self.info.check(text))?;
        texts.iter().map(|text| self.embed_one(text)).collect()
    }
}

impl LlamaEmbedder {
    fn embed_one(&self, text: &[TokenId]) -> Result<Vec<f32>, EngineError> {
        let mut batch = LlamaBatch::new(text.len(), 1);
        for (token, position) in text.iter().zip(0..) {
            let token = LlamaToken(*token as i32);
            batch
                .add(token, position, &[0], true)
                .map_err(|error| failed(&error))?;
        }
        let vector = self.lock().with_dependent_mut(|_, context| {
            context.clear_kv_cache();
            compute(context, &mut batch)
        })?;
        Ok(normalised(vector))
    }

    fn lock(&self) -> MutexGuard<'_, Loaded> {
        // The cache is cleared before every text, whatever a panic left in it.
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn compute(
    context: &mut LlamaContext<'_>,
    batch: &mut LlamaBatch<'_>,
) -> Result<Vec<f32>, EngineError> {
    context.decode(batch).map_err(|error| failed(&error))?;
    let vector = context
        .embeddings_seq_ith(0)
        .map_err(|error| failed(&error))?;
    Ok(vector.to_vec())
}

/// Of length 1, as OpenAI's are; a vector of zeros stays one.
fn normalised(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector
        .iter()
        .map(|x| f64::from(*x).powi(2))
        .sum::<f64>()
        .sqrt();
    if length > 0.0 {
        vector
            .iter_mut()
            .for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
    vector
}

fn failed(error: &impl std::fmt::Display) -> EngineError {
    EngineError::Forward {
        reason: error.to_string(),
    }
}
