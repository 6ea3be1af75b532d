use crate::access::Outcome;
use crate::limits::RETRY_AFTER_SECONDS;
use crate::replies::{SHOULD_RETRY, header};
use aigen_api::openai::{ApiError, ErrorEnvelope, ErrorKind};
use aigen_node::network::Refusal;
use aigen_node::{NodeError, without_secrets};
use aigen_types::{Address, Amount, Timestamp};
use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::fmt::Display;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A request that ends in an error envelope.
#[derive(Debug)]
pub(crate) struct Failure {
    pub status: StatusCode,
    pub error: Box<ApiError>,
    /// Whether the same request may succeed after a pause; `None` leaves it to the status.
    retry: Option<bool>,
    /// After how many seconds; the usual pause unless set.
    after: u64,
}

/// Rides on a response, for routes that word errors in another way.
#[derive(Clone)]
pub(crate) struct Failed(pub Box<ApiError>);

/// One row of the table: status, type, code, way out.
///
/// The message ends with the way out, because many clients show nothing but the message.
pub(crate) struct Row<'a>(pub u16, pub ErrorKind, pub &'a str, pub &'a str);

impl Row<'_> {
    pub fn because(self, reason: impl Display) -> Failure {
        let Self(status, kind, code, way_out) = self;
        let reason = reason.to_string();
        let reason = without_secrets(&reason);
        // Who refused may know a better way out than the row.
        let (reason, own) = hints_of(&reason);
        let way_out = own.as_deref().unwrap_or(way_out);
        // A dot that stands by itself ends no sentence: it is one of the letters a name may have.
        let ended = reason.strip_suffix('.').filter(|text| !text.ends_with(' '));
        let reason = ended.unwrap_or(&reason);
        let error = ApiError::new(kind, format!("{reason}; {way_out}"))
            .with_code(code)
            .with_hint(way_out);
        Failure {
            status: StatusCode::from_u16(status).expect("rows hold valid statuses"),
            error: Box::new(error),
            retry: None,
            after: RETRY_AFTER_SECONDS,
        }
    }
}

/// A reason without the ways out that stand in it, and those as one. Each ends where its line does,
/// or where the next begins.
fn hints_of(reason: &str) -> (String, Option<String>) {
    let (mut without, mut hints) = (String::new(), Vec::new());
    for (at, line) in reason.lines().enumerate() {
        let line_is = line.trim_start().strip_prefix("hint: ");
        let (said, own) = match line_is {
            Some(hint) => ("", Some(hint)),
            None => match line.split_once("; hint: ") {
                Some((said, hints)) => (said, Some(hints)),
                None => (line, None),
            },
        };
        if at > 0 && line_is.is_none() {
            without.push('\n');
        }
        without.push_str(said);
        hints.extend(own.iter().flat_map(|own| own.split("; hint: ")));
    }
    hints.dedup();
    let hints = Some(hints).filter(|hints| !hints.is_empty());
    (without, hints.map(|hints| hints.join("; ")))
}

impl Failure {
    /// A refusal of money says whom to ask for how much.
    pub fn to_payer(error: NodeError, payer: &Address) -> Self {
        let missing = match &error {
            NodeError::Refused(Refusal::InsufficientFunds { available, needed }) => {
                Some(needed.saturating_sub(*available))
            }
            _ => None,
        };
        let failure = Self::from(error);
        match failure.code() {
            "insufficient_funds" => failure.funded_by(payer, missing),
            _ => failure,
        }
    }

    fn funded_by(mut self, payer: &Address, missing: Option<Amount>) -> Self {
        let amount = missing.map_or_else(|| "AMOUNT".to_owned(), |amount| amount.to_string());
        let way_out = format!("ask the operator: aigen fund {payer} {amount}");
        let reason = self
            .error
            .hint
            .as_deref()
            .and_then(|old| self.error.message.strip_suffix(old));
        self.error.message = format!("{}{way_out}", reason.unwrap_or(&self.error.message));
        self.error.hint = Some(way_out);
        self
    }

    pub fn param(mut self, param: &str) -> Self {
        self.error.param = Some(without_secrets(param).into_owned());
        self
    }

    pub fn metadata(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.error.metadata.insert(name.to_owned(), value.into());
        self
    }

    /// Tells clients that retry by themselves whether to.
    pub fn retry(self, retry: bool) -> Self {
        Self {
            retry: Some(retry),
            ..self
        }
    }

    /// The same request may succeed after this pause, in whole seconds rounded up.
    pub fn retry_after(self, pause: Duration) -> Self {
        Self {
            retry: Some(true),
            after: pause.as_millis().div_ceil(1000).clamp(1, 3600) as u64,
            ..self
        }
    }

    /// The same request may succeed from then on.
    pub fn retry_at(self, at: Timestamp) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        let pause = at.seconds().saturating_sub(now).saturating_add(1);
        self.retry_after(Duration::from_secs(pause))
    }

    /// The stable name of the reason.
    pub fn code(&self) -> &str {
        self.error.code.as_deref().unwrap_or_default()
    }

    pub fn envelope(self) -> ErrorEnvelope {
        ErrorEnvelope::from(*self.error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, retry, after) = (self.status, self.retry, self.after);
        let outcome = Outcome(self.code().to_owned());
        let failed = Failed(self.error.clone());
        let mut response = (status, Json(self.envelope())).into_response();
        response.extensions_mut().insert(outcome);
        response.extensions_mut().insert(failed);
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(retry) = retry {
            headers.insert(SHOULD_RETRY, header(&retry));
            if retry {
                headers.insert(RETRY_AFTER, header(&after));
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_one() {
        for (reason, message, hint) in [
            ("no", "no; wait", "wait"),
            ("no.", "no; wait", "wait"),
            ("no; hint: a", "no; a", "a"),
            ("no\nhint: a", "no; a", "a"),
            ("no\n  hint: a; hint: b", "no; a; b", "a; b"),
            ("no; hint: a; hint: b", "no; a; b", "a; b"),
            ("no; hint: a; hint: a", "no; a", "a"),
            ("no; hint: a\nat 3", "no\nat 3; a", "a"),
            ("a hint: b", "a hint: b; wait", "wait"),
        ] {
            let row = Row(400, ErrorKind::InvalidRequest, "x", "wait");
            let error = row.because(reason).error;
            assert_eq!(error.message, message, "{reason:?}");
            assert_eq!(error.hint.as_deref(), Some(hint), "{reason:?}");
        }
    }

    /// Some of a reason are a caller's words, and may look like a way out.
    #[test]
    fn no_way_out_repeats_a_secret() {
        let secret = format!("aigen_dev.{}", "a".repeat(64));
        let row = Row(
            StatusCode::BAD_REQUEST.as_u16(),
            ErrorKind::InvalidRequest,
            "x",
            "wait",
        );
        let failure = row.because(format!("no {secret}; hint: use {secret}"));
        let told = serde_json::to_string(&failure.envelope()).unwrap();
        assert!(told.contains("use aigen_dev.…"), "{told}");
        assert!(!told.contains(&secret), "{told}");
    }
}
