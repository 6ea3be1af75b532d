use crate::failure::Failure;
use aigen_api::from_json;
use aigen_api::openai::{DatasetQuery, Extension, ResponseFormat, Sampling as Asked};
use aigen_node::limits::{DATASETS_MAX, PASSAGES_MAX};
use aigen_node::{DatasetAsk, Sampling, Steering, ToolUse, random_call_id};
use serde_json::Value;

/// What steers a request: `response_format` and tools, or a controller, never both.
pub(crate) fn steering(
    extension: Option<&Extension>,
    format: Option<&ResponseFormat>,
    tools: Option<ToolUse>,
) -> Result<Steering, Failure> {
    let format = format.map_or(Ok(Steering::Free), formatted)?;
    let offers_tools = tools.is_some();
    let format = match tools {
        Some(tools) => Steering::Tools(ToolUse {
            answer: schema(&format),
            ..tools
        }),
        None => format,
    };
    let Some(extension) = extension else {
        return Ok(format);
    };
    if extension.model.is_some() {
        // It has been taken by now, where the model is a function.
        let reason = "says which model computes a function, and `model` names none";
        return Err(Failure::invalid("aigen.model", reason));
    }
    let Some(name) = &extension.controller else {
        return match extension.params.is_empty() {
            true => Ok(format),
            false => Err(Failure::invalid(
                "aigen.params",
                "there is no `aigen.controller` to give them to",
            )),
        };
    };
    if !matches!(format, Steering::Free) {
        let other = if offers_tools {
            "tools"
        } else {
            "response_format"
        };
        // A function that is the model steers as a controller does, without being named as one.
        let reason = "cannot be combined with a controller or a function, which steers too";
        return Err(Failure::invalid(other, reason));
    }
    Ok(Steering::Controller {
        name: name.clone(),
        params: extension.params.clone(),
    })
}

/// What is to be read of datasets for the prompt.
pub(crate) fn datasets(extension: Option<&Extension>) -> Result<Vec<DatasetAsk>, Failure> {
    let asked = extension.map_or(&[][..], |extension| &extension.datasets);
    if asked.len() > DATASETS_MAX {
        let reason = format!("at most {DATASETS_MAX}");
        return Err(Failure::invalid("aigen.datasets", reason));
    }
    asked.iter().enumerate().map(dataset).collect()
}

fn dataset((at, asked): (usize, &DatasetQuery)) -> Result<DatasetAsk, Failure> {
    let whole = |limit: u32| (1..=PASSAGES_MAX).contains(&limit);
    if !asked.limit.is_none_or(whole) {
        let param = format!("aigen.datasets[{at}].limit");
        return Err(Failure::invalid(
            &param,
            format!("must be 1 to {PASSAGES_MAX}"),
        ));
    }
    Ok(DatasetAsk {
        dataset: asked.id.clone(),
        limit: asked.limit,
        query: asked.query.clone(),
    })
}

fn formatted(format: &ResponseFormat) -> Result<Steering, Failure> {
    match format {
        ResponseFormat::Text => Ok(Steering::Free),
        ResponseFormat::JsonObject => Ok(Steering::JsonObject),
        ResponseFormat::JsonSchema { schema, .. } => from_json(schema.as_str().as_bytes())
            .map(Steering::JsonSchema)
            .map_err(|error| Failure::invalid("response_format.json_schema.schema", error)),
    }
}

/// What an answer in this format has to satisfy.
fn schema(format: &Steering) -> Option<Value> {
    match format {
        Steering::JsonObject => Some(serde_json::json!({"type": "object"})),
        Steering::JsonSchema(schema) => Some(schema.clone()),
        _ => None,
    }
}

/// OpenAI's defaults where the request says nothing; a seed of chance where it gives none.
pub(crate) fn sampling(asked: &Asked) -> Sampling {
    // Checked to lie between -100 and 100, where an f32 is close enough.
    let number = |value: Option<f64>, default: f32| value.map_or(default, |value| value as f32);
    let bias = asked.logit_bias.iter();
    Sampling {
        temperature: number(asked.temperature, 1.0),
        top_p: number(asked.top_p, 1.0),
        presence_penalty: number(asked.presence_penalty, 0.0),
        frequency_penalty: number(asked.frequency_penalty, 0.0),
        top_k: asked.top_k.unwrap_or(0),
        min_p: number(asked.min_p, 0.0),
        repetition_penalty: number(asked.repetition_penalty, 1.0),
        bias: bias.map(|(token, bias)| (*token, *bias as f32)).collect(),
        seed: asked.seed.map_or_else(chance, i64::cast_unsigned),
    }
}

/// The low half of a random id is as random as the whole.
fn chance() -> u64 {
    random_call_id().0 as u64
}
