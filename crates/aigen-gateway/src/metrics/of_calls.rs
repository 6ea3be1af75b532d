use aigen_node::Observed;
use aigen_node::economy::Usage;
use aigen_types::Amount;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use std::time::Duration;

/// What is counted of one model's calls: looking each up by its label took a fiftieth of a call.
pub(super) struct OfCalls {
    pub prompt: Counter,
    pub generated: Counter,
    pub cache_queries: Counter,
    pub cache_hits: Counter,
    pub charged: Counter,
    pub discarded: Counter,
    pub first_token: Histogram,
    pub per_token: Histogram,
    pub latency: Histogram,
    pub queue: Histogram,
    pub inference: Histogram,
    pub overhead: Histogram,
    pub prompt_tokens: Histogram,
    pub generated_tokens: Histogram,
}

impl OfCalls {
    /// What every call adds, however long it took.
    pub fn count(&self, used: &Usage, charged: Amount) {
        let prompt = used.all_prompt_tokens();
        self.prompt.inc_by(prompt);
        self.generated.inc_by(used.computed_tokens());
        self.cache_queries.inc_by(prompt);
        self.cache_hits.inc_by(used.cached_prompt_tokens);
        self.discarded.inc_by(used.discarded_tokens);
        self.charged
            .inc_by(u64::try_from(charged.nano()).unwrap_or(u64::MAX));
    }

    /// How long it took, and of how many tokens.
    pub fn time(&self, call: &Observed) {
        let (prompt, output) = (call.used.all_prompt_tokens(), call.used.computed_tokens());
        let seconds = |times: &Histogram, time: Duration| times.observe(time.as_secs_f64());
        seconds(&self.latency, call.total);
        if let Some(upstream) = call.upstream {
            seconds(&self.overhead, call.total.saturating_sub(upstream));
        }
        if let Some(queued) = call.queued {
            self.prompt_tokens.observe(prompt as f64);
            self.generated_tokens.observe(output as f64);
            seconds(&self.queue, queued);
            seconds(&self.inference, call.total.saturating_sub(queued));
        }
        if let Some(first) = call.first_token {
            seconds(&self.first_token, first);
            if let Some(each) = each(call.total.saturating_sub(first), output) {
                seconds(&self.per_token, each);
            }
        }
    }
}

fn each(time: Duration, tokens: u64) -> Option<Duration> {
    let after = u32::try_from(tokens).ok()?.checked_sub(1)?;
    time.checked_div(after)
}
