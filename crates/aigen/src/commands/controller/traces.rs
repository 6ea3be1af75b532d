//! Traces: what a model wants to say, and what a controller makes of it.
//!
//! ```text
//! # Words beside single bytes, the prompt, replies the likeliest first, and what is expected.
//! words yes no maybe
//! prompt Is 7 prime?
//! model maybe | yes
//! params {"strict": true}
//! text yes
//! finish stop
//! ```
//!
//! An empty line ends a case. `\n` stands for a line break.

use crate::failure::{OrHint, hinted};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;

/// One case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// Its file and first line.
    pub at: String,
    /// Tokens beside the bytes.
    pub words: Vec<String>,
    /// What is asked.
    pub prompt: String,
    /// What the model wants to say, likeliest first.
    pub model: Vec<String>,
    /// What the caller gives the controller.
    pub params: Map<String, Value>,
    /// What the caller should see.
    pub text: Option<String>,
    /// How it should end: `stop`, `length`, or the name of a fault.
    pub finish: Option<String>,
}

/// All cases of a folder's `.trace` files, in the order of their names; none if it is not there.
///
/// # Errors
/// A line that is none, by file and number.
pub fn read_all(folder: &Path) -> Result<Vec<Case>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut files = Vec::new();
    for entry in entries {
        files.push(entry?.path());
    }
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "trace")
    });
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        cases.extend(parse(&file.display().to_string(), &text)?);
    }
    Ok(cases)
}

fn parse(file: &str, text: &str) -> Result<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    let mut within = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_end();
        if line.is_empty() {
            within = false;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !within {
            within = true;
            let at = format!("{file}:{number}");
            cases.push(Case {
                at,
                ..Case::default()
            });
        }
        let case = cases.last_mut().context("a case was just begun")?;
        read(case, line).with_context(|| format!("{file}:{number}: {line}"))?;
    }
    for case in &cases {
        let expects = case.text.is_some() || case.finish.is_some();
        ensure!(
            expects && !case.prompt.is_empty(),
            hinted(
                format!("{} has no prompt, or expects nothing", case.at),
                "give it a line `prompt …`, and a line `text …` or `finish …`"
            )
        );
    }
    Ok(cases)
}

fn read(case: &mut Case, line: &str) -> Result<()> {
    let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
    let plain = || rest.replace("\\n", "\n");
    match key {
        "words" => case.words = rest.split(' ').map(str::to_owned).collect(),
        "prompt" => case.prompt = plain(),
        "model" => case.model = plain().split(" | ").map(str::to_owned).collect(),
        "params" => {
            case.params = serde_json::from_str(rest).or_hint(
                "these are no parameters",
                "write a JSON object, like {\"strict\": true}",
            )?;
        }
        "text" => case.text = Some(plain()),
        "finish" => case.finish = Some(rest.to_owned()),
        _ => {
            return Err(hinted(
                format!("no line begins with `{key}`"),
                "lines begin with words, prompt, model, params, text or finish",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_read() {
        let text = "# a\nwords yes no\nprompt Q:\nmodel maybe | yes\ntext yes\n\nprompt Q:\nparams {\"a\": 1}\nfinish late\n";
        let cases = parse("a.trace", text).unwrap();
        assert_eq!(cases.len(), 2);
        assert_eq!(cases[0].model, ["maybe", "yes"]);
        assert_eq!(cases[1].at, "a.trace:7");
        assert_eq!(cases[1].finish.as_deref(), Some("late"));
    }

    #[test]
    fn bad_lines_are_named() {
        for (text, expected) in [
            ("speak yes", "a.trace:1: speak yes"),
            ("prompt Q:", "a.trace:1 has no prompt, or expects nothing"),
            ("params yes\n", "a.trace:1: params yes"),
        ] {
            let error = parse("a.trace", text).unwrap_err();
            assert!(format!("{error:#}").contains(expected), "{error:#}");
        }
    }
}
