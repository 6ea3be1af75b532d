//! Caps hold whatever calls do: at every step, in every period, at every level.

use super::{World, parsed, used};
use crate::{
    Capped, Command, GrantAllowance, NewKey, OpenCall, Outcome, Period, RefundReason, Refusal,
    Reply, ReverseCall, Role, SetBudget,
};
use aigen_types::{Amount, CallId, Digest, NodeId, Ppm, TransferId};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use proptest::prelude::*;

const PATHS: [&str; 4] = [
    "org:acme",
    "org:acme:app:tutor",
    "org:acme:app:tutor:user:42",
    "org:acme:app:tutor:user:*",
];

impl World {
    fn organisation(funds: u128) -> Self {
        let mut world = Self::new(funds);
        world.issue("org:acme", funds);
        world.key("org-key", "org:acme", None);
        world.key("tutor-key", "org:acme", Some("org:acme:app:tutor"));
        world
    }

    fn key(&mut self, name: &str, account: &str, spender: Option<&str>) {
        self.ok(Command::CreateKey(NewKey {
            name: parsed(name),
            secret_hash: Digest([1; 32]),
            account: parsed(account),
            role: Role::Customer,
            spender: spender.map(parsed),
        }));
    }

    fn budget(&mut self, path: &str, cap: Option<u128>, period: Period) -> Result<Reply, Refusal> {
        self.apply(Command::SetBudget(SetBudget {
            path: parsed(path),
            cap: cap.map(Amount::from_nano),
            period,
        }))
    }

    fn begin(&mut self, call: u128, key: &str, user: Option<&str>, bill_to: Option<&str>) {
        let _ = self.apply(Command::OpenCall(OpenCall {
            call: CallId(call),
            key: parsed(key),
            model: parsed("tiny"),
            controller: None,
            prompt_tokens: 10,
            chunk_tokens: 100,
            budget: None,
            request: Digest([3; 32]),
            node: NodeId(7),
            least_tokens: 1,
            end_user: user.map(parsed),
            bill_to: bill_to.map(parsed),
            reads: alloc::vec::Vec::new(),
        }));
    }
}

