use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aigen_types::Digest;
use futures::executor::ThreadPool;
use sha2::{Digest as _, Sha256};
use wasmtime::component::{HasSelf, Linker, types};
use wasmtime::{Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings::{TokenController, TokenControllerPre};
use crate::compile::{self, CompilerProcess};
use crate::images::Images;
use crate::limits::{
    COMPONENT_BYTES_MAX, COMPONENTS_CACHED_MAX, INSTANCES_MAX, INTERPRETER_MEMORY_BYTES_MAX,
    NICENESS, PARTS_MAX, TABLE_ELEMENTS_MAX, THREADS_MIN,
};
use crate::state::State;
use crate::ticker::Ticker;
use crate::{Component, ComponentError, HostError};

/// Runs components. One for each process: what it reserves is reserved once.
#[derive(Clone)]
pub struct Host(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub engine: Engine,
    pub ticker: Ticker,
    /// Where sessions are opened and long steps go on.
    pub pool: ThreadPool,
    linker: Linker<State>,
    compiler: Option<CompilerProcess>,
    images: Option<Images>,
    /// One at a time compiles.
    compiling: Mutex<()>,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    uses: u64,
    components: HashMap<Digest, (u64, Component)>,
}

impl Host {
    /// A host that compiles in processes of this kind, or in its own where `None`: for
    /// components that are trusted, as in tests. What it compiled is kept among the `images`.
    ///
    /// # Errors
    /// If this machine cannot run WebAssembly.
    pub fn start(
        compiler: Option<CompilerProcess>,
        images: Option<Images>,
    ) -> Result<Self, HostError> {
        let reason = |error: wasmtime::Error| HostError::Engine {
            reason: format!("{error:#}"),
        };
        let mut config = compile::config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
        let engine = Engine::new(&config).map_err(reason)?;
        let mut linker = Linker::new(&engine);
        TokenController::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)
            .map_err(reason)?;
        Ok(Self(Arc::new(Inner {
            ticker: Ticker::start(&engine)?,
            engine,
            pool: threads().map_err(HostError::Thread)?,
            linker,
            compiler,
            images,
            compiling: Mutex::default(),
            cache: Mutex::default(),
        })))
    }

    /// A controller from a component, or from a core module that describes itself as
    /// one. Blocks for as long as its compiler may take
    /// ([`crate::limits::COMPILE_CPU_SECONDS`]); what was compiled lately is there at once.
    ///
    /// # Errors
    /// If it is none, imports what controllers do not have, or is too large.
    pub fn compile(&self, bytes: &[u8]) -> Result<Component, ComponentError> {
        if bytes.len() > COMPONENT_BYTES_MAX {
            let (is, most) = (bytes.len(), COMPONENT_BYTES_MAX);
            let what = format!("it has {is} bytes, and {most} is the most");
            return Err(ComponentError::new(what));
        }
        let content = content_digest(bytes);
        if let Some(component) = self.known(content) {
            return Ok(component);
        }
        // Whoever waited finds it compiled.
        let _one = self.0.compiling.lock();
        if let Some(component) = self.known(content) {
            return Ok(component);
        }
        let bytes = componentised(bytes)?;
        let image = match &self.0.compiler {
            Some(process) => process.compile(&bytes)?,
            None => compile::compile(&bytes).map_err(ComponentError::new)?,
        };
        let component = self.load(content, &image)?;
        if let Some(images) = &self.0.images {
            images.keep(content, &self.0.engine, &image);
        }
        Ok(component)
    }

    /// The controller of this content, if it was compiled before: here lately, or in an
    /// earlier process that kept it. Blocks for as long as reading it takes.
    #[must_use]
    pub fn known(&self, content: Digest) -> Option<Component> {
        if let Some(component) = self.cache().get(&content) {
            return Some(component);
        }
        let image = self.0.images.as_ref()?.read(content, &self.0.engine)?;
        self.load(content, &image).ok()
    }

    fn load(&self, content: Digest, image: &[u8]) -> Result<Component, ComponentError> {
        // SAFETY: the image comes from this program's own compiler: in this process, through a
        // pipe from its child, or from a folder that nobody else writes to. Never from a caller.
        #[allow(
            unsafe_code,
            reason = "the only way to load what was compiled elsewhere"
        )]
        let loaded = unsafe { wasmtime::component::Component::deserialize(&self.0.engine, image) };
        let wrong = |error: wasmtime::Error| ComponentError::new(format!("{error:#}"));
        let loaded = loaded.map_err(wrong)?;
        let imports = imports(&loaded.component_type(), &self.0.engine);
        let instance = self.0.linker.instantiate_pre(&loaded).map_err(wrong)?;
        let pre = TokenControllerPre::new(instance).map_err(|error| {
            wrong(error).hint("a controller exports `aigen:controller/controller`")
        })?;
        let component = Component::new(self.clone(), content, imports, pre);
        self.cache().put(component.clone());
        Ok(component)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn get(&mut self, digest: &Digest) -> Option<Component> {
        self.uses += 1;
        let (used, component) = self.components.get_mut(digest)?;
        *used = self.uses;
        Some(component.clone())
    }

    fn put(&mut self, component: Component) {
        self.uses += 1;
        if self.components.len() >= COMPONENTS_CACHED_MAX {
            let oldest = self.components.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(digest) = oldest.map(|(digest, _)| *digest) {
                self.components.remove(&digest);
            }
        }
        let digest = component.digest();
        self.components.insert(digest, (self.uses, component));
    }
}

