//! Models that come and go while the node runs.

use crate::auth::Caller;
use crate::error::NodeError;
use crate::node::Node;
use crate::served::{Served, ServedModels};
use aigen_network::NewModel;
use aigen_types::ModelName;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Brings up models. Whoever composed the node knows which there are, and how much room.
pub trait Loader: Send + Sync + 'static {
    /// Brings up a model beside `others`, and tells how far it is. May take minutes; called off the
    /// async threads.
    ///
    /// # Errors
    /// Why not, with a way out.
    fn load(
        &self,
        model: &ModelName,
        others: &ServedModels,
        loading: &Loading,
    ) -> Result<(Served, NewModel), String>;
}

/// How far each model has come that is being brought up, in per cent.
#[derive(Clone, Default)]
pub(crate) struct Loads(Arc<Mutex<BTreeMap<ModelName, u8>>>);

impl Loads {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ModelName, u8>> {
        // No state between two changes of a map is a wrong one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever brings up models: one after the other, so that each knows what the others take.
pub struct Turn<'a> {
    node: &'a Node,
    _one: tokio::sync::MutexGuard<'a, ()>,
}

impl Turn<'_> {
    /// Puts a model in the place of the one that has its name, whose calls run to their ends, and into
    /// the catalogue.
    ///
    /// # Errors
    /// When a rule says no; then the old one stays.
    pub async fn put(&self, served: Served, entry: NewModel) -> Result<(), NodeError> {
        let name = entry.name.clone();
        self.node.ensure_model(entry).await?;
        self.node.0.models.put(name, served);
        Ok(())
    }
}

/// A model that is being brought up. It is shown as such until the last clone is dropped.
#[derive(Clone)]
pub struct Loading(Arc<Shown>);

struct Shown {
    model: ModelName,
    loads: Loads,
    stopping: CancellationToken,
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.loads.lock().remove(&self.model);
    }
}

impl Loading {
    /// It has come so far. Breaks where the node ends, so that nobody wants it any more.
    pub fn at(&self, percent: u8) -> ControlFlow<()> {
        self.0.loads.lock().insert(self.0.model.clone(), percent);
        match self.0.stopping.is_cancelled() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Node {
    /// Lets models be loaded from now on. The first loader stays.
    pub fn load_by(&self, loader: Arc<dyn Loader>) {
        let _ = self.0.loader.set(loader);
    }

    /// Waits until nobody else brings up models.
    pub async fn turn(&self) -> Turn<'_> {
        Turn {
            node: self,
            _one: self.0.loading.lock().await,
        }
    }

    /// The model of this name, if it is there to answer.
    ///
    /// # Errors
    /// It is being brought up, or unknown.
    pub fn serving(&self, model: &ModelName) -> Result<Arc<Served>, NodeError> {
        let found = self.0.models.find(model);
        found.map_err(|unknown| match self.0.loads.lock().get(model) {
            Some(percent) => NodeError::ModelLoading {
                model: model.clone(),
                percent: *percent,
            },
            None => unknown,
        })
    }

    /// Shows that a model is being brought up.
    #[must_use]
    pub fn begin_loading(&self, model: ModelName) -> Loading {
        let loading = Loading(Arc::new(Shown {
            model,
            loads: self.0.loads.clone(),
            stopping: self.0.stopping.clone(),
        }));
        // Whether anybody wants it is asked while it loads.
        let _ = loading.at(0);
        loading
    }

    /// The models that are being brought up, and how far each has come, in per cent.
    #[must_use]
    pub fn loading(&self) -> BTreeMap<ModelName, u8> {
        self.0.loads.lock().clone()
    }

    /// Brings up a model and puts it into the catalogue. Operators only. One that is there already is
    /// left alone.
    ///
    /// # Errors
    /// When the caller may not, or the model cannot be brought up.
    pub async fn load_model(&self, caller: &Caller, model: ModelName) -> Result<(), NodeError> {
        caller.must_operate()?;
        let turn = self.turn().await;
        if self.models().contains_key(&model) {
            return Ok(());
        }
        let loader = self.0.loader.get().cloned();
        let Some(loader) = loader else {
            return Err(NodeError::NotLoaded(
                "this node's models are fixed".to_owned(),
            ));
        };
        let (wanted, others) = (model.clone(), self.models());
        let loading = self.begin_loading(model.clone());
        let load = move || loader.load(&wanted, &others, &loading);
        let loaded = tokio::task::spawn_blocking(load).await;
        let loaded = loaded.map_err(|_| NodeError::ShuttingDown)?;
        let (served, entry) = loaded.map_err(NodeError::NotLoaded)?;
        turn.put(served, entry).await
    }

    /// Takes a model away: calls that run go on to their ends, new ones are refused. Its memory is free
    /// when the last of them has ended. Operators only.
    ///
    /// # Errors
    /// When the caller may not, or there is no such model.
    pub async fn unload_model(&self, caller: &Caller, model: &ModelName) -> Result<(), NodeError> {
        caller.must_operate()?;
        let _turn = self.turn().await;
        self.0.models.find(model)?;
        self.0.models.remove(model);
        Ok(())
    }

    /// Puts a model into the catalogue, unless it stands there as it is.
    ///
    /// # Errors
    /// When a rule says no.
    pub async fn ensure_model(&self, model: NewModel) -> Result<(), NodeError> {
        let stands = self.network().model(&model.name).is_some_and(|known| {
            known.provider == model.provider
                && known.digest == model.digest
                && known.context_tokens == model.context_tokens
                && known.price == model.price
        });
        match stands {
            true => Ok(()),
            false => self.publish_model(model).await,
        }
    }
}
