//! The models that a node answers for.

use crate::admission::{AdmissionLimits, Gate};
use crate::error::NodeError;
use aigen_engine::text::{TextEngine, TextInfo, UpstreamState};
use aigen_engine::{ControlLevel, Embedder, EngineHandle, TextEmbedder, Tokenizer};
use aigen_jarvis::{Compiler, Reasoning};
use aigen_types::{Digest, ModelName};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A model that a node answers for.
pub enum Served {
    /// Its tokens are computed in this process.
    Embedded(Embedded),
    /// Other servers answer for it.
    Remote(Arc<dyn TextEngine>),
    /// It turns texts into vectors, in this process.
    Embedder(Arc<dyn Embedder>),
    /// Other servers turn texts into vectors.
    RemoteEmbedder(Arc<dyn TextEmbedder>),
}

/// A model whose tokens are computed in this process.
pub struct Embedded {
    /// Where its tokens are computed.
    pub engine: EngineHandle,
    /// Compiles controllers for its vocabulary.
    pub compiler: Arc<Compiler>,
    /// How it reasons before it answers in a conversation, if it does.
    pub reasoning: Option<Reasoning>,
}

/// What a caller may want to know of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedInfo {
    /// Of the weights; of the names that it has upstream where those are not seen.
    pub digest: Digest,
    /// Tokens of prompt and answer together.
    pub context_tokens: u32,
    /// How closely it can be steered, as far as is known.
    pub control: ControlLevel,
    /// Whether controllers are told how likely what it says is, as far as is known.
    pub probabilities: bool,
    /// What computes it: its architecture, or `remote`.
    pub engine: String,
    /// Who is asked for it; nobody where it is computed here.
    pub upstreams: Vec<UpstreamState>,
}

impl Served {
    /// What it is, as far as is known now.
    #[must_use]
    pub fn info(&self) -> ServedInfo {
        match self {
            Self::Embedded(Embedded { engine, .. }) => {
                let info = engine.info();
                ServedInfo {
                    digest: info.digest,
                    context_tokens: info.context_tokens,
                    control: info.control,
                    probabilities: true,
                    engine: info.architecture.clone(),
                    upstreams: Vec::new(),
                }
            }
            Self::Remote(engine) => elsewhere(engine.info(), "remote"),
            Self::RemoteEmbedder(embedder) => elsewhere(embedder.info(), "remote (vectors)"),
            Self::Embedder(embedder) => {
                let info = embedder.info();
                ServedInfo {
                    digest: info.digest,
                    context_tokens: info.context_tokens,
                    // There is nothing to steer.
                    control: ControlLevel::Text,
                    probabilities: false,
                    engine: format!("{} (vectors)", info.architecture),
                    upstreams: Vec::new(),
                }
            }
        }
    }

    /// Whether it would answer now: an upstream that is left alone for a while does not.
    #[must_use]
    pub fn is_available(&self) -> bool {
        match self {
            Self::Embedded(_) | Self::Embedder(_) => true,
            Self::Remote(engine) => engine.info().is_available(),
            Self::RemoteEmbedder(embedder) => embedder.info().is_available(),
        }
    }

    /// The model's tokenizer, where it is computed here.
    #[must_use]
    pub fn tokenizer(&self) -> Option<Arc<dyn Tokenizer>> {
        match self {
            Self::Embedded(embedded) => Some(embedded.engine.tokenizer()),
            Self::Embedder(embedder) => Some(embedder.tokenizer()),
            Self::Remote(_) | Self::RemoteEmbedder(_) => None,
        }
    }

    /// Whether it makes vectors, and writes no text.
    #[must_use]
    pub fn makes_vectors(&self) -> bool {
        matches!(self, Self::Embedder(_) | Self::RemoteEmbedder(_))
    }

    /// The model, where it is computed here.
    #[must_use]
    pub fn embedded(&self) -> Option<&Embedded> {
        match self {
            Self::Embedded(embedded) => Some(embedded),
            _ => None,
        }
    }
}

fn elsewhere(info: TextInfo, engine: &str) -> ServedInfo {
    ServedInfo {
        digest: info.digest,
        context_tokens: info.context_tokens,
        control: info.control,
        probabilities: info.probabilities,
        engine: engine.to_owned(),
        upstreams: info.upstreams,
    }
}

impl From<Embedded> for Served {
    fn from(embedded: Embedded) -> Self {
        Self::Embedded(embedded)
    }
}

/// Models by name. Calls that run keep theirs, whatever becomes of the list.
pub type ServedModels = BTreeMap<ModelName, Arc<Served>>;

/// A node's models, which may change while it runs, and their doors.
pub(crate) struct Models {
    list: RwLock<Arc<ServedModels>>,
    doors: Mutex<Doors>,
}

struct Doors {
    limits: AdmissionLimits,
    gates: BTreeMap<ModelName, Arc<Gate>>,
}

impl Models {
    pub fn new(models: BTreeMap<ModelName, Served>, limits: AdmissionLimits) -> Self {
        let models = models.into_iter();
        let models = models.map(|(name, served)| (name, Arc::new(served)));
        Self {
            list: RwLock::new(Arc::new(models.collect())),
            doors: Mutex::new(Doors {
                limits,
                gates: BTreeMap::new(),
            }),
        }
    }

    /// The door of a model. It stays where it is when the model is loaded anew.
    pub fn gate(&self, model: &ModelName) -> Arc<Gate> {
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = doors.limits;
        let gate = doors.gates.entry(model.clone());
        Arc::clone(gate.or_insert_with(|| Arc::new(Gate::new(limits))))
    }

    /// Bounds whoever comes to any of the doors from now on.
    pub fn limit(&self, limits: AdmissionLimits) {
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        doors.limits = limits;
        doors.gates.values().for_each(|gate| gate.limit(limits));
    }

    /// Those there are now.
    pub fn list(&self) -> Arc<ServedModels> {
        // Every write leaves the list whole, so a poisoned lock is still good.
        Arc::clone(&self.list.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds or replaces one. Calls of the one before run to their ends.
    pub fn put(&self, model: ModelName, served: Served) {
        self.change(|models| {
            models.insert(model, Arc::new(served));
        });
    }

    /// Takes one away, if it is there. It lives on as long as its calls do.
    pub fn remove(&self, model: &ModelName) {
        self.change(|models| {
            models.remove(model);
        });
    }

    fn change(&self, change: impl FnOnce(&mut ServedModels)) {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        let mut models = ServedModels::clone(&list);
        change(&mut models);
        *list = Arc::new(models);
    }

    pub fn find(&self, model: &ModelName) -> Result<Arc<Served>, NodeError> {
        let models = self.list();
        models.get(model).cloned().ok_or_else(|| {
            let names: Vec<_> = models.keys().map(ModelName::as_str).collect();
            NodeError::ModelUnknown {
                model: model.clone(),
                available: names.join(", "),
            }
        })
    }
}
