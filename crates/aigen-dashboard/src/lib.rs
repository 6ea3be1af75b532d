//! The dashboard: pages for people, over the API that programs use.
//!
//! Every number on a page was asked for through the API, inside this process, with the key of
//! whoever looks at it. So a page shows exactly what that key may see, can do nothing that the
//! key could not, and there is nothing on it that a program could not have read.
//!
//! ```text
//! browser ─▶ sign-in ─▶ session ─▶ page ─▶ API (in process, with the session's key)
//!                                    └─▶ HTML, SVG; a few lines of script for what is live
//! ```
//!
//! Absent by construction: state but sessions, any way to the node but the API, a style or a
//! script inside a page, and anything that is loaded from elsewhere.

mod api;
mod assets;
mod chart;
mod guard;
mod layout;
mod pages;
mod sessions;
mod show;
mod tries;

#[cfg(test)]
mod tests;

use api::Api;
use axum::Router;
use sessions::Sessions;
use std::sync::Arc;

/// What every page can reach.
#[derive(Clone)]
struct Face {
    api: Api,
    sessions: Arc<Sessions>,
    /// Whether browsers reach it by TLS alone.
    secure: bool,
}

/// The pages, and below them everything that `api` answers. `secure`: it is served by TLS, so
/// browsers keep the session's cookie from anything else.
pub fn router(api: Router, secure: bool) -> Router {
    let face = Face {
        api: Api::new(api.clone()),
        sessions: Arc::default(),
        secure,
    };
    pages::routes()
        .layer(axum::middleware::from_fn(guard::headers))
        .with_state(face)
        .merge(assets::routes())
        .fallback_service(api)
}
