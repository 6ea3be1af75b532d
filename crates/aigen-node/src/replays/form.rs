//! The form in which what runs a call again outlives the process: JSON, with a version.

use super::Recipe;
use crate::steering::Steering;
use aigen_engine::ControlLevel;
use aigen_engine::sampler::TokenLogprob;
use aigen_jarvis::{
    Answer, Asked, Capabilities, Choice, Cut, Exchange, Fault, Finish, Guest, Log, OutsideError,
    Reasoning,
};
use serde::{Deserialize, Serialize};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Form {
    version: u32,
    model: String,
    steering: Steering,
    question: String,
    reasoning: Option<(Option<String>, String)>,
    prompt: Vec<u32>,
    argument: String,
    messages: String,
    engine: String,
    seed: u64,
    control: u8,
    backtrack: bool,
    branches_max: u32,
    room: u32,
    context_tokens: u32,
    prompt_tokens_max: u32,
    stops: Vec<String>,
    cached_prompt_tokens: u32,
    covered: u64,
    left: Vec<u64>,
    alarms: Vec<(u64, u32)>,
    branches: Vec<Vec<Chosen>>,
    exchanges: Vec<Exchanged>,
    finish: String,
    #[serde(default)]
    cut: Option<CutOff>,
}

/// A [`Cut`].
#[derive(Serialize, Deserialize)]
struct CutOff {
    fuel: u64,
    micros: u64,
    host_calls: u64,
    tools: u32,
    pages: u32,
    completions: u32,
    bytes: u64,
    last_word: bool,
}

/// A [`Choice`]; log-probabilities by their bits, so that not one of them rounds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Chosen {
    Token(u32),
    Observed {
        token: u32,
        logprob: Option<u32>,
        top: Vec<(u32, u32)>,
    },
    Steered,
}

/// An [`Exchange`].
#[derive(Serialize, Deserialize)]
struct Exchanged {
    branch: u32,
    question: String,
    answer: Said,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Text(String),
    /// The body in hexadecimal digits.
    Page(u16, String),
    Rows(Vec<String>),
    Denied(String),
    Limit(String),
    Unavailable(String),
}

pub(super) fn to_bytes(recipe: &Recipe, log: &Log) -> Vec<u8> {
    let reasoning = recipe.reasoning.clone();
    let chosen = |choices: &Vec<Choice>| choices.iter().map(chosen).collect();
    let form = Form {
        version: VERSION,
        model: recipe.model.to_string(),
        steering: recipe.steering.clone(),
        question: recipe.question.clone(),
        reasoning: reasoning.map(|marks| (marks.start, marks.end)),
        prompt: log.prompt.clone(),
        argument: log.argument.clone(),
        messages: log.messages.clone(),
        engine: log.model.clone(),
        seed: log.seed,
        control: match log.can.control {
            ControlLevel::Text => 0,
            ControlLevel::Schema => 1,
            ControlLevel::Token => 2,
        },
        backtrack: log.can.backtrack,
        branches_max: log.can.branches_max,
        room: log.room,
        context_tokens: log.context_tokens,
        prompt_tokens_max: log.prompt_tokens_max,
        stops: log.stops.clone(),
        cached_prompt_tokens: log.cached_prompt_tokens,
        covered: log.covered,
        left: log.left.clone(),
        alarms: log.alarms.clone(),
        branches: log.branches.iter().map(chosen).collect(),
        exchanges: log.exchanges.iter().map(exchanged).collect(),
        finish: finish_name(&log.finish).to_owned(),
        cut: log.cut.map(cut_off),
    };
    serde_json::to_vec(&form).expect("its maps have text keys")
}

