use crate::evaluation::{Library, Planted, Suite, salt};
use crate::reach::Asked;
use crate::signing::{plain_manifest, sign};
use aigen_api::resources::{
    AssignRequest, Assignment, Controller, ControllerKind, EpochState, GoldOpening, List,
    PublishController, Validator,
};
use aigen_network::{gold_commitment, panel, seed_commitment};
use aigen_types::{ControllerRef, Digest, Epoch, Slug};
use anyhow::{Result, anyhow};
use ed25519_dalek::SigningKey;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// Epochs that one operator's key has seeds for: a day each, 179 years.
const SEEDS_MAX: u64 = 1 << 16;

/// A controller version and the suite to evaluate it with.
#[derive(Clone, Debug)]
pub struct Evaluate {
    /// The version.
    pub controller: ControllerRef,
    /// The suite's name.
    pub suite: Slug,
}

impl FromStr for Evaluate {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once('=');
        let (controller, suite) =
            parts.ok_or_else(|| anyhow!("write it as owner/name@1.0.0=suite"))?;
        Ok(Self {
            controller: controller.parse()?,
            suite: suite.parse()?,
        })
    }
}

/// Publishes the planted controllers of every suite used, then asks every validator about every
/// controller in every voted parameter, except about those of its own owner. Gives the number
/// of questions.
///
/// # Errors
/// When a controller or suite is unknown, or the node refuses.
pub async fn assign(node: &Asked, evaluate: &[Evaluate], library: &Library) -> Result<usize> {
    let state: EpochState = node.get("/v1/aigen/epochs/current").await?;
    let validators: List<Validator> = node.get("/v1/aigen/validators").await?;
    let mut questions = Vec::new();
    for wanted in evaluate {
        let suite = library.find(&wanted.suite)?;
        let path = format!("/v1/aigen/controllers/{}", wanted.controller);
        let controller: Controller = node.get(&path).await?;
        questions.push((controller.digest, wanted.controller.owner.clone(), suite));
    }
    let used: BTreeSet<_> = evaluate.iter().map(|wanted| &wanted.suite).collect();
    let mut gold = Vec::new();
    for name in used {
        let suite = library.find(name)?;
        for planted in plant(node, state.epoch, suite).await? {
            questions.push((planted.digest, planted.owner.clone(), suite));
            gold.extend(planted.openings(node.key(), state.epoch));
        }
    }
    let cells: Vec<_> = questions
        .iter()
        .flat_map(|question| cells_of(&state, &validators.data, question))
        .collect();
    let count = cells.len();
    let request = AssignRequest {
        cells,
        gold: gold.iter().map(commitment).collect(),
        seed: Some(seed_commitment(seed(node.key(), state.epoch))),
    };
    let path = format!("/v1/aigen/epochs/{}/assign", state.epoch);
    let _: Value = node.post(&path, &request).await?;
    Ok(count)
}

/// The cells of one controller: its panel, as the rules have it drawn, in every parameter that its
/// suite checks. Without a rule everyone is asked but its owner.
fn cells_of(
    state: &EpochState,
    validators: &[Validator],
    (controller, owner, suite): &(Digest, Slug, &Suite),
) -> Vec<Assignment> {
    let staked = validators
        .iter()
        .filter(|validator| !validator.active_stake.is_zero());
    let eligible = staked.map(|validator| (validator.name.clone(), validator.owner.clone()));
    let eligible = eligible.collect();
    let asked = panel(state.panel_seed, *controller, owner, &eligible, state.panel);
    let cell = |validator: &Slug, parameter: &Slug| Assignment {
        validator: validator.clone(),
        controller: *controller,
        parameter: parameter.clone(),
        suite: suite.name.clone(),
    };
    let cells = asked.iter().flat_map(|validator| {
        let parameters = suite.checks.keys();
        parameters.map(move |parameter| cell(validator, parameter))
    });
    cells.collect()
}

/// The seed of an epoch: the end of a chain of hashes that begins at the operator's key, so that
/// each seed is the commitment to the next, and none can be chosen later.
pub(super) fn seed(operator_key: &str, epoch: Epoch) -> Digest {
    let start = blake3::derive_key("aigen epoch seeds v1", operator_key.as_bytes());
    let links = SEEDS_MAX.saturating_sub(epoch.0);
    (0..links).fold(Digest(start), |seed, _| seed_commitment(seed))
}

fn commitment(opening: &GoldOpening) -> Digest {
    gold_commitment(
        opening.controller,
        &opening.parameter,
        opening.truth,
        opening.salt,
    )
}

/// A planted controller as the registry knows it.
pub(super) struct Published {
    pub digest: Digest,
    owner: Slug,
    truths: BTreeMap<Slug, u32>,
}

impl Published {
    /// What the operator commits to at assignment and opens at settlement.
    pub fn openings(&self, operator_key: &str, epoch: Epoch) -> Vec<GoldOpening> {
        let opening = |(parameter, truth): (&Slug, &u32)| GoldOpening {
            controller: self.digest,
            salt: salt(operator_key, epoch.0, self.digest, parameter),
            parameter: parameter.clone(),
            truth: *truth,
        };
        self.truths.iter().map(opening).collect()
    }
}

/// Publishes a suite's planted controllers of an epoch; publishing the same again changes nothing,
/// so that the close finds exactly those of the assignment.
pub(super) async fn plant(node: &Asked, epoch: Epoch, suite: &Suite) -> Result<Vec<Published>> {
    let mut published = Vec::new();
    for (at, planted) in Planted::all(suite)?.into_iter().enumerate() {
        let request = PublishController {
            reference: inconspicuous(node.key(), epoch, suite, at)?,
            kind: ControllerKind::Script,
            source: planted.source,
            component: None,
            listed: true,
            description: format!("{} that users like", suite.name),
            release: None,
        };
        // Signed like any other, by a publisher that only the operator's key can tell.
        let key = hidden_publisher(node.key(), &request.reference);
        let manifest = plain_manifest(&request.description);
        let request = sign(request, manifest, &key);
        let controller: Controller = node.post("/v1/aigen/controllers", &request).await?;
        published.push(Published {
            digest: controller.digest,
            owner: controller.reference.owner,
            truths: planted.truths,
        });
    }
    Ok(published)
}

fn hidden_publisher(operator_key: &str, reference: &ControllerRef) -> SigningKey {
    let mut hasher = blake3::Hasher::new_derive_key("aigen planted publisher v1");
    hasher.update(operator_key.as_bytes());
    hasher.update(reference.owner.as_str().as_bytes());
    SigningKey::from_bytes(hasher.finalize().as_bytes())
}

/// A name that tells nobody but whoever has the operator's key that the controller is planted.
fn inconspicuous(
    operator_key: &str,
    epoch: Epoch,
    suite: &Suite,
    at: usize,
) -> Result<ControllerRef> {
    let mut hasher = blake3::Hasher::new_derive_key("aigen planted name v1");
    hasher.update(operator_key.as_bytes());
    hasher.update(format!("{epoch}/{}/{at}", suite.name).as_bytes());
    let hash = hasher.finalize().to_hex();
    let (owner, name) = (&hash[..6], &hash[6..10]);
    Ok(format!("studio-{owner}/{}-{name}@1.0.0", suite.name).parse()?)
}
