//! AI functions in Rust, computed by the bundled model of a node: the type is the decoder's promise.

use crate::support::Folder;
use aigen_client::Client;
use aigen_marvin::{AiError, Guarantee, ai_fn, classify};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Polarity {
    Positive,
    Negative,
    Neutral,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Judgement {
    polarity: Polarity,
    #[schemars(range(min = 0, max = 100))]
    percent: u8,
    #[schemars(length(max = 12))]
    word: String,
}

/// Judge the text.
#[ai_fn(max_tokens = 80, temperature = 1.5, retries = 0)]
async fn judge(text: &str) -> Result<Judgement, AiError>;

#[tokio::test]
async fn the_decoder_promises_the_type_at_any_temperature() {
    let folder = Folder::new();
    let node = folder.dev();
    let client = Client::new(node.url(), node.key()).unwrap();
    for seed in 0..10 {
        let call = judge::call("I love this phone.").on(&client).seed(seed);
        let detailed = call.detailed().await.unwrap();
        assert_eq!(detailed.guarantee, Guarantee::Decoder, "{detailed:?}");
        assert!(detailed.value.percent <= 100);
        assert!(detailed.value.word.chars().count() <= 12);
        assert!(!detailed.cost().is_zero());
    }
    let label = classify::<Polarity>("I love this phone.").on(&client).await;
    label.unwrap();
    // A budget that does not reach for one token is refused before anything is charged.
    let call = judge::call("I love this phone.").on(&client);
    let call = call.budget("0.000000001".parse().unwrap());
    let refused = call.detailed().await.unwrap_err();
    assert!(matches!(refused, AiError::Budget { .. }), "{refused:?}");
}
