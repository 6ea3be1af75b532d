//! AiGen's own resources: money, keys, the registry, epochs, the journal.

mod datasets;
mod earnings;
mod epochs;
mod functions;
mod history;
pub(crate) mod journal;
mod keys;
mod models;
mod money;
mod question;
mod reads;
pub(crate) mod receipts;
mod registry;
pub(crate) mod rules;
pub mod settlement;
mod spenders;
mod spending;
pub(crate) mod statement;
mod transfers;
mod usage;
mod validators;

use crate::extract::BodyMax;
use crate::failure::Failure;
use crate::limits::COMPONENT_BODY_BYTES_MAX;
use crate::openai;
use crate::state::Gateway;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Extension, Router};

pub(crate) fn routes() -> Router<Gateway> {
    Router::new()
        .route("/account", get(money::own))
        .route("/accounts/{*address}", get(money::account))
        .route("/issue", post(money::issue))
        .route("/transfers", get(transfers::list).post(money::pay))
        .route("/keys", get(keys::list).post(keys::create))
        .route("/keys/{name}", get(keys::get).delete(keys::revoke))
        .route("/keys/{name}/revoke", post(keys::revoke))
        .route("/keys/{name}/limits", post(keys::limit))
        .route("/keys/{name}/budget", post(keys::bound))
        .merge(publishing())
        .route("/controllers/standing", post(registry::set_standing))
        .route("/controllers/tags", post(registry::tag))
        .route("/controllers/{*name}", get(registry::get))
        .route("/functions", get(functions::list))
        .route("/models/load", post(models::load))
        .route("/models/unload", post(models::unload))
        .merge(datasets())
        .route("/price-book", get(registry::price_book))
        .route("/quote", post(openai::quote))
        .route("/usage", get(usage::list))
        .route("/earnings", get(reads::earnings))
        .route("/earnings/epochs", get(earnings::list))
        .route("/reads", get(reads::list))
        .route("/receipts", get(usage::receipts))
        .route("/receipts/{id}", get(receipts::get))
        .route("/receipts/{id}/replay", post(receipts::replay))
        .route("/receipts/{id}/reverse", post(spending::reverse))
        .route("/receipts/{id}/refund", post(spending::refund))
        .route("/calls", get(history::calls))
        .route("/history/controllers/{*name}", get(history::controller))
        .route("/history/validators/{name}", get(history::validator))
        .route("/epochs", get(history::epochs))
        .route("/epochs/{epoch}/workings", get(history::workings))
        .route("/epochs/{epoch}/calls", get(history::calls_through))
        .route("/budgets", get(spending::budgets).post(spending::set))
        .route(
            "/allowances",
            get(spending::allowances).post(spending::grant),
        )
        .route("/allowances/revoke", post(spending::revoke))
        .route("/teams", get(spenders::teams))
        .route("/apps", get(spenders::apps))
        .route(
            "/validators",
            get(validators::list).post(validators::register),
        )
        .route("/stakes/add", post(validators::add_stake))
        .route("/stakes/remove", post(validators::remove_stake))
        .route("/rules", get(rules::list).post(rules::propose))
        .route("/epochs/current", get(epochs::current))
        .route("/epochs/current/audits/{seed}", get(epochs::drawn))
        .route("/epochs/{epoch}/appeals", post(epochs::appeal))
        .route("/appeals/{id}", post(epochs::decide))
        .route("/epochs/{epoch}/assign", post(epochs::assign))
        .route("/epochs/{epoch}/commit", post(epochs::commit))
        .route("/epochs/{epoch}/freeze", post(epochs::freeze))
        .route("/epochs/{epoch}/reveal", post(epochs::reveal))
        .route("/epochs/{epoch}/close", post(epochs::close))
        .route("/epochs/{epoch}/statement", get(statement::get))
        .route("/journal/tip", get(journal::tip))
        .route(
            "/journal/verification",
            get(journal::verified).post(journal::verify),
        )
        .route("/journal/batches", post(journal::write))
}

/// What takes components, which are larger than anything else.
fn publishing() -> Router<Gateway> {
    Router::new()
        .route("/controllers", get(registry::list).post(registry::publish))
        .layer(DefaultBodyLimit::max(COMPONENT_BODY_BYTES_MAX))
        .layer(Extension(BodyMax(COMPONENT_BODY_BYTES_MAX)))
}

fn datasets() -> Router<Gateway> {
    Router::new()
        .route("/datasets", get(datasets::list).post(datasets::publish))
        .route("/imports", get(datasets::imports))
        .route("/datasets/{owner}/{name}", get(datasets::get))
        .route("/datasets/{owner}/{name}/rows", get(datasets::list_rows))
        .route("/datasets/{owner}/{name}/download", get(datasets::download))
        .route("/datasets/{owner}/{name}/price", post(datasets::price))
        .route(
            "/datasets/{owner}/{name}/withdraw",
            post(datasets::withdraw),
        )
        .route(
            "/datasets/{owner}/{name}/grants",
            get(datasets::grants).post(datasets::grant),
        )
        .route(
            "/datasets/{owner}/{name}/grants/revoke",
            post(datasets::revoke),
        )
}

/// How many rows a page has: as many as were asked for, within what a page may have.
fn per_page(limit: Option<usize>, usual: usize, most: usize) -> Result<usize, Failure> {
    let limit = limit.unwrap_or(usual);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(Failure::invalid("limit", format!("must be 1 to {most}")))
}
