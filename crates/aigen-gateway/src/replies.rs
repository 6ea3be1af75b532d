use crate::limits::{REPLIES_KEPT_BYTES_MAX, REPLIES_KEPT_MAX};
use aigen_types::{Amount, CallId, Digest, Slug};
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) const RECEIPT: HeaderName = HeaderName::from_static("x-aigen-receipt");
pub(crate) const COST: HeaderName = HeaderName::from_static("x-aigen-cost");
/// What OpenAI's clients ask before they repeat a request by themselves.
pub(crate) const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// What every stream says to whoever stands between: nginx would otherwise gather events into pages.
pub(crate) const STREAM: [(HeaderName, HeaderValue); 2] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    (
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    ),
];

/// A reply to a call that is charged and over.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub receipt: CallId,
    pub cost: Amount,
    pub kind: Kind,
    pub body: Bytes,
}

/// What a reply's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    /// Server-sent events, all of them.
    Events,
}

impl Kind {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::Events => "text/event-stream",
        })
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, self.kind.content_type()),
            (RECEIPT, header(&self.receipt)),
            (COST, header(&self.cost)),
        ];
        let stream = matches!(self.kind, Kind::Events).then_some(STREAM);
        // What failed was paid for: a retry nobody asked for would be paid for again.
        let failed = !self.status.is_success();
        let final_word = failed.then_some([(SHOULD_RETRY, HeaderValue::from_static("false"))]);
        (
            self.status,
            headers,
            stream.map(AppendHeaders),
            final_word.map(AppendHeaders),
            self.body,
        )
            .into_response()
    }
}

/// A header of digits.
pub(crate) fn header(value: &impl ToString) -> HeaderValue {
    HeaderValue::try_from(value.to_string()).expect("ids and amounts are visible ASCII")
}

/// What makes two requests the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sameness {
    /// Public part of the key that asked.
    pub key: Slug,
    /// The route.
    pub route: &'static str,
    /// BLAKE3 of the body.
    pub body: Digest,
}

/// Finished replies, so that a retry with the same `Idempotency-Key` gets the same answer
/// without a second charge. Bounded by count and by bytes; the least recently asked for goes first.
#[derive(Debug, Default)]
pub(crate) struct Replies(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    replies: HashMap<CallId, Entry>,
    /// By when they were last asked for.
    order: BTreeMap<u64, CallId>,
    uses: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    sameness: Sameness,
    reply: Reply,
    used: u64,
}

impl Replies {
    /// The reply to an earlier request of this call; `Err` if that was another request.
    pub fn find(&self, call: CallId, sameness: &Sameness) -> Result<Option<Reply>, OtherRequest> {
        let mut kept = self.lock();
        let Some(entry) = kept.touch(call) else {
            return Ok(None);
        };
        if entry.sameness == *sameness {
            Ok(Some(entry.reply.clone()))
        } else {
            Err(OtherRequest)
        }
    }

    /// Keeps a reply as long as there is room.
    pub fn keep(&self, call: CallId, sameness: Sameness, reply: Reply) {
        self.lock().insert(call, sameness, reply);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Every change is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The `Idempotency-Key` was used for another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OtherRequest;

impl Kept {
    fn touch(&mut self, call: CallId) -> Option<&Entry> {
        let entry = self.replies.get_mut(&call)?;
        self.order.remove(&entry.used);
        self.uses += 1;
        entry.used = self.uses;
        self.order.insert(entry.used, call);
        Some(entry)
    }

    fn insert(&mut self, call: CallId, sameness: Sameness, reply: Reply) {
        if reply.body.len() > REPLIES_KEPT_BYTES_MAX {
            return;
        }
        self.remove(call);
        self.uses += 1;
        let used = self.uses;
        self.bytes += reply.body.len();
        self.order.insert(used, call);
        let entry = Entry {
            sameness,
            reply,
            used,
        };
        self.replies.insert(call, entry);
        while self.replies.len() > REPLIES_KEPT_MAX || self.bytes > REPLIES_KEPT_BYTES_MAX {
            let Some((_, oldest)) = self.order.pop_first() else {
                break;
            };
            self.remove(oldest);
        }
    }

    fn remove(&mut self, call: CallId) {
        if let Some(entry) = self.replies.remove(&call) {
            self.order.remove(&entry.used);
            self.bytes -= entry.reply.body.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sameness(body: u8) -> Sameness {
        let key = "k".parse().unwrap();
        let route = "/v1/chat/completions";
        Sameness {
            key,
            route,
            body: Digest([body; 32]),
        }
    }

    fn reply(bytes: usize) -> Reply {
        Reply {
            status: StatusCode::OK,
            receipt: CallId(1),
            cost: Amount::ZERO,
            kind: Kind::Json,
            body: vec![b'x'; bytes].into(),
        }
    }

    #[test]
    fn a_retry_finds_its_reply_and_another_request_does_not() {
        let replies = Replies::default();
        assert!(replies.find(CallId(7), &sameness(1)).unwrap().is_none());
        replies.keep(CallId(7), sameness(1), reply(3));
        assert!(replies.find(CallId(7), &sameness(1)).unwrap().is_some());
        assert_eq!(
            replies.find(CallId(7), &sameness(2)).unwrap_err(),
            OtherRequest
        );
    }

    #[test]
    fn count_and_bytes_are_bounded_and_the_least_recently_used_goes_first() {
        let replies = Replies::default();
        for call in 0..REPLIES_KEPT_MAX as u128 {
            replies.keep(CallId(call), sameness(1), reply(1));
        }
        assert!(replies.find(CallId(0), &sameness(1)).unwrap().is_some());
        replies.keep(CallId(u128::MAX), sameness(1), reply(1));
        assert!(replies.find(CallId(0), &sameness(1)).unwrap().is_some());
        assert!(replies.find(CallId(1), &sameness(1)).unwrap().is_none());
        replies.keep(CallId(2), sameness(1), reply(REPLIES_KEPT_BYTES_MAX));
        let kept = replies.lock();
        assert_eq!((kept.replies.len(), kept.order.len()), (1, 1));
        assert_eq!(kept.bytes, REPLIES_KEPT_BYTES_MAX);
    }
}
