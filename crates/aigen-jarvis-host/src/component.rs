use std::sync::Arc;

use aigen_jarvis::limits::DISCARDED_TOKENS_MAX;
use aigen_jarvis::{Blueprint, Compiler, Controller, Fault, Opening, Program};
use aigen_types::Digest;

use crate::bindings::TokenControllerPre;
use crate::limits::{
    INTERPRETER_MEMORY_BYTES_MAX, MEMORY_BYTES_MAX, OPEN_FUEL_MAX, REQUEST_FUEL_MAX, STEP_FUEL_MAX,
};
use crate::session;
use crate::state::State;
use crate::{Host, NoOutside, Outside};

/// A compiled controller. Cheap to clone.
#[derive(Clone)]
pub struct Component(Arc<Parts>);

struct Parts {
    host: Host,
    digest: Digest,
    imports: Vec<String>,
    pre: TokenControllerPre<State>,
}

/// What a manifest says of a controller, as far as running it goes.
#[derive(Clone)]
pub struct Settings {
    /// Whether it ever takes tokens back.
    pub backtracks: bool,
    /// Branches that it has at once, at most.
    pub branches: u32,
    /// Tokens that it may take back in one request.
    pub discarded_tokens: u64,
    /// Fuel of one step.
    pub step_fuel: u64,
    /// Fuel of opening a session.
    pub open_fuel: u64,
    /// Fuel of one request.
    pub request_fuel: u64,
    /// Bytes of memory.
    pub memory_bytes: usize,
    /// Whom it may ask outside.
    pub outside: Arc<dyn Outside>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            backtracks: false,
            branches: 1,
            discarded_tokens: DISCARDED_TOKENS_MAX,
            step_fuel: STEP_FUEL_MAX,
            open_fuel: OPEN_FUEL_MAX,
            request_fuel: REQUEST_FUEL_MAX,
            memory_bytes: MEMORY_BYTES_MAX,
            outside: Arc::new(NoOutside),
        }
    }
}

impl Settings {
    /// With the memory that interpreters need.
    #[must_use]
    pub fn interpreter(self) -> Self {
        let memory_bytes = INTERPRETER_MEMORY_BYTES_MAX;
        Self {
            memory_bytes,
            ..self
        }
    }
}

impl Component {
    pub(crate) fn new(
        host: Host,
        digest: Digest,
        imports: Vec<String>,
        pre: TokenControllerPre<State>,
    ) -> Self {
        Self(Arc::new(Parts {
            host,
            digest,
            imports,
            pre,
        }))
    }

    /// SHA-256 of the bytes that were given, component or core module.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// The interfaces it imports, such as `aigen:controller/outside@0.1.0`.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.0.imports
    }

    /// A program for one model, whose grammars `compiler` compiles.
    #[must_use]
    pub fn program(&self, compiler: Arc<Compiler>, settings: Settings) -> Program {
        Program::new(Hosted {
            component: self.clone(),
            compiler,
            settings,
        })
    }
}

/// A component with everything it needs for a request.
struct Hosted {
    component: Component,
    compiler: Arc<Compiler>,
    settings: Settings,
}

impl Blueprint for Hosted {
    fn digest(&self) -> Digest {
        self.component.digest()
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        let Parts { host, pre, .. } = &*self.component.0;
        let state = State::new(opening, Arc::clone(&self.compiler), self.settings.clone());
        session::open(host, pre, state, opening)
    }

    fn backtracks(&self) -> bool {
        self.settings.backtracks
    }

    fn branches(&self) -> u32 {
        self.settings.branches
    }

    fn discarded_tokens(&self) -> u64 {
        self.settings.discarded_tokens
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Component({})", self.digest().short(12))
    }
}