pub(super) fn from_bytes(bytes: &[u8]) -> Result<(Recipe, Log), String> {
    let form: Form = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if form.version != VERSION {
        return Err(format!("it is of version {}", form.version));
    }
    let reasoning = form.reasoning;
    let recipe = Recipe {
        model: form.model.parse().map_err(|_| "it names no model")?,
        steering: form.steering,
        question: form.question,
        reasoning: reasoning.map(|(start, end)| Reasoning { start, end }),
    };
    let branch = |choices: Vec<Chosen>| choices.into_iter().map(choice).collect();
    let exchanges = form.exchanges.into_iter().map(exchange);
    let log = Log {
        prompt: form.prompt,
        argument: form.argument,
        messages: form.messages,
        model: form.engine,
        seed: form.seed,
        can: Capabilities {
            control: match form.control {
                0 => ControlLevel::Text,
                1 => ControlLevel::Schema,
                _ => ControlLevel::Token,
            },
            backtrack: form.backtrack,
            branches_max: form.branches_max,
        },
        room: form.room,
        context_tokens: form.context_tokens,
        prompt_tokens_max: form.prompt_tokens_max,
        stops: form.stops,
        cached_prompt_tokens: form.cached_prompt_tokens,
        covered: form.covered,
        left: form.left,
        alarms: form.alarms,
        branches: form.branches.into_iter().map(branch).collect(),
        exchanges: exchanges.collect::<Result<_, _>>()?,
        finish: finish(&form.finish),
        cut: form.cut.map(cut),
    };
    Ok((recipe, log))
}

fn cut_off(cut: Cut) -> CutOff {
    let Cut {
        guest,
        asked,
        last_word,
    } = cut;
    CutOff {
        fuel: guest.fuel,
        micros: guest.micros,
        host_calls: guest.host_calls,
        tools: asked.tools,
        pages: asked.pages,
        completions: asked.completions,
        bytes: asked.bytes,
        last_word,
    }
}

fn cut(cut: CutOff) -> Cut {
    Cut {
        guest: Guest {
            fuel: cut.fuel,
            micros: cut.micros,
            host_calls: cut.host_calls,
        },
        asked: Asked {
            tools: cut.tools,
            pages: cut.pages,
            completions: cut.completions,
            bytes: cut.bytes,
        },
        last_word: cut.last_word,
    }
}

fn chosen(choice: &Choice) -> Chosen {
    match choice {
        Choice::Steered => Chosen::Steered,
        Choice::Sampled {
            token,
            logprob: None,
            top,
        } if top.is_empty() => Chosen::Token(*token),
        Choice::Sampled {
            token,
            logprob,
            top,
        } => Chosen::Observed {
            token: *token,
            logprob: logprob.map(f32::to_bits),
            top: top
                .iter()
                .map(|top| (top.token, top.logprob.to_bits()))
                .collect(),
        },
    }
}

fn choice(chosen: Chosen) -> Choice {
    match chosen {
        Chosen::Steered => Choice::Steered,
        Chosen::Token(token) => Choice::Sampled {
            token,
            logprob: None,
            top: Vec::new(),
        },
        Chosen::Observed {
            token,
            logprob,
            top,
        } => Choice::Sampled {
            token,
            logprob: logprob.map(f32::from_bits),
            top: top
                .into_iter()
                .map(|(token, logprob)| TokenLogprob {
                    token,
                    logprob: f32::from_bits(logprob),
                })
                .collect(),
        },
    }
}

fn exchanged(exchange: &Exchange) -> Exchanged {
    Exchanged {
        branch: exchange.branch,
        question: exchange.question.to_string(),
        answer: match exchange.answer.clone() {
            Ok(Answer::Text(text)) => Said::Text(text),
            Ok(Answer::Page { status, body }) => Said::Page(status, hex::encode(body)),
            Ok(Answer::Rows(rows)) => Said::Rows(rows),
            Err(OutsideError::Denied(why)) => Said::Denied(why),
            Err(OutsideError::Limit(why)) => Said::Limit(why),
            Err(OutsideError::Unavailable(why)) => Said::Unavailable(why),
        },
    }
}

