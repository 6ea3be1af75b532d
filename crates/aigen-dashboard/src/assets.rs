//! The one style sheet, the one script, the icon.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub fn routes() -> Router {
    let style = || async {
        asset(
            "text/css; charset=utf-8",
            include_str!("../assets/style.css"),
        )
    };
    let script = || async {
        asset(
            "text/javascript; charset=utf-8",
            include_str!("../assets/app.js"),
        )
    };
    let icon = || async { asset("image/svg+xml", include_str!("../assets/icon.svg")) };
    Router::new()
        .route("/assets/style.css", get(style))
        .route("/assets/app.js", get(script))
        .route("/assets/icon.svg", get(icon))
}

/// Kept for five minutes: long enough to walk through pages, short enough for an upgrade.
fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "max-age=300"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}
