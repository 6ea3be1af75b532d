//! What a Prometheus server is told: vLLM's names and buckets where they mean the same, `aigen_` for money.
//! Labels name models and reasons, never keys or accounts.

mod of_calls;

use self::of_calls::OfCalls;
use crate::failure::Failure;
use aigen_node::network::{Outcome, Receipt};
use aigen_node::{Node, NodeError, Observed, Observer, Served, Spent};
use aigen_types::{Amount, ModelName};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The text format's own name.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds, as vLLM has them.
const FIRST_TOKEN: [f64; 22] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
];
const PER_TOKEN: [f64; 19] = [
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0,
    40.0, 80.0,
];
const LATENCY: [f64; 21] = [
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0,
    480.0, 960.0, 1920.0, 7680.0,
];
/// Seconds that this node adds: tenths of a millisecond as long as the disk is quick.
const OVERHEAD: [f64; 14] = [
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0,
];
/// Tokens.
const TOKENS: [f64; 16] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0,
    20_000.0, 50_000.0, 100_000.0,
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Of {
    model_name: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Finished {
    model_name: String,
    finished_reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Refused {
    model_name: String,
    reason: String,
}

type Counts = Family<Of, Counter>;
type Seconds = Family<Of, Counter<f64, AtomicU64>>;
type Levels = Family<Of, Gauge>;
type Times = Family<Of, Histogram, fn() -> Histogram>;

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    /// Held by whoever sets levels and reads them.
    looking: Mutex<()>,
    of_calls: RwLock<BTreeMap<ModelName, Arc<OfCalls>>>,
    running: Levels,
    waiting: Levels,
    cache: Family<Of, Gauge<f64, AtomicU64>>,
    preemptions: Counts,
    passes: Seconds,
    sessions: Seconds,
    scheduling: Seconds,
    upstreams: Levels,
    upstreams_open: Levels,
    prompt: Counts,
    generated: Counts,
    cache_queries: Counts,
    cache_hits: Counts,
    finished: Family<Finished, Counter>,
    first_token: Times,
    per_token: Times,
    latency: Times,
    queue: Times,
    inference: Times,
    overhead: Times,
    prompt_tokens: Times,
    generated_tokens: Times,
    refused: Family<Refused, Counter>,
    charged: Counts,
    discarded: Counts,
    held: Gauge,
    calls: Gauge,
    record: Gauge,
    config_rejected: Gauge,
}

impl Metrics {
    #[rustfmt::skip] // One row per line.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let times = |buckets: fn() -> Histogram| Family::new_with_constructor(buckets);
        Self {
            running: add(&mut registry, "vllm:num_requests_running", "Requests that are computed"),
            waiting: add(&mut registry, "vllm:num_requests_waiting", "Requests in the waiting line"),
            cache: add(&mut registry, "vllm:kv_cache_usage_perc", "Part of the cache in use, 1 is all"),
            preemptions: add(&mut registry, "vllm:num_preemptions", "Times that a request gave way since the start"),
            passes: add(&mut registry, "aigen_engine_pass_seconds", "Time of the engine's thread in forward passes since the start"),
            sessions: add(&mut registry, "aigen_engine_session_seconds", "The same in sessions: masks, tokens chosen, controllers"),
            scheduling: add(&mut registry, "aigen_engine_scheduling_seconds", "The same in scheduling"),
            upstreams: add(&mut registry, "aigen_upstreams", "Servers that answer for a model"),
            upstreams_open: add(&mut registry, "aigen_upstreams_left_alone", "Those that failed too often"),
            prompt: add(&mut registry, "vllm:prompt_tokens", "Prompt tokens of finished requests"),
            generated: add(&mut registry, "vllm:generation_tokens", "Output tokens of finished requests"),
            cache_queries: add(&mut registry, "vllm:prefix_cache_queries", "Prompt tokens looked up in the cache"),
            cache_hits: add(&mut registry, "vllm:prefix_cache_hits", "Prompt tokens found there"),
            finished: add(&mut registry, "vllm:request_success", "Finished requests"),
            first_token: add_family(&mut registry, "vllm:time_to_first_token_seconds", "From a request to its first token", times(|| Histogram::new(FIRST_TOKEN))),
            per_token: add_family(&mut registry, "vllm:request_time_per_output_token_seconds", "Time per output token after the first", times(|| Histogram::new(PER_TOKEN))),
            latency: add_family(&mut registry, "vllm:e2e_request_latency_seconds", "From a request to its end", times(|| Histogram::new(LATENCY))),
            queue: add_family(&mut registry, "vllm:request_queue_time_seconds", "Time in the waiting line", times(|| Histogram::new(LATENCY))),
            inference: add_family(&mut registry, "vllm:request_inference_time_seconds", "Time after the waiting line", times(|| Histogram::new(LATENCY))),
            overhead: add_family(&mut registry, "aigen_overhead_seconds", "From a request to its end, less what its upstream took", times(|| Histogram::new(OVERHEAD))),
            prompt_tokens: add_family(&mut registry, "vllm:request_prompt_tokens", "Prompt tokens of a request", times(|| Histogram::new(TOKENS))),
            generated_tokens: add_family(&mut registry, "vllm:request_generation_tokens", "Output tokens of a request", times(|| Histogram::new(TOKENS))),
            refused: add(&mut registry, "aigen_requests_refused", "Requests that never began"),
            charged: add(&mut registry, "aigen_charged_nano", "Charged, in nano-AIGEN"),
            discarded: add(&mut registry, "aigen_discarded_tokens", "Tokens computed and not kept"),
            held: add(&mut registry, "aigen_held_nano", "Under the holds of running calls, in nano-AIGEN"),
            calls: add(&mut registry, "aigen_open_calls", "Calls that are not settled yet"),
            config_rejected: add(&mut registry, "aigen_config_rejected", "1 while the configuration file is not valid and what it said before holds"),
            record: add(&mut registry, "aigen_journal_record", "The journal's last durable record"),
            registry,
            looking: Mutex::default(),
            of_calls: RwLock::default(),
        }
    }

    /// Everything, as text.
    pub fn text(&self, node: &Node, config_rejected: bool) -> String {
        // A panic elsewhere leaves levels that the next look sets again.
        let _one = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        self.look(node);
        self.config_rejected.set(config_rejected.into());
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// What is so at this moment.
    fn look(&self, node: &Node) {
        self.forget_levels();
        for (name, served) in node.models().iter() {
            self.look_at(&of(name), served);
        }
        let network = node.network();
        let held: Amount = network.calls().map(|(_, call)| call.held()).sum();
        self.held.set(level(held.nano()));
        self.calls.set(level(network.calls().count() as u128));
        drop(network);
        self.record.set(level(node.journal_tip().seq.into()));
    }

    /// Of a model that is not served any more there is nothing to tell.
    fn forget_levels(&self) {
        let levels = [
            &self.running,
            &self.waiting,
            &self.upstreams,
            &self.upstreams_open,
        ];
        levels.into_iter().for_each(|family| family.clear());
        let times = [&self.passes, &self.sessions, &self.scheduling];
        times.into_iter().for_each(|family| family.clear());
        self.preemptions.clear();
        self.cache.clear();
    }

    fn look_at(&self, of: &Of, served: &Served) {
        match served {
            Served::Embedded(embedded) => {
                let (load, info) = (embedded.engine.load(), embedded.engine.info());
                self.running.get_or_create(of).set(load.running.into());
                self.waiting.get_or_create(of).set(load.waiting.into());
                let gave_way = self.preemptions.get_or_create(of);
                gave_way.inner().store(load.gave_way, Ordering::Relaxed);
                self.look_at_time(of, load.spent);
                let part = f64::from(load.held_cells) / f64::from(info.cells.max(1));
                self.cache.get_or_create(of).set(part);
            }
            Served::Embedder(_) => {}
            Served::Remote(_) | Served::RemoteEmbedder(_) => {
                let upstreams = served.info().upstreams;
                let in_flight: u32 = upstreams.iter().map(|one| one.in_flight).sum();
                self.running.get_or_create(of).set(in_flight.into());
                self.upstreams
                    .get_or_create(of)
                    .set(level(upstreams.len() as u128));
                let open = upstreams.iter().filter(|one| one.open).count();
                self.upstreams_open
                    .get_or_create(of)
                    .set(level(open as u128));
            }
        }
    }
}

impl Metrics {
    /// Of a model's calls. Only models that were served come here, and so only so many.
    fn of_calls(&self, model: &ModelName) -> Arc<OfCalls> {
        // A panic elsewhere leaves a list that is still true.
        let known = self.of_calls.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_calls) = known.get(model) {
            return Arc::clone(of_calls);
        }
        drop(known);
        let of = &of(model);
        let counter = |family: &Counts| family.get_or_create(of).clone();
        let times = |family: &Times| family.get_or_create(of).clone();
        let new = OfCalls {
            prompt: counter(&self.prompt),
            generated: counter(&self.generated),
            cache_queries: counter(&self.cache_queries),
            cache_hits: counter(&self.cache_hits),
            charged: counter(&self.charged),
            discarded: counter(&self.discarded),
            first_token: times(&self.first_token),
            per_token: times(&self.per_token),
            latency: times(&self.latency),
            queue: times(&self.queue),
            inference: times(&self.inference),
            overhead: times(&self.overhead),
            prompt_tokens: times(&self.prompt_tokens),
            generated_tokens: times(&self.generated_tokens),
        };
        let mut known = self
            .of_calls
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(model.clone()).or_insert_with(|| Arc::new(new)))
    }

    fn finished(&self, model: &ModelName, outcome: Outcome) {
        let finished = Finished {
            model_name: model.to_string(),
            finished_reason: reason(outcome),
        };
        self.finished.get_or_create(&finished).inc();
    }

    fn look_at_time(&self, of: &Of, spent: Spent) {
        let of_all = [
            (&self.passes, spent.passes),
            (&self.sessions, spent.sessions),
            (&self.scheduling, spent.scheduling),
        ];
        for (seconds, time) in of_all {
            let bits = time.as_secs_f64().to_bits();
            seconds
                .get_or_create(of)
                .inner()
                .store(bits, Ordering::Relaxed);
        }
    }
}

