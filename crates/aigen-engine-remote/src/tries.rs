//! Trying upstreams, one after the other: which is next, and after what pause.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::{Duration, Instant};

use aigen_engine::text::TextFault;

use crate::attempt::Failed;
use crate::engine::Shared;
use crate::limits::{RETRY_AFTER_MAX, RETRY_PAUSE, TRIES_MAX};
use crate::upstream::{Needs, Upstream, choose};

/// The upstreams that one request was sent to, and until when each is left alone then; for good where
/// it asks for more than a caller should wait.
pub(crate) type Asked = BTreeMap<usize, Option<Instant>>;

/// The tries of one request, all before its first byte.
pub(crate) struct Tries<'a> {
    shared: &'a Shared,
    /// Only upstreams that have it are asked.
    needs: Needs,
    tried: u32,
    asked: Asked,
    last: Option<TextFault>,
}

impl<'a> Tries<'a> {
    pub fn of(shared: &'a Shared, needs: Needs) -> Self {
        Self {
            shared,
            needs,
            tried: 0,
            asked: Asked::new(),
            last: None,
        }
    }

    /// Whom to ask, with its number, once it may be asked; nobody once it has been tried often enough.
    pub async fn next(&self) -> Option<(usize, &'a Upstream)> {
        if self.tried >= TRIES_MAX {
            return None;
        }
        loop {
            let (at, upstream) = choose(&self.shared.upstreams, &self.asked, self.needs)?;
            let until = self.asked.get(&at).copied().flatten();
            let Some(until) = until.filter(|until| *until > Instant::now()) else {
                return Some((at, upstream));
            };
            // Meanwhile another may have come back, or this one may have failed others too often.
            tokio::time::sleep_until(until.into()).await;
        }
    }

    /// One failed, and is left alone for a while.
    ///
    /// # Errors
    /// Nothing would do better.
    pub fn failed(&mut self, at: usize, failed: Failed) -> Result<(), TextFault> {
        let upstream = &self.shared.upstreams[at];
        // What an upstream says of a request may repeat it, and nobody who asks is in a log by default.
        tracing::warn!(
            upstream = upstream.name,
            fault = failed.logged(),
            "an upstream failed"
        );
        tracing::debug!(upstream = upstream.name, said = failed.said, "what it said");
        if !failed.again {
            return Err(failed.fault);
        }
        let pause = pause_after(self.tried, &failed);
        self.asked
            .insert(at, pause.map(|pause| Instant::now() + pause));
        self.last = Some(failed.fault);
        self.tried += 1;
        Ok(())
    }

    pub fn given_up(self) -> TextFault {
        self.last.unwrap_or_else(|| left_alone(self.shared))
    }
}

/// One try, which counts for or against its upstream. It stays where it is pinned: by value it would stand here
/// twice, as what was given and as what is waited for, and both would be part of every request.
pub(crate) async fn tried<T>(
    upstream: &Upstream,
    answering: Pin<&mut impl Future<Output = Result<T, Failed>>>,
) -> Result<T, Failed> {
    let _inside = upstream.enter();
    upstream.breaker.tried(Instant::now());
    let answered = answering.await;
    match &answered {
        Err(failed) if failed.blame => upstream.breaker.failed(Instant::now()),
        _ => upstream.breaker.succeeded(),
    }
    answered
}

/// Doubles from try to try, half of it chance; `None` where the upstream asks for more than the
/// caller should wait, or was silent for as long as anybody waits for it.
fn pause_after(tried: u32, failed: &Failed) -> Option<Duration> {
    let pause = RETRY_PAUSE * 2_u32.pow(tried);
    let pause = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
    match failed.after {
        _ if matches!(failed.fault, TextFault::Timeout { .. }) => None,
        Some(after) if after > RETRY_AFTER_MAX => None,
        Some(after) => Some(after.max(pause)),
        None => Some(pause),
    }
}

fn left_alone(shared: &Shared) -> TextFault {
    let now = Instant::now();
    let pauses = shared
        .upstreams
        .iter()
        .map(|upstream| upstream.breaker.opens_in(now));
    let pause = pauses.min().unwrap_or_default();
    TextFault::Unavailable {
        reason: "it failed too often and is left alone for a while".to_owned(),
        retry_after_millis: Some(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)),
    }
}
