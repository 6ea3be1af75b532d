use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::Instant;

use aigen_engine::ControlLevel;
use aigen_engine::text::{TextRequest, UpstreamState};
use reqwest::Client;

use crate::breaker::Breaker;
use crate::road::Road;
use crate::{Options, UpstreamOptions};

/// One server, and how it is doing.
pub(crate) struct Upstream {
    pub options: UpstreamOptions,
    /// Host and port.
    pub name: String,
    pub road: Road,
    pub breaker: Breaker,
    in_flight: AtomicU32,
    /// 0 until it was found out, else 1 for text and 2 for schema.
    control: AtomicU8,
    /// 0 until it was found out, else 1 for none and 2 for some.
    probabilities: AtomicU8,
}

/// What a request needs of whoever is asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Needs {
    pub schema: bool,
    pub probabilities: bool,
}

impl Needs {
    pub fn of(request: &TextRequest) -> Self {
        Self {
            schema: request.schema.is_some(),
            probabilities: request.probabilities,
        }
    }
}

impl Upstream {
    pub fn new(options: UpstreamOptions, all: &Options, client: &Client) -> Self {
        let upstream = Self {
            road: Road::to(&options.url, client),
            name: name_of(&options.url),
            options,
            breaker: Breaker::default(),
            in_flight: AtomicU32::new(0),
            control: AtomicU8::new(0),
            probabilities: AtomicU8::new(0),
        };
        if let Some(control) = all.control {
            upstream.found(control);
        }
        if let Some(some) = all.probabilities {
            upstream.found_probabilities(some);
        }
        upstream
    }

    /// Whether anything has to be found out about it.
    pub fn is_unknown(&self) -> bool {
        self.control().is_none() || self.probabilities().is_none()
    }

    /// Whether it has what the request needs.
    pub fn has(&self, needs: Needs) -> bool {
        let schema = !needs.schema || self.control() == Some(ControlLevel::Schema);
        schema && (!needs.probabilities || self.probabilities() == Some(true))
    }

    pub fn found_probabilities(&self, some: bool) {
        let found = 1 + u8::from(some);
        self.probabilities.store(found, Ordering::Release);
    }

    /// Whether it tells how likely its answers are; `None` until it was found out.
    pub fn probabilities(&self) -> Option<bool> {
        match self.probabilities.load(Ordering::Acquire) {
            0 => None,
            found => Some(found == 2),
        }
    }

    pub fn found(&self, control: ControlLevel) {
        let level = 1 + u8::from(control >= ControlLevel::Schema);
        self.control.store(level, Ordering::Release);
    }

    /// `None` until it was found out.
    pub fn control(&self) -> Option<ControlLevel> {
        match self.control.load(Ordering::Acquire) {
            0 => None,
            1 => Some(ControlLevel::Text),
            _ => Some(ControlLevel::Schema),
        }
    }

    pub fn state(&self) -> UpstreamState {
        UpstreamState {
            name: self.name.clone(),
            open: self.breaker.is_open(Instant::now()),
            in_flight: self.in_flight.load(Ordering::Acquire),
        }
    }

    /// Requests per weight, with one more: what the least loaded has least of.
    fn load(&self) -> f64 {
        let in_flight = f64::from(self.in_flight.load(Ordering::Acquire));
        (in_flight + 1.0) / f64::from(self.options.weight.max(1))
    }

    /// Counts a request for as long as the guard lives.
    pub fn enter(&self) -> Inside<'_> {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        Inside(self)
    }
}

/// A request that an upstream works on.
pub(crate) struct Inside<'a>(&'a Upstream);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The least loaded of those that may be asked and were not yet; else of those that may be asked
/// again. Ties are broken by chance, in proportion to the weights.
pub(crate) fn choose<'a>(
    upstreams: &'a [Upstream],
    asked: &[usize],
    needs: Needs,
) -> Option<(usize, &'a Upstream)> {
    let now = Instant::now();
    let able = |upstream: &Upstream| upstream.has(needs) && upstream.breaker.may_try(now);
    let pick = |fresh: bool| {
        upstreams
            .iter()
            .enumerate()
            .filter(|(at, upstream)| able(upstream) && asked.contains(at) != fresh)
            .map(|(at, upstream)| {
                let chance = fastrand::f64().powf(1.0 / f64::from(upstream.options.weight.max(1)));
                (upstream.load(), -chance, at)
            })
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)))
            .map(|(_, _, at)| (at, &upstreams[at]))
    };
    pick(true).or_else(|| pick(false))
}

fn name_of(url: &str) -> String {
    let parsed = reqwest::Url::parse(url).ok();
    let named = parsed.and_then(|url| {
        let host = url.host_str()?.to_owned();
        Some(match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        })
    });
    named.unwrap_or_else(|| "upstream".to_owned())
}
