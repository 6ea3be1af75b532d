//! Who is let in: bounds on what a model has in hand, of all keys and of each. What is above them is
//! refused at once, with an honest word on when to come back.

use crate::error::NodeError;
use aigen_types::Slug;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Ends of calls that say how fast a model is.
const ENDS_KEPT: usize = 64;

/// Ends from which on they are believed when somebody is refused for them: two or three are an
/// accident of which calls were short.
const ENDS_BELIEVED: usize = 8;

/// How long a call waits before anybody doubts that it will have its turn.
const SEEN_LEAST: Duration = Duration::from_secs(2);

/// How often that is looked at.
const LOOKED_EVERY: Duration = Duration::from_secs(1);

/// The shortest pause that anybody is told, and the longest where nobody waits in a line, in seconds.
const PAUSE_SECONDS: (f64, f64) = (1.0, 300.0);

/// Bounds of one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Calls that wait or run.
    pub calls_max: u32,
    /// Those of one key.
    pub calls_per_key_max: u32,
    /// Prompt tokens of calls that wait.
    pub queued_tokens_max: u64,
    /// Those of one key.
    pub queued_tokens_per_key_max: u64,
    /// How long a call may wait before it is computed.
    pub queue_time_max: Duration,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self {
            calls_max: 256,
            calls_per_key_max: 192,
            queued_tokens_max: 1_000_000,
            queued_tokens_per_key_max: 750_000,
            queue_time_max: Duration::from_secs(30),
        }
    }
}

/// One model's door.
pub(crate) struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    /// They may change; who is inside stays.
    limits: AdmissionLimits,
    all: Inside,
    keys: BTreeMap<Slug, Inside>,
    /// Numbers of those in the line, by key.
    line: BTreeMap<Slug, BTreeSet<u64>>,
    /// The number of the next that enters.
    next: u64,
    /// Since when somebody is inside, without a break.
    busy_since: Option<Instant>,
    /// When the last calls ended that had been computed.
    ends: VecDeque<Instant>,
}

/// Who is inside.
#[derive(Clone, Copy, Default)]
struct Inside {
    calls: u32,
    /// Of them those that are computed; the others wait.
    begun: u32,
    queued_tokens: u64,
}

impl Gate {
    pub fn new(limits: AdmissionLimits) -> Self {
        Self(Mutex::new(State {
            limits,
            ..State::default()
        }))
    }

    /// Bounds whoever comes from now on.
    pub fn limit(&self, limits: AdmissionLimits) {
        self.lock().limits = limits;
    }

