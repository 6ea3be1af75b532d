use std::ffi::CString;
use std::fs::File;
use std::io;
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aigen_engine::{ControlLevel, Engine, Feed, ModelInfo, Sequence, Tokenizer};
use aigen_types::Digest;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::{KvCacheType, LlamaContextParams};
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::model::params::kv_overrides::ParamOverrideValue;

use super::{LlamaEngine, Loaded};
use crate::gguf::{self, Header};
use crate::native;
use crate::options::{DEFAULT_CONTEXT_MAX, default_threads};
use crate::progress::{GivenUp, OnProgress, Progress, Reading};
use crate::tokenizer::{self, LlamaTokenizer};
use crate::{OpenError, Options};

/// Opens the model at `path`. Reads the whole file once for its digest (about a
/// second per gigabyte) and then maps it into memory; it must not change while
/// the engine lives.
///
/// # Errors
/// [`OpenError`], each of which has a [`OpenError::hint`].
pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<LlamaEngine, OpenError> {
    open_telling(path, options, Box::new(|_| ControlFlow::Continue(())))
}

/// Like [`open`], and tells how far it has come.
///
/// # Errors
/// As [`open`], and [`OpenError::GivenUp`] where `on_progress` breaks.
pub fn open_telling(
    path: impl AsRef<Path>,
    options: &Options,
    on_progress: OnProgress,
) -> Result<LlamaEngine, OpenError> {
    let path = path.as_ref();
    let mut progress = Progress::new(on_progress);
    check_processor()?;
    options.check()?;
    let header = gguf::read(path)?;
    check_end(&header, path)?;
    let digest = digest(path, &mut progress)?;
    let _opening = opening();
    let model = Arc::new(load(path, &header, options, progress)?);
    let context_tokens = context_tokens(&model, options)?;
    let room = room(&model, options, context_tokens)?;
    let loaded = Loaded::try_new(Arc::clone(&model), |model| {
        make_context(model, options, room)
    })?;
    let info = info(&model, &header, digest, options, room);
    let mut engine = LlamaEngine {
        tokenizer: Arc::new(LlamaTokenizer::new(model, &header)),
        loaded,
        batch: LlamaBatch::new(options.batch_tokens_max as usize, 1),
        lengths: vec![0; room.sequences_max as usize],
        rows: Vec::new(),
        lent: Vec::with_capacity(info.vocab_size as usize),
        info,
    };
    engine.probe(path)?;
    Ok(engine)
}

/// llama.cpp logs why it fails in one place, and making contexts of one model at once is a race: one
/// at a time.
pub(crate) fn opening() -> MutexGuard<'static, ()> {
    static OPENING: Mutex<()> = Mutex::new(());
    OPENING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the file names no end token llama.cpp goes by GPT-2's number, which is a comma elsewhere.
fn check_end(header: &Header, path: &Path) -> Result<(), OpenError> {
    let named = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"];
    match named.iter().any(|key| header.whole(key).is_some()) {
        true => Ok(()),
        false => Err(OpenError::NoEnd { path: path.into() }),
    }
}

impl LlamaEngine {
    /// Computes a few tokens and takes one back: whether the model runs and can
    /// backtrack is tried, not believed. Warms up what the first session would
    /// otherwise wait for.
    fn probe(&mut self, path: &Path) -> Result<(), OpenError> {
        let token = self
            .tokenizer
            .encode("a", false, false)
            .first()
            .copied()
            .unwrap_or(0);
        let tokens = [token; 3];
        let length = self
            .info
            .batch_tokens_max
            .min(self.info.context_tokens)
            .min(3) as usize;
        let sequence = Sequence(0);
        let feed = Feed {
            sequence,
            tokens: &tokens[..length],
            logits: true,
        };
        self.forward(&[feed])
            .map_err(|error| OpenError::Unsupported {
                path: path.into(),
                reason: native::take_first_error().unwrap_or_else(|| error.to_string()),
            })?;
        self.info.backtrack = length > 1 && self.remove(sequence, length as u32 - 1);
        if !self.info.backtrack {
            self.info.kept_sequences = 0;
        }
        self.free(sequence);
        Ok(())
    }
}

