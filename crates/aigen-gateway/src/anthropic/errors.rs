use crate::failure::Failed;
use aigen_api::anthropic::AnthropicErrorEnvelope;
use axum::Json;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// The envelope of a failure as Anthropic's clients read it; status and headers stay.
pub(crate) async fn reword(mut response: Response) -> Response {
    let Some(Failed(error)) = response.extensions_mut().remove::<Failed>() else {
        return response;
    };
    let (mut parts, _) = response.into_parts();
    for name in [CONTENT_LENGTH, CONTENT_TYPE] {
        parts.headers.remove(name);
    }
    (parts, Json(AnthropicErrorEnvelope::from(*error))).into_response()
}
