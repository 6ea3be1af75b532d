use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, Ordering};
use std::time::Instant;

use aigen_engine::ControlLevel;
use aigen_engine::text::{TextRequest, UpstreamState};
use reqwest::Client;

use crate::breaker::Breaker;
use crate::limits::ODDS_MAX;
use crate::road::Road;
use crate::tries::Asked;
use crate::{Options, UpstreamOptions};

/// One server, and how it is doing.
pub(crate) struct Upstream {
    pub options: UpstreamOptions,
    /// Host and port.
    pub name: String,
    pub road: Road,
    pub breaker: Breaker,
    in_flight: AtomicU32,
    /// Turns that it has still to get, times all weights.
    credit: AtomicI64,
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
            road: Road::to(&options, client),
            name: name_of(&options.url),
            options,
            breaker: Breaker::default(),
            in_flight: AtomicU32::new(0),
            credit: AtomicI64::new(0),
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

    fn weight(&self) -> u32 {
        self.options.weight.max(1)
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

/// One of those that may be asked and were not yet, by turns; else of those that may be asked again the
/// one that is left alone for the shortest time.
pub(crate) fn choose<'a>(
    upstreams: &'a [Upstream],
    asked: &Asked,
    needs: Needs,
) -> Option<(usize, &'a Upstream)> {
    let now = Instant::now();
    let may_be_asked = |upstream: &Upstream| upstream.has(needs) && upstream.breaker.may_try(now);
    let able = upstreams.iter().enumerate();
    let able: Vec<_> = able
        .filter(|(_, upstream)| may_be_asked(upstream))
        .collect();
    let fresh = able.iter().filter(|(at, _)| !asked.contains_key(at));
    let fresh: Vec<_> = fresh.copied().collect();
    if !fresh.is_empty() {
        return turn(&fresh);
    }
    let again = able.into_iter().filter_map(|(at, upstream)| {
        let until = asked.get(&at).copied().flatten()?;
        Some((until, at, upstream))
    });
    let soonest = again.min_by_key(|(until, ..)| *until);
    soonest.map(|(_, at, upstream)| (at, upstream))
}

/// Turns in proportion to the weights, as even as they can be: each is credited its weight, and who is asked
/// pays for all. One that is slower than the others has no turn while it has too much of what is being answered.
fn turn<'a>(able: &[(usize, &'a Upstream)]) -> Option<(usize, &'a Upstream)> {
    let weight = |upstream: &Upstream| f64::from(upstream.weight());
    let in_flight = |upstream: &Upstream| f64::from(upstream.in_flight.load(Ordering::Acquire));
    let weights: f64 = able.iter().map(|(_, upstream)| weight(upstream)).sum();
    // Looked at once: they change meanwhile, and by these numbers somebody fits.
    let inside: Vec<f64> = able
        .iter()
        .map(|(_, upstream)| in_flight(upstream))
        .collect();
    let inside_all: f64 = inside.iter().sum();
    let fits = |upstream: &Upstream, inside: f64| {
        let odds = weight(upstream) / (weights - weight(upstream));
        // With one more for each, so that nobody is passed over where little is going on.
        inside < ODDS_MAX * odds * (inside_all - inside + able.len() as f64)
    };
    let fit = able.iter().zip(inside);
    let fit = fit.filter(|((_, upstream), inside)| fits(upstream, *inside));
    let fit: Vec<_> = fit.map(|(able, _)| *able).collect();
    let credit = |upstream: &Upstream| {
        let weight = i64::from(upstream.weight());
        weight + upstream.credit.fetch_add(weight, Ordering::AcqRel)
    };
    let credited = fit
        .iter()
        .map(|(at, upstream)| (credit(upstream), *at, *upstream));
    let (_, at, upstream) = credited.max_by_key(|(credit, ..)| (*credit, fastrand::u32(..)))?;
    let all = fit.iter().map(|(_, upstream)| i64::from(upstream.weight()));
    upstream.credit.fetch_sub(all.sum(), Ordering::AcqRel);
    Some((at, upstream))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HangUp, Timeouts, road};

    fn upstreams(weights: &[u32]) -> Vec<Upstream> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = road::client(Timeouts::default()).unwrap();
        let all = Options {
            upstreams: Vec::new(),
            context_tokens: 4096,
            answer_tokens: None,
            control: Some(ControlLevel::Text),
            tools: false,
            probabilities: Some(false),
            timeouts: Timeouts::default(),
            hang_up: HangUp::Cancel,
            stream: true,
        };
        let upstream = |weight: &u32| {
            let options = UpstreamOptions {
                url: "http://gpu/v1".to_owned(),
                model: "m".to_owned(),
                key: None,
                weight: *weight,
            };
            Upstream::new(options, &all, &client)
        };
        weights.iter().map(upstream).collect()
    }

    /// Weights, the number of one that never ends an answer if any, requests, and who gets how many.
    #[test]
    fn weights_are_parts_of_the_requests_and_who_is_slow_gets_fewer() {
        type Row = (&'static [u32], Option<usize>, usize, &'static [usize]);
        const ROWS: &[Row] = &[
            (&[1], None, 8, &[8]),
            (&[1], Some(0), 8, &[8]),
            (&[1, 1], None, 8, &[4, 4]),
            (&[3, 1], None, 40, &[30, 10]),
            (&[300, 100], None, 40, &[30, 10]),
            (&[2, 0, 5], None, 80, &[20, 10, 50]),
            (&[4_000_000_000, 1], None, 100, &[100, 0]),
            (&[1, 1], Some(0), 100, &[4, 96]),
            (&[1, 1, 1], Some(1), 103, &[50, 3, 50]),
            (&[3, 1], Some(0), 100, &[12, 88]),
        ];
        for (weights, slow, requests, expected) in ROWS {
            let upstreams = upstreams(weights);
            let mut counts = vec![0; weights.len()];
            let mut inside = Vec::new();
            for _ in 0..*requests {
                let (at, upstream) = choose(&upstreams, &Asked::new(), Needs::default()).unwrap();
                counts[at] += 1;
                if Some(at) == *slow {
                    inside.push(upstream.enter());
                }
            }
            assert_eq!(&counts, expected, "{weights:?} {slow:?}");
        }
    }

    /// At many requests at once, too, each as long as the others.
    #[test]
    fn weights_are_parts_where_many_are_answered_at_once() {
        for (weights, expected) in [(&[3, 1], [300, 100]), (&[100, 1], [396, 4])] {
            let upstreams = upstreams(weights);
            let mut counts = [0, 0];
            let mut inside = std::collections::VecDeque::new();
            for _ in 0..400 {
                let (at, upstream) = choose(&upstreams, &Asked::new(), Needs::default()).unwrap();
                counts[at] += 1;
                inside.push_back(upstream.enter());
                if inside.len() > 8 {
                    inside.pop_front();
                }
            }
            assert_eq!(counts, expected, "{weights:?}");
        }
    }
}