pub(crate) fn check_processor() -> Result<(), OpenError> {
    let missing = native::missing_features();
    if missing.is_empty() {
        return Ok(());
    }
    Err(OpenError::Processor {
        features: missing.join(", "),
    })
}

pub(crate) fn digest(path: &Path, progress: &mut Progress) -> Result<Digest, OpenError> {
    let unreadable = |source: io::Error| OpenError::Unreadable {
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let reading = Reading {
        file,
        length,
        read: 0,
        progress,
    };
    let mut hasher = blake3::Hasher::new();
    let read = hasher.update_reader(reading);
    read.map_err(|error| match is_given_up(&error) {
        true => OpenError::GivenUp { path: path.into() },
        false => unreadable(error),
    })?;
    Ok(Digest(*hasher.finalize().as_bytes()))
}

fn is_given_up(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|cause| cause.is::<GivenUp>())
}

pub(crate) fn load(
    path: &Path,
    header: &Header,
    options: &Options,
    mut progress: Progress,
) -> Result<LlamaModel, OpenError> {
    let given_up = Arc::new(AtomicBool::new(false));
    let gives_up = Arc::clone(&given_up);
    let params = LlamaModelParams::default().with_progress_callback(move |part| {
        let goes_on = progress.loads(part).is_continue();
        gives_up.store(!goes_on, Ordering::Relaxed);
        goes_on
    });
    let params = match options.gpu_layers {
        Some(layers) => params.with_n_gpu_layers(layers),
        None => params,
    };
    let mut params = pin!(params);
    if tokenizer::space_first(header) {
        let key = CString::new(tokenizer::SPACE_FIRST).expect("the key has no NUL");
        params
            .as_mut()
            .append_kv_override(&key, ParamOverrideValue::Bool(false));
    }
    let backend = native::backend();
    native::take_first_error();
    LlamaModel::load_from_file(backend, path, &params).map_err(|error| {
        if given_up.load(Ordering::Relaxed) {
            native::take_first_error();
            return OpenError::GivenUp { path: path.into() };
        }
        let reason = native::take_first_error().unwrap_or_else(|| error.to_string());
        refused(path, reason)
    })
}

/// llama.cpp says in words only whether it knows the model and the file is good.
fn refused(path: &Path, reason: String) -> OpenError {
    let path = path.to_path_buf();
    let reason = reason
        .rsplit("error loading model: ")
        .next()
        .unwrap_or_default()
        .to_owned();
    if reason.contains("unknown model architecture") || reason.contains("unknown pre-tokenizer") {
        return OpenError::Unsupported { path, reason };
    }
    OpenError::Broken { path, reason }
}

pub(crate) fn context_tokens(model: &LlamaModel, options: &Options) -> Result<u32, OpenError> {
    let trained = model.n_ctx_train().max(1);
    match options.context_tokens {
        Some(asked) if asked > trained => Err(OpenError::Options {
            reason: format!("context_tokens is {asked}, but the model was trained for {trained}"),
        }),
        Some(asked) => Ok(asked),
        None => Ok(trained.min(DEFAULT_CONTEXT_MAX)),
    }
}

/// What the cache has room for.
#[derive(Clone, Copy)]
struct Room {
    sequences_max: u32,
    kept_sequences: u32,
    context_tokens: u32,
    cells: u32,
}

impl Room {
    /// llama.cpp's: one more where prefixes are kept, by which they leave and come back.
    fn sequences(self) -> u32 {
        self.sequences_max + self.kept_sequences.min(1)
    }
}

