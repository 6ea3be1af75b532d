//! The pages, a file each.

mod controllers;
mod datasets;
mod epochs;
mod glossary;
mod keys;
mod ledger;
mod models;
mod money;
mod overview;
mod playground;
mod receipts;
mod settings;
mod sign_in;
mod spending;
mod validators;

use crate::Face;
use crate::api::Trouble;
use crate::guard::SignedIn;
use crate::layout::{page, trouble};
use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use maud::Markup;

pub fn routes() -> Router<Face> {
    Router::new()
        .route("/", get(overview::show))
        .route("/live/overview", get(overview::live))
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/playground", get(playground::show).post(playground::whole))
        .route("/playground/stream", post(playground::stream))
        .route("/money", get(money::show))
        .route("/receipts", get(receipts::list))
        .route("/receipts/{id}", get(receipts::one))
        .route("/spending", get(spending::show))
        .route("/models", get(models::show))
        .route("/controllers", get(controllers::list))
        .route("/controllers/{*reference}", get(controllers::one))
        .route("/datasets", get(datasets::list))
        .route("/datasets/{owner}/{name}", get(datasets::one))
        .route("/validators", get(validators::list))
        .route("/validators/{name}", get(validators::one))
        .route("/epochs", get(epochs::list))
        .route("/epochs/{number}", get(epochs::one))
        .route("/epochs/{number}/verify", post(epochs::verify))
        .route("/epochs/{number}/why/{id}", get(epochs::why))
        .route("/epochs/{number}/calls/{id}", get(epochs::calls))
        .route("/ledger", get(ledger::show))
        .route("/ledger/verify", post(ledger::verify))
        .route("/keys", get(keys::show))
        .route("/settings", get(settings::show))
        .route("/glossary", get(glossary::show))
}

/// A page, or in its place what went wrong.
fn answer(who: &SignedIn, here: &str, title: &str, main: Result<Markup, Trouble>) -> Response {
    match main {
        Ok(main) => page(&who.session, here, title, main),
        Err(met) => trouble(Some(&who.session), &met),
    }
}

/// The part of a query that goes on after this row; nothing on the first page.
fn after_part(after: Option<&str>) -> String {
    after
        .map(|id| format!("&after={}", encoded(id)))
        .unwrap_or_default()
}

/// A part of a path or query, so that nothing in it is taken for more of it.
fn encoded(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                safe.push(byte.into());
            }
            byte => safe.push_str(&format!("%{byte:02X}")),
        }
    }
    safe
}
