//! Trying upstreams, one after the other: which is next, and after what pause.

use std::time::{Duration, Instant};

use aigen_engine::text::TextFault;

use crate::attempt::Failed;
use crate::engine::Shared;
use crate::limits::{RETRY_AFTER_MAX, RETRY_PAUSE, TRIES_MAX};
use crate::upstream::{Needs, Upstream, choose};

/// The tries of one request, all before its first byte.
pub(crate) struct Tries<'a> {
    shared: &'a Shared,
    /// Only upstreams that have it are asked.
    needs: Needs,
    tried: u32,
    asked: Vec<usize>,
    last: Option<TextFault>,
    over: bool,
}

impl<'a> Tries<'a> {
    pub fn of(shared: &'a Shared, needs: Needs) -> Self {
        Self {
            shared,
            needs,
            tried: 0,
            asked: Vec::new(),
            last: None,
            over: false,
        }
    }

    /// Whom to ask now, with its number; nobody once it has been tried often enough.
    pub fn next(&self) -> Option<(usize, &'a Upstream)> {
        match self.over || self.tried >= TRIES_MAX {
            true => None,
            false => choose(&self.shared.upstreams, &self.asked, self.needs),
        }
    }

    /// One failed: pauses, where there is nobody else to ask at once.
    ///
    /// # Errors
    /// Nothing would do better.
    pub async fn failed(&mut self, at: usize, failed: Failed) -> Result<(), TextFault> {
        let upstream = &self.shared.upstreams[at];
        tracing::warn!(upstream = upstream.name, fault = %failed.fault, "an upstream failed");
        if !failed.again {
            return Err(failed.fault);
        }
        self.asked.push(at);
        let pause = pause_after(self.tried, &failed);
        self.last = Some(failed.fault);
        self.tried += 1;
        let fresh = self.shared.upstreams.len() > self.asked.len();
        match pause {
            // Another upstream need not be waited for.
            _ if fresh => {}
            Some(pause) if self.tried < TRIES_MAX => tokio::time::sleep(pause).await,
            _ => self.over = true,
        }
        Ok(())
    }

    pub fn given_up(self) -> TextFault {
        self.last.unwrap_or_else(|| left_alone(self.shared))
    }
}

/// One try, which counts for or against its upstream.
pub(crate) async fn tried<T>(
    upstream: &Upstream,
    answering: impl Future<Output = Result<T, Failed>>,
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
/// caller should wait.
fn pause_after(tried: u32, failed: &Failed) -> Option<Duration> {
    let pause = RETRY_PAUSE * 2_u32.pow(tried);
    let pause = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
    match failed.after {
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