#[derive(Clone, Debug)]
enum Act {
    Budget {
        path: usize,
        cap: Option<u128>,
        period: Period,
    },
    Allow {
        cap: u128,
        margin: u32,
    },
    Open {
        call: u128,
        who: usize,
    },
    Extend {
        call: u128,
        chunk: u64,
    },
    Close {
        call: u128,
        share: u64,
    },
    Reverse {
        call: u128,
    },
    Wait {
        hours: u64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let call = 1..6_u128;
    let period = prop_oneof![
        Just(Period::Day),
        Just(Period::Week),
        Just(Period::Month),
        Just(Period::Total)
    ];
    let cap = prop::option::weighted(0.9, 0..30_000_u128);
    prop_oneof![
        2 => (0..PATHS.len(), cap, period).prop_map(|(path, cap, period)| Act::Budget { path, cap, period }),
        1 => (0..30_000_u128, 0..=1_000_000_u32).prop_map(|(cap, margin)| Act::Allow { cap, margin }),
        6 => (call.clone(), 0..4_usize).prop_map(|(call, who)| Act::Open { call, who }),
        4 => (call.clone(), 1..300_u64).prop_map(|(call, chunk)| Act::Extend { call, chunk }),
        5 => (call.clone(), 0..=100_u64).prop_map(|(call, share)| Act::Close { call, share }),
        1 => call.prop_map(|call| Act::Reverse { call }),
        2 => (1..60_u64).prop_map(|hours| Act::Wait { hours }),
    ]
}

fn perform(world: &mut World, serial: &mut u128, names: &mut BTreeMap<u128, u128>, act: Act) {
    match act {
        Act::Budget { path, cap, period } => {
            let _ = world.budget(PATHS[path], cap, period);
        }
        Act::Allow { cap, margin } => {
            world.ok(Command::GrantAllowance(GrantAllowance {
                user: parsed("user:ada"),
                app: parsed("org:acme"),
                cap: Amount::from_nano(cap),
                period: Period::Day,
                margin: Ppm::new(margin).unwrap(),
                expires_at: None,
            }));
        }
        Act::Open { call, who } => {
            *serial += 1;
            names.insert(call, *serial);
            match who {
                0 => world.begin(*serial, "org-key", None, None),
                1 => world.begin(*serial, "tutor-key", None, None),
                2 => world.begin(*serial, "tutor-key", Some("42"), None),
                _ => world.begin(*serial, "tutor-key", Some("43"), Some("user:ada")),
            }
        }
        Act::Extend { call, chunk } => {
            let call = names.get(&call).copied().unwrap_or_default();
            if let Some(open) = world.network.call(CallId(call)) {
                let used = open.used;
                let _ = world.extend(call, chunk, used);
            }
        }
        Act::Close { call, share } => {
            let call = names.get(&call).copied().unwrap_or_default();
            if let Some(open) = world.network.call(CallId(call)) {
                let used = used(10, open.covered_tokens * share / 100);
                world
                    .close(call, used, Outcome::Stop)
                    .expect("within its cover");
            }
        }
        Act::Reverse { call } => {
            let call = names.get(&call).copied().unwrap_or_default();
            let _ = world.apply(Command::ReverseCall(ReverseCall {
                id: TransferId(1),
                call: CallId(call),
                reason: RefundReason::Other,
            }));
        }
        Act::Wait { hours } => world.seconds += hours * 3_600,
    }
}

/// What every cap in use has beyond it: by how much spent and held together exceed it.
fn excesses(world: &World) -> BTreeMap<String, (u128, u128)> {
    let receipts = world.network.receipts();
    let ended = receipts.flat_map(|(_, receipt)| receipt.call.caps.clone());
    let calls = world.network.calls();
    let caps = ended.chain(calls.flat_map(|(_, call)| call.caps.clone()));
    let excess = |cap: crate::Cap| {
        let state = world.network.cap_state(&cap);
        let used = state.spent.nano() + state.held.nano();
        (
            format!("{} {:?}", cap.of, cap.window),
            (used, state.cap.nano()),
        )
    };
    caps.map(excess).collect()
}

proptest! {
    /// Random calls against random budgets: what is spent and held of a cap never grows while it
    /// is above the cap, so that only lowering a budget can leave it there. `World::check` proves
    /// after every command that each cap's account says what receipts and running calls say.
    #[test]
    fn no_cap_is_ever_exceeded(acts in prop::collection::vec(act(), 1..80)) {
        let mut world = World::organisation(200_000);
        let (mut serial, mut names) = (0, BTreeMap::new());
        let mut before: BTreeMap<String, (u128, u128)> = BTreeMap::new();
        for act in acts {
            perform(&mut world, &mut serial, &mut names, act);
            let now = excesses(&world);
            for (cap, (used, most)) in &now {
                let earlier = before.get(cap).map_or(0, |(used, _)| *used);
                prop_assert!(used <= most || *used <= earlier, "{cap}: {used} of {most}");
            }
            before = now;
        }
        let open: Vec<_> = world.network.calls().map(|(id, call)| (id.0, call.used)).collect();
        for (call, used) in open {
            prop_assert!(world.close(call, used, Outcome::Recovered).is_ok());
        }
        for account in world.network.ledger().accounts() {
            prop_assert!(account.debits_pending.is_zero());
        }
    }
}

/// Units of caps are no money: neither issued nor owned by anyone, and no transfer of theirs has a
/// reason that a statement would show.
#[test]
fn caps_are_not_money() {
    let mut world = World::organisation(100_000);
    let issued = world.network.issued();
    world
        .budget("org:acme", Some(50_000), Period::Total)
        .unwrap();
    world.begin(1, "tutor-key", Some("42"), None);
    world.close(1, used(10, 50), Outcome::Stop).unwrap();
    let ledger = world.network.ledger();
    let units = || {
        ledger
            .transfers()
            .filter(|transfer| transfer.ledger == crate::LEDGER_CAPS)
    };
    assert_eq!(units().count(), 3, "funding, hold, capture");
    assert!(units().all(|transfer| crate::transfer_reason(&transfer).is_none()));
    assert_eq!(world.network.issued(), issued);
    assert!(
        world
            .network
            .known_addresses()
            .iter()
            .all(|address| !address.as_str().contains("tutor"))
    );
}

/// An account that counts against a cap and that no call explains is found.
#[test]
fn a_forged_cap_is_found() {
    let mut world = World::organisation(100_000);
    world
        .budget("org:acme", Some(50_000), Period::Total)
        .unwrap();
    world.begin(1, "org-key", None, None);
    world.close(1, used(10, 50), Outcome::Stop).unwrap();
    assert_eq!(world.network.check(), Ok(()));
    let mut caps = Vec::new();
    let receipts = &mut world.network.receipts;
    receipts.forge(CallId(1), |receipt| {
        caps = core::mem::take(&mut receipt.call.caps);
    });
    let found = world.network.check().unwrap_err();
    assert!(matches!(found, crate::Unsound::CapUnknown(_)), "{found}");
    world.network.receipts.forge(CallId(1), |receipt| {
        receipt.call.caps = caps;
        receipt.margin = Amount::from_nano(1);
    });
    let found = world.network.check().unwrap_err().to_string();
    assert!(found.starts_with("org:acme: "), "{found}");
}

#[test]
fn a_reversal_leaves_the_tallies_as_if_nothing_had_been() {
    let mut world = World::new(1_000_000);
    let digest = world.controller("bo/quiz@1.0.0");
    world.open(1, 100, 256, Some(digest)).unwrap();
    world.close(1, used(100, 40), Outcome::Stop).unwrap();
    let before = world.network.epoch().tallies.clone();
    world.open(2, 100, 256, Some(digest)).unwrap();
    world
        .close(2, used(100, 70), Outcome::ControllerFault)
        .unwrap();
    assert_ne!(world.network.epoch().tallies, before);
    world.ok(Command::ReverseCall(ReverseCall {
        id: TransferId(1),
        call: CallId(2),
        reason: RefundReason::Duplicate,
    }));
    assert_eq!(world.network.epoch().tallies, before);
}

#[test]
fn calls_know_their_node() {
    let mut world = World::new(1_000_000);
    world.open(1, 10, 10, None).unwrap();
    let of = |world: &World, node| world.network.calls_of(NodeId(node)).count();
    assert_eq!((of(&world, 7), of(&world, 8)), (1, 0));
}

#[test]
fn a_cap_is_one_transfer_at_most() {
    let mut world = World::new(1);
    let refused = world.budget("user:ada", Some(1 << 63), Period::Day);
    assert_eq!(refused, Err(Refusal::AmountTooLarge));
    let unknown = world
        .network
        .cap_at(aigen_types::Timestamp(0), Capped::Path(parsed("user:ada")));
    assert_eq!(unknown, None);
}