fn room(model: &LlamaModel, options: &Options, context_tokens: u32) -> Result<Room, OpenError> {
    let sequences_max = options.sequences_max;
    let all = context_tokens.saturating_mul(sequences_max);
    let cells = options.cells.unwrap_or(all).min(all);
    if cells < context_tokens {
        return Err(OpenError::Options {
            reason: format!("cells is {cells}, but one sequence may have {context_tokens} tokens"),
        });
    }
    // Their state is one for the whole sequence: nothing of it can be shared, and a sequence
    // takes memory even when it is empty.
    let whole = model.is_recurrent() || model.is_hybrid();
    let kept_sequences = if whole { 0 } else { options.kept_sequences };
    Ok(Room {
        sequences_max,
        kept_sequences,
        context_tokens,
        cells,
    })
}

fn make_context<'model>(
    model: &'model Arc<LlamaModel>,
    options: &Options,
    room: Room,
) -> Result<LlamaContext<'model>, OpenError> {
    let batch_tokens_max = options.batch_tokens_max;
    let threads = options
        .threads
        .unwrap_or_else(|| default_threads(model.n_params()));
    let params = LlamaContextParams::default()
        // One pool of cells for all sequences: forks share their prefix in it.
        .with_kv_unified(true)
        .with_n_ctx(NonZeroU32::new(room.cells))
        .with_n_seq_max(room.sequences())
        .with_n_batch(batch_tokens_max)
        .with_n_ubatch(batch_tokens_max)
        .with_n_threads(threads as i32)
        .with_n_threads_batch(threads as i32)
        // Sliding-window models can backtrack only if the window keeps everything.
        .with_swa_full(true);
    let params = if computes_on_gpu(options) {
        params
    } else {
        exactly(params, batch_tokens_max)
    };
    native::take_first_error();
    model
        .new_context(native::backend(), params)
        .map_err(|error| OpenError::Context {
            sequences_max: room.sequences_max,
            context_tokens: room.context_tokens,
            reason: native::take_first_error().unwrap_or_else(|| error.to_string()),
        })
}

fn computes_on_gpu(options: &Options) -> bool {
    native::backend().supports_gpu_offload() && options.gpu_layers != Some(0)
}

/// Tokens the CPU computes at a time: as many as a pass has beside somebody who decodes
/// ([`aigen_engine::Limits::batch_tokens_beside`]), so that such a pass reads the weights once, and a whole one four
/// times. For each there is a row of intermediate results and of logits, 0.5 MB in a vocabulary of 128,000.
const CPU_TOKENS: u32 = 128;

/// Makes what a session says independent of what else is in a pass, and attention independent of cells that are
/// not its own.
///
/// Without flash attention a token is multiplied with every cell in use, its own or not: with 16 long
/// prefixes kept a model of 2 million parameters took up to 20 times as long for a token as with none. With it, cells that are masked are
/// skipped. But llama.cpp has three kernels for it, whose results differ in the last digits: one for 64 tokens and
/// more, one for a single token, whose cells the threads divide, and one for everything else. The first two are for
/// keys and values of one type only, so that values in BF16 leave the third. It also sums in 32 bits where values in
/// F16 are summed in 16, which makes up for the three bits that BF16 has less.
fn exactly(params: LlamaContextParams, batch_tokens_max: u32) -> LlamaContextParams {
    params
        .with_flash_attention_policy(llama_cpp_sys_2::LLAMA_FLASH_ATTN_TYPE_ENABLED)
        .with_type_v(KvCacheType::BF16)
        .with_n_ubatch(batch_tokens_max.min(CPU_TOKENS))
}

fn info(
    model: &LlamaModel,
    header: &Header,
    digest: Digest,
    options: &Options,
    room: Room,
) -> ModelInfo {
    ModelInfo {
        digest,
        name: header
            .text("general.name")
            .unwrap_or(header.architecture())
            .to_owned(),
        architecture: header.architecture().to_owned(),
        parameters: model.n_params(),
        vocab_size: model.n_vocab() as u32,
        context_tokens: room.context_tokens,
        sequences_max: room.sequences_max,
        kept_sequences: room.kept_sequences,
        cells: room.cells,
        batch_tokens_max: options.batch_tokens_max,
        control: ControlLevel::Token,
        backtrack: false,
        stops_at_token: true,
    }
}
