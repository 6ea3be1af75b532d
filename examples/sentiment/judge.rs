//! The typed function, and who steers and pays its calls.

use aigen_client::Client;
use aigen_marvin::{AiError, ai_fn};
use aigen_types::Address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a message feels.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Sentiment {
    pub polarity: Polarity,
    /// Whether the words say the opposite of what is meant.
    pub sarcasm: bool,
    /// The words of the message that decide it.
    #[schemars(length(min = 1, max = 80))]
    pub evidence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Polarity {
    Positive,
    Negative,
    Neutral,
}

/// Judge the sentiment of `text`, given its `context`. Sarcasm flips polarity.
#[ai_fn(max_tokens = 120, temperature = 0.0, check = evidence_is_quoted)]
async fn contextual_sentiment(
    /** what it answers to, or where it stands */
    context: &str,
    /** the message to judge */
    text: &str,
) -> Result<Sentiment, AiError>;

fn evidence_is_quoted(value: &Sentiment, _: &str, text: &str) -> Result<(), String> {
    if text.contains(&value.evidence) {
        return Ok(());
    }
    Err(format!("{:?} is not in the text", value.evidence))
}

/// Who is asked, by what it is steered, and who pays.
pub struct Judge {
    pub client: Client,
    pub controller: Option<String>,
    pub bill_to: Option<Address>,
}

impl Judge {
    /// # Errors
    /// Where the node refuses, or no judgement was accepted.
    pub async fn judge(&self, text: &str, context: &str) -> Result<Sentiment, AiError> {
        let text = plain(text);
        let mut call = contextual_sentiment::call(context, &text).on(&self.client);
        if let Some(controller) = &self.controller {
            call = call.controller(controller).param("text", text.as_str());
        }
        if let Some(user) = &self.bill_to {
            call = call.bill_to(user.clone());
        }
        call.await
    }
}

/// The text on one line and without what JSON escapes, so that a quotation of it may stand in
/// JSON as it is.
fn plain(text: &str) -> String {
    let text = text.replace('"', "'").replace('\\', "/");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_can_stand_in_json() {
        assert_eq!(
            plain("He said \"no\",\n\n  twice\\."),
            "He said 'no', twice/."
        );
    }

    #[test]
    fn evidence_from_elsewhere_is_refused() {
        let judged = |evidence: &str| Sentiment {
            polarity: Polarity::Neutral,
            sarcasm: false,
            evidence: evidence.to_owned(),
        };
        assert_eq!(
            evidence_is_quoted(&judged("it broke"), "", "Great, it broke."),
            Ok(())
        );
        let refused = evidence_is_quoted(&judged("it works"), "", "Great, it broke.");
        assert_eq!(refused, Err("\"it works\" is not in the text".to_owned()));
    }
}