impl Observer for Metrics {
    fn ended(&self, call: &Observed) {
        let of_calls = self.of_calls(&call.model);
        of_calls.count(&call.used, call.charged);
        of_calls.time(call);
        self.finished(&call.model, call.outcome);
    }

    fn lost(&self, receipt: &Receipt) {
        let (call, charged) = (&receipt.call, receipt.total());
        self.of_calls(&call.model).count(&call.used, charged);
        self.finished(&call.model, receipt.outcome);
    }

    fn refused(&self, model: &ModelName, error: &NodeError) {
        // Names that anybody can think of must not become labels.
        let known = !matches!(error, NodeError::ModelUnknown { .. });
        let model_name = if known { model.as_str() } else { "unknown" };
        let refused = Refused {
            model_name: model_name.to_owned(),
            reason: Failure::from(error).code().to_owned(),
        };
        self.refused.get_or_create(&refused).inc();
    }
}

/// vLLM's words where there are any.
fn reason(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Stop => "stop",
        Outcome::Length => "length",
        Outcome::Budget => "budget",
        Outcome::Filtered => "content_filter",
        Outcome::Cancelled => "abort",
        Outcome::ControllerFault => "controller_fault",
        Outcome::EngineFault => "error",
        Outcome::Recovered | Outcome::Expired => "lost",
    }
}

fn of(model: &ModelName) -> Of {
    Of {
        model_name: model.to_string(),
    }
}

/// As much of it as a gauge can show.
fn level(count: u128) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    add_family(registry, name, help, M::default())
}

fn add_family<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}