fn exchange(exchanged: Exchanged) -> Result<Exchange, String> {
    Ok(Exchange {
        branch: exchanged.branch,
        question: exchanged
            .question
            .parse()
            .map_err(|_| "a question has no digest")?,
        answer: match exchanged.answer {
            Said::Text(text) => Ok(Answer::Text(text)),
            Said::Page(status, body) => Ok(Answer::Page {
                status,
                body: hex::decode(body).map_err(|error| error.to_string())?,
            }),
            Said::Rows(rows) => Ok(Answer::Rows(rows)),
            Said::Denied(why) => Err(OutsideError::Denied(why)),
            Said::Limit(why) => Err(OutsideError::Limit(why)),
            Said::Unavailable(why) => Err(OutsideError::Unavailable(why)),
        },
    })
}

fn finish_name(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::StopString => "stop_string",
        Finish::Length => "length",
        Finish::Budget => "budget",
        Finish::Filtered => "content_filter",
        Finish::Cancelled => "cancelled",
        Finish::Fault(_) => "fault",
    }
}

/// What ended a session from outside: a controller's own fault comes about again by itself.
fn finish(name: &str) -> Finish {
    match name {
        "stop" => Finish::Stop,
        "stop_string" => Finish::StopString,
        "length" => Finish::Length,
        "budget" => Finish::Budget,
        "content_filter" => Finish::Filtered,
        "cancelled" => Finish::Cancelled,
        _ => Finish::Fault(Fault::Crashed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aigen_types::Digest;

    #[test]
    fn what_is_kept_is_read_as_it_was() {
        let sampled = |logprob| Choice::Sampled {
            token: 7,
            logprob,
            top: Vec::new(),
        };
        let answers = [
            Ok(Answer::Text("yes".into())),
            Ok(Answer::Page {
                status: 404,
                body: vec![0, 255],
            }),
            Ok(Answer::Rows(vec!["a".into()])),
            Err(OutsideError::Denied("a".into())),
            Err(OutsideError::Limit("b".into())),
            Err(OutsideError::Unavailable("c".into())),
        ];
        let exchange = |answer| Exchange {
            branch: 1,
            question: Digest([3; 32]),
            answer,
        };
        let log = Log {
            prompt: vec![1, 2],
            argument: "{}".into(),
            messages: "[]".into(),
            model: "tiny".into(),
            seed: u64::MAX,
            can: Capabilities {
                control: ControlLevel::Token,
                backtrack: true,
                branches_max: 3,
            },
            room: 4,
            context_tokens: 5,
            prompt_tokens_max: 6,
            stops: vec!["x".into()],
            cached_prompt_tokens: 7,
            covered: 8,
            left: vec![9],
            alarms: vec![(1, 2)],
            branches: vec![vec![
                sampled(None),
                sampled(Some(-0.1)),
                sampled(Some(f32::NEG_INFINITY)),
                Choice::Steered,
            ]],
            exchanges: answers.into_iter().map(exchange).collect(),
            finish: Finish::Cancelled,
            cut: Some(Cut {
                guest: Guest {
                    fuel: 1,
                    micros: 2,
                    host_calls: 3,
                },
                asked: Asked {
                    tools: 4,
                    pages: 5,
                    completions: 6,
                    bytes: 7,
                },
                last_word: true,
            }),
        };
        let recipe = Recipe {
            model: "tiny".parse().unwrap(),
            steering: Steering::JsonSchema(serde_json::json!({"type": "object"})),
            question: "Hi".into(),
            reasoning: Some(Reasoning {
                start: None,
                end: "</think>".into(),
            }),
        };
        let bytes = to_bytes(&recipe, &log);
        let (read, same) = from_bytes(&bytes).unwrap();
        assert_eq!(same, log);
        assert_eq!(format!("{read:?}"), format!("{recipe:?}"));
        assert!(from_bytes(&bytes[1..]).is_err());
        // What an earlier version has kept says nothing of a call that was cut off.
        let mut older: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        older.as_object_mut().unwrap().remove("cut").unwrap();
        let (_, older) = from_bytes(older.to_string().as_bytes()).unwrap();
        assert_eq!(older, Log { cut: None, ..log });
        let newer = String::from_utf8(bytes).unwrap();
        let newer = newer.replace("\"version\":1", "\"version\":2");
        assert_eq!(
            from_bytes(newer.as_bytes()).unwrap_err(),
            "it is of version 2"
        );
    }
}
