//! Who takes part: an app with users, two developers, three validators.

use super::story::{OFFERS, Offer, TASKS, Task};
use crate::output::Output;
use crate::reach::Asked;
use crate::signing::{plain_manifest, sign};
use aigen_api::openai::{ChatRequest, ChatResponse, Extension, Message, Role};
use aigen_api::resources::{
    Controller, ControllerKind, Fund, KeyCreated, KeyLimits, KeyRole, NewKey, PublishController,
    RegisterValidator, Transfer,
};
use aigen_types::Amount;
use anyhow::Result;
use ed25519_dalek::SigningKey;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub const INTRODUCTION: &str = "\
The app `lessons` turns texts that its users bring into quiz items and replies. Two developers
offer a controller for each: Ada's may only quote the given text where facts are stated, Bob's
keeps the same form and lets the model say what it likes. The app pays for both.
";

const OPERATOR_AIGEN: &str = "1";
const APP_AIGEN: &str = "2";
const VALIDATOR_AIGEN: &str = "60";
const STAKE_AIGEN: &str = "50";
const ANSWER_TOKENS_MAX: u32 = 80;

/// A party with a key of its own.
pub struct Party {
    pub name: String,
    pub key: String,
}

/// Everyone but the operator.
pub struct Cast {
    app: Asked,
    model: String,
    pub validators: Vec<Party>,
}

/// What went through one controller before it was scored.
#[derive(Clone, Debug, Serialize)]
pub struct Tally {
    pub controller: String,
    pub calls: usize,
    /// Answers whose stated fact stands in the user's text.
    pub facts_in_text: usize,
    pub spent: String,
}

impl Cast {
    /// Gives everyone a key and what they need to begin, and publishes the controllers.
    pub async fn assemble(operator: &Asked, url: &str) -> Result<Self> {
        // Audits are calls like any other, and the operator pays for its own.
        fund(operator, "operator", OPERATOR_AIGEN).await?;
        let app = party(operator, "app:lessons").await?;
        fund(operator, "app:lessons", APP_AIGEN).await?;
        for owner in ["ada", "bob"] {
            let developer = party(operator, &format!("developer:{owner}")).await?;
            let developer = Asked::new(url, &developer.key)?;
            for offer in OFFERS
                .iter()
                .filter(|offer| offer.reference.starts_with(owner))
            {
                publish(&developer, offer).await?;
            }
        }
        let mut validators = Vec::new();
        for name in ["vera", "viktor", "violet"] {
            validators.push(validator(operator, url, name).await?);
        }
        let app = Asked::new(url, &app.key)?;
        let model = crate::commands::validator::first_model(&app).await?;
        Ok(Self {
            app,
            model,
            validators,
        })
    }

    /// Every task goes to each of these controllers that can do it.
    pub async fn work(&self, offers: &[&Offer], output: Output) -> Result<Vec<Tally>> {
        let mut tallies = Vec::new();
        for offer in offers {
            tallies.push(self.use_controller(offer, output).await?);
        }
        Ok(tallies)
    }

    async fn use_controller(&self, offer: &Offer, output: Output) -> Result<Tally> {
        output.say(format!("{}: {}", offer.reference, offer.description));
        let mut spent = Amount::ZERO;
        let (mut calls, mut facts_in_text) = (0, 0);
        for task in TASKS.iter().filter(|task| task.suite == offer.suite) {
            let reply = self.ask(task, offer).await?;
            let text = reply.text();
            let in_text = states_a_fact_of(text, task.text);
            spent = spent.saturating_add(reply.aigen.as_ref().map_or(Amount::ZERO, |a| a.cost));
            calls += 1;
            facts_in_text += usize::from(in_text);
            let mark = if in_text {
                "in the text"
            } else {
                "NOT in the text"
            };
            output.say(format!("  {}   <- {mark}", text.replace('\n', " | ")));
        }
        output.say("");
        Ok(Tally {
            controller: offer.reference.to_owned(),
            calls,
            facts_in_text,
            spent: spent.to_string(),
        })
    }

    async fn ask(&self, task: &Task, offer: &Offer) -> Result<ChatResponse> {
        let question = Message::new(Role::User, task.question());
        let mut request = ChatRequest::new(&self.model, vec![question]);
        request.max_tokens = Some(ANSWER_TOKENS_MAX);
        request.temperature = Some(0.0);
        request.aigen = Some(Extension {
            controller: Some(offer.reference.to_owned()),
            params: task.params(),
            ..Extension::default()
        });
        self.app.post("/v1/chat/completions", &request).await
    }
}

/// Whether the last line's statement, after its label, stands in the text word for word.
fn states_a_fact_of(answer: &str, text: &str) -> bool {
    let last = answer.lines().last().unwrap_or_default();
    let fact = last.split_once(": ").map_or(last, |(_, fact)| fact);
    let fact = fact.trim().trim_end_matches('.');
    !fact.is_empty() && text.contains(fact)
}

async fn party(operator: &Asked, address: &str) -> Result<Party> {
    let request = NewKey {
        account: address.parse()?,
        name: None,
        role: KeyRole::Customer,
        spender: None,
        limits: KeyLimits::default(),
        budget: None,
    };
    let created: KeyCreated = operator.post("/v1/aigen/keys", &request).await?;
    let name = address.rsplit(':').next().unwrap_or(address).to_owned();
    Ok(Party {
        name,
        key: created.key,
    })
}

async fn fund(operator: &Asked, address: &str, aigen: &str) -> Result<()> {
    let request = Fund {
        to: address.parse()?,
        amount: aigen.parse()?,
        id: None,
    };
    let _: Transfer = operator.post("/v1/aigen/issue", &request).await?;
    Ok(())
}

async fn publish(developer: &Asked, offer: &Offer) -> Result<()> {
    let request = PublishController {
        reference: offer.reference.parse()?,
        kind: ControllerKind::Grammar,
        source: offer.source.to_owned(),
        component: None,
        listed: true,
        description: offer.description.to_owned(),
        release: None,
    };
    // Anyone can make this key, and need not: the network is gone when the demo ends.
    let owner = request.reference.owner.as_str();
    let key = SigningKey::from_bytes(&Sha256::digest(owner).into());
    let request = sign(request, plain_manifest(offer.description), &key);
    let _: Controller = developer.post("/v1/aigen/controllers", &request).await?;
    Ok(())
}

async fn validator(operator: &Asked, url: &str, name: &str) -> Result<Party> {
    let address = format!("validator:{name}");
    let party = party(operator, &address).await?;
    fund(operator, &address, VALIDATOR_AIGEN).await?;
    let own = Asked::new(url, &party.key)?;
    let request = RegisterValidator {
        name: name.parse()?,
        owner: format!("{name}-inc").parse()?,
        stake: STAKE_AIGEN.parse()?,
    };
    let _: Value = own.post("/v1/aigen/validators", &request).await?;
    Ok(party)
}

#[cfg(test)]
mod tests {
    use super::states_a_fact_of;

    #[test]
    fn facts_are_compared_word_for_word() {
        let text = "Lake Baikal lies in Siberia. It is deep.";
        assert!(states_a_fact_of(
            "Question: Where?\nAnswer: Lake Baikal",
            text
        ));
        assert!(states_a_fact_of("Reply: Hello\nFact: It is deep.", text));
        assert!(!states_a_fact_of(
            "Question: Where?\nAnswer: Lake Bakal",
            text
        ));
        assert!(!states_a_fact_of("Question: Where?\nAnswer: ", text));
    }
}
