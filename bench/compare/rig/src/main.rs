//! `with-rig URL CONTEXT TEXT`: what rig makes of a model's answers, in one line: a value as JSON, or the name of an error.

use anyhow::{Result, ensure};
use rig_agent::completion::StructuredOutputError;
use rig_agent::extractor::ExtractorBuilder;
use rig_core::providers::openai::OpenAIConfig;
use rig_core::{Model, providers::openai::wire::Chat};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn model() -> Model<Chat> {
    let url = std::env::args().nth(1).expect("URL CONTEXT TEXT");
    let openai = OpenAIConfig::new("none").with_base_url(url);
    openai.client().chat("tiny")
}

// begin
#[derive(Serialize, Deserialize, JsonSchema)]
struct Sentiment { polarity: Polarity, sarcasm: bool, evidence: String }

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Polarity { Positive, Negative, Neutral }

async fn sentiment(context: &str, text: &str) -> Result<Sentiment> {
    let extractor = ExtractorBuilder::<Sentiment>::new(model())
        .append_preamble("Judge the sentiment of the text, given its context. Sarcasm flips polarity.")
        .retries(2)
        .build();
    let value = extractor.extract(format!("Context: {context}\nText: {text}")).await?.output;
    ensure!(text.contains(&value.evidence), "it is not in the text");
    Ok(value)
}
// end

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, _, context, text] = &arguments[..] else {
        panic!("URL CONTEXT TEXT")
    };
    match sentiment(context, text).await {
        Ok(value) => println!("{}", serde_json::to_string(&value).expect("plain JSON")),
        Err(error) => {
            eprintln!("{error:#}");
            println!("{}", name(&error));
        }
    }
}

fn name(error: &anyhow::Error) -> &'static str {
    match error.downcast_ref() {
        Some(StructuredOutputError::Prompt(_)) => "StructuredOutputError::Prompt",
        Some(StructuredOutputError::Deserialization { .. }) => "StructuredOutputError::Deserialization",
        Some(StructuredOutputError::EmptyResponse) => "StructuredOutputError::EmptyResponse",
        None => "error of our own code",
    }
}