    /// Lets a call in, or says why not and when to come back.
    pub fn enter(self: &Arc<Self>, key: &Slug) -> Result<Admitted, NodeError> {
        let mut state = self.lock();
        let own = state.keys.get(key).copied().unwrap_or_default();
        let limits = state.limits;
        if state.all.calls >= limits.calls_max {
            return Err(state.busy("it has as many calls as it may have", false));
        }
        if own.calls >= limits.calls_per_key_max {
            return Err(state.busy("this key has as many calls as it may have", true));
        }
        state.busy_since.get_or_insert_with(Instant::now);
        state.all.calls += 1;
        state.keys.entry(key.clone()).or_default().calls += 1;
        state.next += 1;
        Ok(Admitted {
            gate: Arc::clone(self),
            number: state.next,
            key: key.clone(),
            queued_tokens: 0,
            since: Instant::now(),
            computed: false,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every write leaves the state whole, so a poisoned lock is still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn busy(&self, what: &'static str, own: bool) -> NodeError {
        NodeError::Busy {
            what,
            own,
            after: self.drained_in(Instant::now()),
        }
    }

    /// How long somebody who is refused now should stay away: until those who are inside have been
    /// answered, if things go on as they went, and no longer than anybody waits in the line, which is
    /// empty by then.
    fn drained_in(&self, now: Instant) -> Duration {
        let line = self.limits.queue_time_max.as_secs_f64();
        let most = line.clamp(PAUSE_SECONDS.0, PAUSE_SECONDS.1);
        let seconds = match self.ends.is_empty() {
            // Nothing has ended since then, so that nothing is known but that each round takes longer.
            true => self.busy_for(now) * f64::from(self.rounds(self.waiting()).max(1)),
            false => self.each_takes(now) * f64::from(self.all.calls),
        };
        Duration::from_secs_f64(seconds.clamp(PAUSE_SECONDS.0, most))
    }

    /// Whether whoever has so many before it in the line is not reached within this, going by how those
    /// went who are out, or by how long those have taken already who were first.
    fn comes_too_late(&self, ahead: u32, left: Duration, now: Instant) -> bool {
        let wait = match self.ends.len() {
            // As many as are computed at once have to end before as many others begin, and none has yet:
            // each such round takes longer than this.
            0 => self.busy_for(now) * f64::from(self.rounds(ahead)),
            1..ENDS_BELIEVED => return false,
            _ => self.each_takes(now) * f64::from(ahead.saturating_add(1)),
        };
        wait > left.as_secs_f64()
    }

    fn waiting(&self) -> u32 {
        self.all.calls.saturating_sub(self.all.begun)
    }

    /// How often as many have to end as are computed at once, before so many others have begun.
    fn rounds(&self, calls: u32) -> u32 {
        calls.checked_div(self.all.begun).unwrap_or(0)
    }

    /// How many are before one in the line, at least: it is fair between keys, so that of each other key no
    /// more come before it than of its own.
    fn ahead(&self, key: &Slug, number: u64) -> u32 {
        let own = self.line.get(key);
        let own = own.map_or(0, |own| own.range(..number).count());
        let of = |(other, waiting): (&Slug, &BTreeSet<u64>)| match other == key {
            true => own,
            false => own.min(waiting.len()),
        };
        u32::try_from(self.line.iter().map(of).sum::<usize>()).unwrap_or(u32::MAX)
    }

    fn leaves_line(&mut self, key: &Slug, number: u64) {
        if let Some(own) = self.line.get_mut(key) {
            own.remove(&number);
            if own.is_empty() {
                self.line.remove(key);
            }
        }
    }

    /// Seconds from one end to the next, lately.
    fn each_takes(&self, now: Instant) -> f64 {
        self.busy_for(now) / (self.ends.len().max(1) as f64)
    }

    /// Seconds in which those ends came that are kept.
    fn busy_for(&self, now: Instant) -> f64 {
        let since = match (self.busy_since, self.ends.front()) {
            (Some(busy), Some(first)) if self.ends.len() == ENDS_KEPT => busy.max(*first),
            (Some(busy), _) => busy,
            (None, _) => now,
        };
        now.saturating_duration_since(since).as_secs_f64()
    }

    fn queue(&mut self, key: &Slug, change: impl Fn(&mut u64)) {
        change(&mut self.all.queued_tokens);
        if let Some(own) = self.keys.get_mut(key) {
            change(&mut own.queued_tokens);
        }
    }
}

/// A call that was let in. Dropping it makes room for another.
pub(crate) struct Admitted {
    gate: Arc<Gate>,
    key: Slug,
    /// Greater than of those that entered before it.
    number: u64,
    /// Prompt tokens that it counts as waiting for.
    queued_tokens: u64,
    since: Instant,
    computed: bool,
}

impl Admitted {
    /// Its prompt waits to be computed.
    pub fn wait_with(&mut self, tokens: u64) -> Result<(), NodeError> {
        let mut state = self.gate.lock();
        let own = state.keys.get(&self.key).copied().unwrap_or_default();
        let limits = state.limits;
        // A prompt that nobody waits beside is let in however long it is.
        let above =
            |inside: Inside, max| inside.queued_tokens > 0 && inside.queued_tokens + tokens > max;
        if above(state.all, limits.queued_tokens_max) {
            return Err(state.busy("as many tokens wait as may wait", false));
        }
        if above(own, limits.queued_tokens_per_key_max) {
            return Err(state.busy("as many tokens of this key wait as may wait", true));
        }
        state.queue(&self.key, |queued| *queued += tokens);
        drop(state);
        self.queued_tokens = tokens;
        Ok(())
    }

    /// Its prompt is computed now.
    pub fn begin(&mut self) {
        let tokens = std::mem::take(&mut self.queued_tokens);
        let mut state = self.gate.lock();
        if !self.computed {
            state.all.begun += 1;
        }
        self.computed = true;
        state.leaves_line(&self.key, self.number);
        state.queue(&self.key, |queued| *queued -= tokens);
    }

    /// Whether it is worth waiting in the line: what could not be reached in time is told so at once
    /// and not when the time is over.
    pub fn join_line(&self) -> Result<(), NodeError> {
        let mut state = self.gate.lock();
        // The one that asks is inside already.
        let ahead = state.waiting().saturating_sub(1);
        let left = state.limits.queue_time_max;
        if state.comes_too_late(ahead, left, Instant::now()) {
            return Err(state.busy("nobody would get to it in time", false));
        }
        let own = state.line.entry(self.key.clone()).or_default();
        own.insert(self.number);
        Ok(())
    }

    /// Whether it waits in vain, by what was seen since it came: to be told while there is time to ask elsewhere,
    /// and not when the time is over.
    fn waits_in_vain(&self, deadline: Instant, now: Instant) -> bool {
        let left = deadline.saturating_duration_since(now);
        let state = self.gate.lock();
        // What the first calls have to read may be all that takes long.
        let seen = now.saturating_duration_since(self.since) >= SEEN_LEAST;
        seen && state.comes_too_late(state.ahead(&self.key, self.number), left, now)
    }

    /// Until its [`Self::deadline`], or until it is known before that nobody gets to it by then.
    pub async fn waited_in_vain(&self, deadline: Instant) {
        loop {
            let now = Instant::now();
            if now >= deadline || self.waits_in_vain(deadline, now) {
                return;
            }
            let next = deadline.min(now + LOOKED_EVERY);
            tokio::time::sleep_until(next.into()).await;
        }
    }

    /// When it has waited too long.
    pub fn deadline(&self) -> Instant {
        self.since + self.gate.lock().limits.queue_time_max
    }

    /// Why it is not waited for any longer.
    pub fn too_late(&self) -> NodeError {
        let what = match Instant::now() < self.deadline() {
            true => "nobody would get to it in time",
            false => "nobody got to it in time",
        };
        self.gate.lock().busy(what, false)
    }

    /// The machine is full for another reason.
    pub fn full(&self) -> NodeError {
        self.gate.lock().busy("its waiting line is full", false)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let tokens = self.queued_tokens;
        let mut state = self.gate.lock();
        state.queue(&self.key, |queued| *queued -= tokens);
        state.leaves_line(&self.key, self.number);
        state.all.calls -= 1;
        if let Some(own) = state.keys.get_mut(&self.key) {
            own.calls -= 1;
            if own.calls == 0 {
                state.keys.remove(&self.key);
            }
        }
        if self.computed {
            state.all.begun -= 1;
            state.ends.push_back(Instant::now());
            if state.ends.len() > ENDS_KEPT {
                state.ends.pop_front();
            }
        }
        if state.all.calls == 0 {
            state.busy_since = None;
            state.ends.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(limits: AdmissionLimits) -> Arc<Gate> {
        Arc::new(Gate::new(limits))
    }

    fn key(name: &str) -> Slug {
        name.parse().unwrap()
    }

    /// `Some(own)` where it is refused.
    fn refused<T>(result: Result<T, NodeError>) -> Option<bool> {
        match result {
            Ok(_) => None,
            Err(NodeError::Busy { own, .. }) => Some(own),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn new_bounds_count_for_whoever_comes_next() {
        let gate = gate(AdmissionLimits::default());
        let inside = [gate.enter(&key("ada")), gate.enter(&key("ada"))].map(Result::unwrap);
        gate.limit(AdmissionLimits {
            calls_max: 2,
            ..AdmissionLimits::default()
        });
        assert_eq!(refused(gate.enter(&key("bob"))), Some(false));
        drop(inside);
        assert_eq!(refused(gate.enter(&key("bob"))), None);
    }

    #[test]
    fn calls_are_bounded_in_all_and_for_each_key() {
        let gate = gate(AdmissionLimits {
            calls_max: 3,
            calls_per_key_max: 2,
            ..AdmissionLimits::default()
        });
        let ada = [gate.enter(&key("ada")), gate.enter(&key("ada"))].map(Result::unwrap);
        assert_eq!(refused(gate.enter(&key("ada"))), Some(true));
        let bob = gate.enter(&key("bob")).unwrap();
        assert_eq!(refused(gate.enter(&key("eve"))), Some(false));
        drop(bob);
        let eve = gate.enter(&key("eve"));
        assert_eq!(refused(gate.enter(&key("bob"))), Some(false));
        drop((ada, eve));
        assert!(gate.lock().keys.is_empty());
        assert_eq!(gate.lock().all.calls, 0);
    }

    #[test]
    fn waiting_tokens_are_bounded_and_a_lone_prompt_is_never_too_long() {
        let gate = gate(AdmissionLimits {
            queued_tokens_max: 100,
            queued_tokens_per_key_max: 60,
            ..AdmissionLimits::default()
        });
        let enter = |name| gate.enter(&key(name)).unwrap();
        let [mut long, mut other] = [enter("ada"), enter("bob")];
        long.wait_with(1_000).unwrap();
        assert_eq!(refused(other.wait_with(1)), Some(false));
        long.begin();
        other.wait_with(50).unwrap();
        let mut more = enter("bob");
        assert_eq!(refused(more.wait_with(11)), Some(true));
        more.wait_with(10).unwrap();
        let mut third = enter("eve");
        assert_eq!(refused(third.wait_with(41)), Some(false));
        third.wait_with(40).unwrap();
        drop((long, other, more, third));
        assert_eq!(gate.lock().all.queued_tokens, 0);
    }

    /// Waiting, ends kept, seconds they took: whether the last in line could be reached in 30 s.
    #[test]
    fn who_could_not_be_reached_in_time_is_told_at_once() {
        for (waiting, ends, took, too_late) in [
            (0, 8, 80, false),
            (3, 8, 80, false),
            (4, 8, 80, true),
            (190, 64, 10, false),
            (193, 64, 10, true),
            // Too few to go by.
            (190, 7, 80, false),
            // None yet: two at a time, and the first two have taken so long already.
            (190, 0, 0, false),
            (20, 0, 3, false),
            (22, 0, 3, false),
            (24, 0, 3, true),
            (1, 0, 29, false),
            (3, 0, 31, true),
        ] {
            let now = Instant::now();
            let ago = now.checked_sub(Duration::from_secs(took)).unwrap();
            let state = State {
                all: Inside {
                    calls: waiting + 2,
                    begun: 2,
                    queued_tokens: 0,
                },
                busy_since: Some(ago),
                ends: vec![ago; ends].into(),
                ..State::default()
            };
            let (ahead, left) = (waiting.saturating_sub(1), Duration::from_secs(30));
            assert_eq!(
                state.comes_too_late(ahead, left, now),
                too_late,
                "{waiting} {ends} {took}"
            );
        }
        let gate = gate(AdmissionLimits::default());
        let mut call = gate.enter(&key("ada")).unwrap();
        call.begin();
        call.begin();
        assert_eq!(gate.lock().all.begun, 1);
        drop(call);
        assert_eq!(gate.lock().all.begun, 0);
    }

    #[test]
    fn a_place_in_the_line_is_fair_between_keys() {
        let gate = gate(AdmissionLimits::default());
        let enter = |name| {
            let call = gate.enter(&key(name)).unwrap();
            call.join_line().unwrap();
            call
        };
        let mut calls = ["ada", "ada", "ada", "bob", "ada", "bob", "eve"].map(enter);
        let ahead = |call: &Admitted| gate.lock().ahead(&call.key, call.number);
        assert_eq!(calls.each_ref().map(ahead), [0, 3, 5, 0, 6, 3, 0]);
        calls[0].begin();
        assert_eq!(ahead(&calls[1]), 0);
        assert_eq!(ahead(&calls[5]), 3);
        drop(calls);
        assert!(gate.lock().line.is_empty());
    }

    /// Two are computed since so many seconds and have not ended. How long the last in the line has waited, how
    /// many are before it, and whether it is told that it waits in vain.
    #[test]
    fn who_waits_in_vain_is_told_as_soon_as_it_is_seen() {
        for (computed, waited, ahead, told) in [
            (3, 3, 16, false),
            (3, 3, 20, true),
            (10, 10, 3, false),
            (10, 10, 6, true),
            // It has only just come, or they have.
            (10, 1, 180, false),
            (1, 1, 180, false),
        ] {
            let gate = gate(AdmissionLimits::default());
            let enter = || gate.enter(&key("ada")).unwrap();
            let mut first = [enter(), enter()];
            first.iter_mut().for_each(Admitted::begin);
            let mut line: Vec<_> = (0..=ahead).map(|_| enter()).collect();
            line.iter().for_each(|call| call.join_line().unwrap());
            let now = Instant::now();
            let ago = |seconds| now.checked_sub(Duration::from_secs(seconds)).unwrap();
            gate.lock().busy_since = Some(ago(computed));
            let last = line.last_mut().unwrap();
            last.since = ago(waited);
            let vain = last.waits_in_vain(last.deadline(), now);
            assert_eq!(vain, told, "{computed} {waited} {ahead}");
        }
    }

    /// So many calls, some of them computed, at so many a second.
    #[test]
    fn the_pause_is_what_was_seen() {
        let now = Instant::now();
        let ago = |seconds: u64| now.checked_sub(Duration::from_secs(seconds)).unwrap();
        for (calls, begun, ends, busy, expected) in [
            (10, 0, vec![ago(4), ago(3), ago(2), ago(1)], ago(8), 20),
            (1, 0, vec![], ago(5), 5),
            (256, 0, vec![], ago(0), 1),
            // Nothing ended yet: how many they are says nothing of when they will, if nobody is computed.
            (192, 0, vec![], ago(3), 3),
            // Those who wait are 23 rounds of those who are, and each takes longer than this.
            (192, 8, vec![], ago(1), 23),
            (192, 8, vec![], ago(2), 30),
            // The line is empty after 30.
            (1_000, 8, vec![ago(1)], ago(100), 30),
            // Those kept begin later than the work did.
            (64, 8, vec![ago(22); ENDS_KEPT], ago(3_000), 22),
        ] {
            let state = State {
                all: Inside {
                    calls,
                    begun,
                    queued_tokens: 0,
                },
                busy_since: Some(busy),
                ends: ends.into(),
                ..State::default()
            };
            assert_eq!(state.drained_in(now).as_secs(), expected, "{calls}");
        }
    }
}
