//! What keys are limited to.

use super::{World, parsed, used};
use crate::{Command, KeyLimits, Keyring, LimitKey, Outcome, Rate, Refusal, Reply};
use aigen_types::Timestamp;
use alloc::vec;

impl World {
    fn limit(&mut self, limits: KeyLimits) -> Result<Reply, Refusal> {
        let key = parsed("ada-key");
        self.apply(Command::LimitKey(LimitKey { key, limits }))
    }

    fn whole_call(&mut self, call: u128) -> Result<Reply, Refusal> {
        self.open(call, 10, 100, None)?;
        self.close(call, used(10, 5), Outcome::Stop)
    }

    /// Beyond the end of the running minute.
    fn next_minute(&mut self) {
        self.seconds += 60;
    }
}

fn limited(rate: Rate) -> impl Fn(&Result<Reply, Refusal>) -> bool {
    move |result| matches!(result, Err(Refusal::RateLimited { rate: reached, .. }) if *reached == rate)
}

#[test]
fn requests_of_one_minute_are_counted() {
    let mut world = World::new(1_000_000);
    let limits = KeyLimits {
        requests_per_minute: Some(2),
        ..KeyLimits::default()
    };
    world.limit(limits).unwrap();
    // Whatever second it is, at most two of three calls begin within its minute.
    world.next_minute();
    world.seconds -= world.seconds % 60;
    world.open(1, 10, 100, None).unwrap();
    world.open(2, 10, 100, None).unwrap();
    let third = world.open(3, 10, 100, None);
    assert!(limited(Rate::Requests)(&third), "{third:?}");
    world.next_minute();
    world.open(4, 10, 100, None).unwrap();
}

#[test]
fn tokens_of_one_minute_are_counted() {
    let mut world = World::new(1_000_000);
    let limits = KeyLimits {
        tokens_per_minute: Some(16),
        ..KeyLimits::default()
    };
    world.limit(limits).unwrap();
    world.next_minute();
    world.seconds -= world.seconds % 60;
    // 15 of 16: there is room for one more call, whatever it comes to.
    world.whole_call(1).unwrap();
    world.whole_call(2).unwrap();
    let third = world.whole_call(3);
    assert!(limited(Rate::Tokens)(&third), "{third:?}");
    world.next_minute();
    world.whole_call(4).unwrap();
}

#[test]
fn a_key_ends_by_ledger_time_and_asks_what_it_may() {
    let mut world = World::new(1_000_000);
    for (limits, expected) in [
        (KeyLimits::default(), None),
        (
            KeyLimits {
                models: vec![parsed("other")],
                ..KeyLimits::default()
            },
            Some(Refusal::ModelNotAllowed),
        ),
        (
            KeyLimits {
                models: vec![parsed("other"), parsed("tiny")],
                ..KeyLimits::default()
            },
            None,
        ),
        (
            KeyLimits {
                expires_at: Some(Timestamp(1)),
                ..KeyLimits::default()
            },
            Some(Refusal::KeyExpired),
        ),
    ] {
        world.limit(limits.clone()).unwrap();
        let call = u128::from(world.seconds);
        let refused = world.open(call, 10, 100, None).err();
        assert_eq!(refused, expected, "{limits:?}");
    }
    world.limit(KeyLimits::default()).unwrap();
    assert_eq!(world.network.keyring(), &Keyring::default());
}

#[test]
fn controllers_can_be_limited_by_name() {
    let mut world = World::new(1_000_000);
    let quiz = world.controller("ada/quiz@1.0.0");
    let reply = world.controller("ada/reply@1.0.0");
    let limits = KeyLimits {
        controllers: vec![parsed("ada/quiz")],
        ..KeyLimits::default()
    };
    world.limit(limits).unwrap();
    world.open(1, 10, 100, Some(quiz)).unwrap();
    world.open(2, 10, 100, None).unwrap();
    let refused = world.open(3, 10, 100, Some(reply));
    assert_eq!(refused, Err(Refusal::ControllerNotAllowed));
}

#[test]
fn only_what_is_there_is_limited_and_lists_are_bounded() {
    let mut world = World::new(1_000);
    let unknown = LimitKey {
        key: parsed("nobody"),
        limits: KeyLimits::default(),
    };
    let refused = world.apply(Command::LimitKey(unknown));
    assert_eq!(refused, Err(Refusal::KeyUnknown));
    let many = KeyLimits {
        models: vec![parsed("tiny"); 65],
        ..KeyLimits::default()
    };
    assert_eq!(world.limit(many), Err(Refusal::TooLong));
    let many = KeyLimits {
        datasets: vec![parsed("books/faq"); 65],
        ..KeyLimits::default()
    };
    assert_eq!(world.limit(many), Err(Refusal::TooLong));
}
