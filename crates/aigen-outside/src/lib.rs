//! Pages and tools over HTTP, for controllers that are granted them.
//!
//! What a stranger's program may reach is decided here, where the connection is made: a
//! host has to be on a list, and its name has to lead to addresses that anybody on the
//! internet could reach. The addresses that were looked at are the ones connected to, so that
//! a name which means something else a moment later gains nothing; a redirect is another
//! address, checked like the first.
//!
//! Absent by construction: cookies, credentials of this machine's, proxies of its
//! environment, and any method but `GET` for pages and `POST` for tools.

mod address;
mod fetch;
pub mod limits;
mod origin;
#[cfg(test)]
mod tests;

pub use address::is_public;
pub use fetch::{Bounds, Tool, Web};
pub use origin::{Origin, OriginError};
