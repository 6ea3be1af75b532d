//! Controllers for AiGen in Rust.
//!
//! A controller decides what comes next: it is asked at the start, at the end of
//! every segment, and in every branch of a fork. It runs beside the model, in a
//! sandbox without clock, files and network.
//!
//! ```ignore
//! use aigen_controller::prelude::*;
//!
//! #[derive(Clone)]
//! struct YesNo;
//!
//! impl Controller for YesNo {
//!     fn open(_: Request) -> Result<Self, Error> {
//!         Ok(Self)
//!     }
//!
//!     fn step(&mut self, step: Step) -> Result<Decision, Error> {
//!         match step.why {
//!             Wake::Started => Ok(segment().under(&choice(&["yes", "no"])?.matcher()).into()),
//!             _ => Ok(stop()),
//!         }
//!     }
//! }
//!
//! aigen_controller::controller!(YesNo);
//! ```
//!
//! Build it for `wasm32-unknown-unknown` as a `cdylib`: the node makes the module
//! a component. That target, because its standard library imports nothing, while
//! that of `wasm32-wasip2` imports WASI, which controllers do not have.

use std::cell::RefCell;

#[doc(hidden)]
pub mod bindings {
    #![allow(missing_docs, clippy::all)]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "token-controller",
        pub_export_macro: true,
        default_bindings_module: "aigen_controller::bindings",
        additional_derives: [Clone, PartialEq],
    });
}

mod segment;

use bindings::exports::aigen::controller::controller as contract;

pub use bindings::aigen::controller::constraints::JsonOptions;
pub use bindings::aigen::controller::types::{Capabilities, Control, Error, Sampling};
pub use bindings::aigen::controller::{meter, outside, rng, tokenizer, variables};
pub use contract::{
    BranchId, Decision, Edit, Ending, Forked, Generate, Mask, Observe, Reason, Request, Splice,
    Step, Token, Until, Waiting, Wake,
};
pub use segment::{
    Grammar, Matcher, Segment, TokenSet, backtrack, choice, edit, fork, json_schema, lark, quote,
    regex, segment, stop, stop_unkept, text, wait_for_branches, wait_for_variables,
};

/// What the caller sees: see `output` in the contract.
pub use bindings::aigen::controller::output;

/// What most controllers need.
pub mod prelude {
    pub use crate::*;
}

/// A controller: the state of one branch. A fork clones it.
pub trait Controller: Clone + 'static {
    /// The state at the start of a request.
    fn open(request: Request) -> Result<Self, Error>;

    /// A prompt to read instead of the request's; `None` leaves it.
    fn prompt(&mut self) -> Result<Option<Vec<Token>>, Error> {
        Ok(None)
    }

    /// What next?
    fn step(&mut self, step: Step) -> Result<Decision, Error>;

    /// What it has to say in the end, as JSON; empty for nothing.
    fn finish(&mut self) -> String {
        String::new()
    }
}

/// What stands between the contract and a controller.
#[doc(hidden)]
pub struct Running<C>(RefCell<C>);

impl<C: Controller> contract::GuestSession for Running<C> {
    fn open(request: Request) -> Result<contract::Session, Error> {
        // What panics ends the request as a trap, which says neither what nor where.
        std::panic::set_hook(Box::new(|panic| {
            output::log(output::Level::Error, &panic.to_string());
        }));
        let controller = C::open(request)?;
        Ok(contract::Session::new(Self(RefCell::new(controller))))
    }

    fn prompt(&self) -> Result<Option<Vec<Token>>, Error> {
        self.0.borrow_mut().prompt()
    }

    fn step(&self, step: Step) -> Result<Decision, Error> {
        self.0.borrow_mut().step(step)
    }

    fn fork(&self, _index: u32) -> Result<contract::Session, Error> {
        let copy = self.0.borrow().clone();
        Ok(contract::Session::new(Self(RefCell::new(copy))))
    }

    fn finish(&self) -> String {
        self.0.borrow_mut().finish()
    }
}

/// Exports a [`Controller`] from the crate.
#[macro_export]
macro_rules! controller {
    ($controller:ty) => {
        #[doc(hidden)]
        struct AigenExport;
        impl $crate::bindings::exports::aigen::controller::controller::Guest for AigenExport {
            type Session = $crate::Running<$controller>;
        }
        $crate::bindings::export!(AigenExport with_types_in $crate::bindings);
    };
}
