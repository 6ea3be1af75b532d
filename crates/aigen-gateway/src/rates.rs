use crate::replies::header;
use crate::state::Gateway;
use aigen_types::Slug;
use axum::http::{HeaderMap, HeaderName};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells a client how much of its key's rates is left, in OpenAI's headers. A key without rates
/// has none.
pub(crate) fn tell(headers: &mut HeaderMap, gateway: &Gateway, key: &Slug) {
    let Some((limits, minute)) = gateway.node.key_rates(key) else {
        return;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs());
    let reset = minute.ends_at().seconds().saturating_sub(now);
    let rates = [
        ("requests", limits.requests_per_minute, minute.requests),
        ("tokens", limits.tokens_per_minute, minute.tokens),
    ];
    for (what, limit, used) in rates {
        let Some(limit) = limit else { continue };
        let values = [
            ("limit", limit.to_string()),
            ("remaining", limit.saturating_sub(used).to_string()),
            ("reset", format!("{reset}s")),
        ];
        for (kind, value) in values {
            if let Ok(name) = HeaderName::try_from(format!("x-ratelimit-{kind}-{what}")) {
                headers.insert(name, header(&value));
            }
        }
    }
}
