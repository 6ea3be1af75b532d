//! A state with one of everything that scoring keeps beside the running epoch.

use super::super::{amount, founding, parsed};
use super::NOW;
use crate::{Batch, MemoryStore, Replica, Snapshot, replay};
use aigen_network::{
    Command, Governance, Held, OpenAppeal, Opened, Plan, Rules, RulesVersion, StakeStanding, Terms,
    Waiting,
};
use aigen_types::{Digest, Epoch, Timestamp, TransferId};
use std::collections::BTreeMap;

fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}

fn governance(rules: Rules) -> Governance {
    let terms = Terms {
        registration_bond: amount(1),
        activation_epochs: 2,
        unbonding_epochs: 3,
        panel: 4,
        commit_seconds: 5,
        reveal_seconds: 6,
        appeal_seconds: 7,
        appeal_bond: amount(8),
        timelock_epochs: 9,
    };
    let version = RulesVersion {
        from: Epoch(3),
        rules: Rules { terms, ..rules },
    };
    let waiting = |until, nano| Waiting {
        until: Epoch(until),
        amount: amount(nano),
    };
    let standing = StakeStanding {
        coming: vec![waiting(4, 10)],
        leaving: vec![waiting(5, 11), waiting(6, 12)],
        bond: amount(13),
    };
    let appeal = OpenAppeal {
        from: parsed("user:ada"),
        bond: amount(14),
        controller: digest(1),
        parameter: parsed("quality"),
        evidence: digest(2),
    };
    let held = Held {
        until: Timestamp(15),
        decide_until: Timestamp(16),
        appeals: BTreeMap::from([(TransferId(17), appeal)]),
        revisions: 18,
    };
    let opened = Opened {
        seed: Some(digest(3)),
        telemetry_at_assignment: digest(4),
        telemetry: digest(5),
    };
    Governance {
        rules: BTreeMap::from([(1, version)]),
        standings: BTreeMap::from([(parsed("vera"), standing)]),
        plan: Plan {
            commit_until: Some(Timestamp(19)),
            reveal_until: Some(Timestamp(20)),
            seed: Some(digest(6)),
            telemetry: digest(7),
            eligible: BTreeMap::from([(parsed("vera"), parsed("vera-inc"))]),
        },
        held: BTreeMap::from([(Epoch(2), held)]),
        opened: BTreeMap::from([(Epoch(2), opened)]),
        beacon: Some(digest(8)),
    }
}

/// Of a network that is founded and nothing more.
pub fn snapshot() -> Snapshot {
    let (mut replica, _) = Replica::open(Box::<MemoryStore>::default(), |_| {}).unwrap();
    let founded: Vec<Command> = vec![founding()];
    replica.commit(NOW, &[Batch::new(founded)]).unwrap();
    let mut snapshot: Snapshot = replay(replica.store(), |_| {}).unwrap().into();
    let rules = snapshot.network.rules().unwrap();
    snapshot.network = snapshot.network.with_governance(governance(rules));
    snapshot
}