/// SHA-256, as releases name their content.
fn content_digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// A component as it is; a core module as the component that it says it is.
fn componentised(bytes: &[u8]) -> Result<Vec<u8>, ComponentError> {
    const CORE: &[u8] = b"\0asm\x01\0\0\0";
    if !bytes.starts_with(CORE) {
        return Ok(bytes.to_vec());
    }
    let encoded = wit_component::ComponentEncoder::default()
        .validate(true)
        .module(bytes)
        .and_then(|mut encoder| encoder.encode());
    encoded.map_err(|error| {
        let what = format!("it is a core module and cannot be made a component: {error:#}");
        ComponentError::new(what).hint("build it with the SDK, which describes its interface in it")
    })
}

fn imports(component: &types::Component, engine: &Engine) -> Vec<String> {
    let names = component.imports(engine).map(|(name, _)| name.to_owned());
    names.collect()
}

/// The threads of guests. Whatever they do, the engine's come first.
fn threads() -> std::io::Result<ThreadPool> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    ThreadPool::builder()
        .pool_size((processors / 2).max(THREADS_MIN))
        .name_prefix("aigen-guest-")
        .after_start(|_| give_way())
        .create()
}

/// Has this thread give way to others of this program. Where the system cannot, nothing else is
/// lost.
fn give_way() {
    // Elsewhere it would be the whole process that gives way.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "guests compete with the engine for processors");
    }
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES_MAX)
        // Only counted, nothing is reserved for them: with 4 for each request, 27 requests of
        // controllers in Python, of 38 modules each, left nobody else any.
        .total_core_instances(INSTANCES_MAX * PARTS_MAX)
        .total_memories(INSTANCES_MAX)
        .total_tables(INSTANCES_MAX * 4)
        .total_stacks(INSTANCES_MAX)
        .max_core_instances_per_component(PARTS_MAX)
        .max_memories_per_component(PARTS_MAX)
        .max_tables_per_component(PARTS_MAX)
        .max_memories_per_module(1)
        .max_tables_per_module(4)
        .max_memory_size(INTERPRETER_MEMORY_BYTES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(128 * 1024)
        .table_keep_resident(16 * 1024)
        .async_stack_keep_resident(16 * 1024);
    pool
}
