//! A release's manifest: what its publisher says that it takes, needs and asks for.

use crate::error::NodeError;
use crate::limits::{PERMISSIONS_MAX, PROMPT_TOKENS_MAX};
use aigen_engine::ControlLevel;
use aigen_jarvis::limits::{BRANCHES_MAX, DISCARDED_TOKENS_MAX};
use aigen_jarvis_host::Settings;
use aigen_jarvis_host::limits::{
    INTERPRETER_MEMORY_BYTES_MAX, OPEN_FUEL_MAX, REQUEST_FUEL_MAX, STEP_FUEL_MAX,
};
use aigen_network::ControllerKind;
use aigen_types::{DatasetName, ModelName, Ppm, Slug};
use jsonschema::{PatternOptions, Validator};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Read from TOML. Unknown fields are refused: they were meant to do something.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// One line for people.
    pub description: String,
    /// Under which licence it is published, as SPDX writes it.
    pub licence: String,
    /// JSON Schema of a call's `aigen.params`; anything goes when absent.
    pub parameters: Option<Value>,
    /// JSON Schema of its answers: every call is checked against it, and scored by that.
    pub answer: Option<Value>,
    /// What an engine must be able to do.
    #[serde(default)]
    pub requires: Requires,
    /// What a component may use of the host, where it needs less than everyone may have.
    #[serde(default)]
    pub limits: Limits,
    /// What a component asks of the outside; an operator may grant it.
    #[serde(default)]
    pub permissions: Permissions,
    /// The part of a call's price that its author counts on, in parts per million.
    pub price_share: Option<u32>,
    /// The evaluation suite that validators should use.
    pub evaluation: Option<String>,
}

/// See [`Manifest::requires`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Requires {
    /// How closely it steers.
    pub control: Control,
    /// Whether it takes tokens back.
    pub backtrack: bool,
    /// Whether it forks.
    pub fork: bool,
    /// Whether it observes how likely tokens are.
    pub probabilities: bool,
}

/// What the engine of a model can do.
pub(crate) struct Abilities<'a> {
    /// The model.
    pub name: &'a str,
    pub control: ControlLevel,
    pub backtrack: bool,
    /// Branches at once; 1 if it cannot fork.
    pub branches: u32,
    /// Whether it tells how likely tokens are.
    pub probabilities: bool,
}

/// See [`Manifest::limits`]. What is not said is the host's own bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Branches at once, the first among them. A controller that forks says how many.
    pub branches: Option<u32>,
    /// Tokens that it may take back in one request: the caller pays for them, and its author is
    /// not paid for them.
    pub discarded_tokens: Option<u64>,
    /// Tokens of a prompt that it writes itself: as much is held for. No more than the request's
    /// own unless it says so.
    pub prompt_tokens: Option<u64>,
    /// Fuel of one step.
    pub step_fuel: Option<u64>,
    /// Fuel of opening.
    pub open_fuel: Option<u64>,
    /// Fuel of one request.
    pub request_fuel: Option<u64>,
    /// Memory of one request, in MiB: 64 unless it says more, 128 at most, for interpreters.
    pub memory_mib: Option<u64>,
}

/// See [`Manifest::permissions`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Permissions {
    /// Hosts whose pages it reads: `en.wikipedia.org`, `*.wikipedia.org`.
    pub hosts: Vec<String>,
    /// Tools that it calls, by the names under which operators declare them.
    pub tools: Vec<String>,
    /// Models that it asks.
    pub models: Vec<String>,
    /// Datasets that it reads, as `owner/name`.
    pub datasets: Vec<String>,
}

impl Permissions {
    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is wrong with them.
    fn fault(&self) -> Option<String> {
        type Kind = (&'static str, fn(&str) -> bool, &'static str);
        let host: Kind = (
            "hosts",
            is_host,
            "a host like en.wikipedia.org, *.wikipedia.org or http://127.0.0.1:9000",
        );
        let tool: Kind = ("tools", is_word, "the name of a tool");
        let model: Kind = (
            "models",
            |name| name.parse::<ModelName>().is_ok(),
            "the name of a model",
        );
        let dataset: Kind = (
            "datasets",
            |name| name.parse::<DatasetName>().is_ok(),
            "a dataset, as owner/name",
        );
        let lists = [
            (host, &self.hosts),
            (tool, &self.tools),
            (model, &self.models),
            (dataset, &self.datasets),
        ];
        lists.into_iter().find_map(|((list, is_one, one), named)| {
            if named.len() > PERMISSIONS_MAX {
                return Some(format!("permissions.{list}: at most {PERMISSIONS_MAX}"));
            }
            let wrong = named.iter().find(|name| !is_one(name))?;
            Some(format!("permissions.{list}: `{wrong}` is not {one}"))
        })
    }
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.trim() == name && !name.chars().any(acts)
}

/// A host with all below it or alone; or, for an operator who vouches for it, with its scheme and port.
fn is_host(name: &str) -> bool {
    let exact = ["http://", "https://"];
    let exact = exact.iter().find_map(|scheme| name.strip_prefix(scheme));
    let host = exact.unwrap_or_else(|| name.strip_prefix("*.").unwrap_or(name));
    let may_have = |c: char| match exact {
        Some(_) => c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'),
        None => c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-'),
    };
    let named = exact.is_some() || (host.contains('.') && !host.starts_with('.'));
    !host.is_empty() && named && host.chars().all(may_have)
}

impl Limits {
    /// What is wrong with them.
    fn fault(&self) -> Option<String> {
        let mib = (INTERPRETER_MEMORY_BYTES_MAX >> 20) as u64;
        let bounds = [
            (
                "branches",
                self.branches.map(u64::from),
                u64::from(BRANCHES_MAX) + 1,
            ),
            (
                "discarded_tokens",
                self.discarded_tokens,
                DISCARDED_TOKENS_MAX,
            ),
            ("prompt_tokens", self.prompt_tokens, PROMPT_TOKENS_MAX),
            ("step_fuel", self.step_fuel, STEP_FUEL_MAX),
            ("open_fuel", self.open_fuel, OPEN_FUEL_MAX),
            ("request_fuel", self.request_fuel, REQUEST_FUEL_MAX),
            ("memory_mib", self.memory_mib, mib),
        ];
        let wrong = bounds
            .iter()
            .find(|(_, asked, most)| asked.is_some_and(|asked| asked == 0 || asked > *most));
        wrong.map(|(name, _, most)| format!("limits.{name}: must be 1 to {most}"))
    }
}

/// How closely a controller steers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Every token.
    #[default]
    Token,
    /// A schema for the whole.
    Schema,
    /// Text alone.
    Text,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// Text that is no manifest, and what it asks for that nobody would enforce.
    pub fn parse(text: &str) -> Result<Self, NodeError> {
        let manifest: Self =
            toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        manifest.schema()?;
        manifest.answer()?;
        Ok(manifest)
    }

    /// Checks what only the network and the kind of controller can say.
    pub(crate) fn check(&self, kind: ControllerKind, paid: Ppm) -> Result<(), NodeError> {
        if let Some(fault) = self.limits.fault() {
            return Err(wrong(fault));
        }
        if let Some(fault) = self.permissions.fault() {
            return Err(wrong(fault));
        }
        self.check_words()?;
        let plain = kind != ControllerKind::Wasm;
        if plain && self.limits != Limits::default() {
            return Err(wrong(
                "limits: a grammar, script or function has none".to_owned(),
            ));
        }
        if plain && !self.permissions.is_empty() {
            return Err(wrong(
                "permissions: a grammar, script or function asks nobody".to_owned(),
            ));
        }
        let Requires {
            backtrack,
            fork,
            probabilities,
            ..
        } = self.requires;
        if plain && (backtrack || fork || probabilities) {
            let reason =
                "a grammar, script or function neither takes tokens back nor forks nor observes";
            return Err(wrong(format!("requires: {reason}")));
        }
        if self.requires.fork && self.limits.branches.is_none() {
            let reason = "a controller that forks says how many branches it has at most";
            return Err(wrong(format!("limits.branches: {reason}")));
        }
        match self.price_share {
            Some(share) if share != paid.parts() => Err(wrong(format!(
                "price_share: this network pays controllers {} ppm of a call, not {share}",
                paid.parts()
            ))),
            _ => Ok(()),
        }
    }

    /// Whether what people read is a line, and what programs look up can be there.
    fn check_words(&self) -> Result<(), NodeError> {
        must_be_a_line("the manifest: description", &self.description)?;
        must_be_a_line("the manifest: licence", &self.licence)?;
        if self.licence.trim().is_empty() {
            return Err(wrong(
                "licence: it is empty; hint: write it as SPDX does, like MIT".to_owned(),
            ));
        }
        if let Some(suite) = &self.evaluation
            && suite.parse::<Slug>().is_err()
        {
            return Err(wrong(format!(
                "evaluation: `{suite}` is no name of a suite; hint: write one word like lesson-quiz"
            )));
        }
        match self.parameters.as_ref().is_some_and(excludes_objects) {
            true => Err(wrong(
                "parameters: what a call gives is an object, which the schema's `type` excludes; \
                 hint: write type = \"object\""
                    .to_owned(),
            )),
            false => Ok(()),
        }
    }

    /// Whether an engine can do what the controller requires.
    pub(crate) fn check_engine(&self, engine: &Abilities<'_>) -> Result<(), NodeError> {
        let control = match self.requires.control {
            Control::Token => ControlLevel::Token,
            Control::Schema => ControlLevel::Schema,
            Control::Text => ControlLevel::Text,
        };
        let lacking = if engine.control < control {
            "it does not let every token be steered as closely as that".to_owned()
        } else if self.requires.backtrack && !engine.backtrack {
            "it cannot take tokens back".to_owned()
        } else if self.requires.fork && engine.branches < self.branches() {
            let (is, asked) = (engine.branches, self.branches());
            format!("it has {is} branches at once, and `limits.branches` asks for {asked}")
        } else if self.requires.probabilities && !engine.probabilities {
            "it does not tell how likely its tokens are".to_owned()
        } else {
            return Ok(());
        };
        Err(NodeError::Steering(format!(
            "the controller's manifest requires more than the engine of `{}` can do: {lacking}",
            engine.name
        )))
    }

    /// Branches at once; 1 of a controller that does not fork.
    fn branches(&self) -> u32 {
        match self.requires.fork {
            true => self.limits.branches.unwrap_or(1),
            false => 1,
        }
    }

    /// How its component is run.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let Limits {
            discarded_tokens,
            step_fuel,
            open_fuel,
            request_fuel,
            memory_mib,
            ..
        } = self.limits;
        let host = Settings::default();
        let memory_bytes = memory_mib.and_then(|mib| usize::try_from(mib << 20).ok());
        Settings {
            backtracks: self.requires.backtrack,
            branches: self.branches(),
            discarded_tokens: discarded_tokens.unwrap_or(host.discarded_tokens),
            step_fuel: step_fuel.unwrap_or(host.step_fuel),
            open_fuel: open_fuel.unwrap_or(host.open_fuel),
            request_fuel: request_fuel.unwrap_or(host.request_fuel),
            memory_bytes: memory_bytes.unwrap_or(host.memory_bytes),
            ..host
        }
    }

    /// Whether a call's parameters are what the manifest says it takes.
    ///
    /// # Errors
    /// [`NodeError::Parameter`], which names the one that is not.
    pub fn check_params(&self, params: &Map<String, Value>) -> Result<(), NodeError> {
        let Some(schema) = self.schema()? else {
            return Ok(());
        };
        let params = Value::Object(params.clone());
        let declared = self.parameters.as_ref().unwrap_or(&Value::Null);
        schema
            .validate(&params)
            .map_err(|error| NodeError::Parameter {
                path: format!("aigen.params{}", error.instance_path()).replace('/', "."),
                reason: aigen_functions::reason(declared, &params, &error),
            })
    }

    fn schema(&self) -> Result<Option<Validator>, NodeError> {
        compiled("parameters", self.parameters.as_ref())
    }

    /// See [`Manifest::answer`], compiled.
    pub(crate) fn answer(&self) -> Result<Option<Validator>, NodeError> {
        compiled("answer", self.answer.as_ref())
    }
}

pub(crate) fn compiled(
    field: &str,
    schema: Option<&Value>,
) -> Result<Option<Validator>, NodeError> {
    let Some(schema) = schema else {
        return Ok(None);
    };
    // Its patterns are a stranger's: only such as take linear time. Nothing is fetched.
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    let compiled = options.build(schema);
    let compiled = compiled.map_err(|error| wrong(format!("{field}: {error}")))?;
    Ok(Some(compiled))
}

fn wrong(reason: String) -> NodeError {
    NodeError::Steering(format!("the manifest: {reason}"))
}

/// Whether a schema's `type` lets no object in. What else it says is found out by the call.
fn excludes_objects(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(kind)) => kind != "object",
        Some(Value::Array(kinds)) => !kinds.iter().any(|kind| kind == "object"),
        _ => false,
    }
}

/// Refuses what would break the line that it is shown on, or act on a terminal.
pub(crate) fn must_be_a_line(what: &str, text: &str) -> Result<(), NodeError> {
    match text.chars().find(|c| acts(*c)) {
        None => Ok(()),
        Some(other) => Err(NodeError::Steering(format!(
            "{what} is one line of text, and has the character {}; hint: leave it out",
            other.escape_unicode()
        ))),
    }
}

/// Line breaks, escapes, and marks that reorder what stands around them.
fn acts(c: char) -> bool {
    let reorders = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    c.is_control() || reorders || breaks
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const QUIZ: &str = r#"
        description = "Quiz items"
        licence = "MIT"
        price_share = 200000

        [parameters]
        type = "object"
        required = ["lesson"]
        additionalProperties = false
        properties.lesson = { type = "string", minLength = 3 }
        properties.items = { type = "array", items = { type = "integer" } }
    "#;

    fn reason<T: std::fmt::Debug>(result: Result<T, NodeError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn permissions_are_names_of_what_they_are_for() {
        let rows = [
            ("hosts", "en.wikipedia.org", true),
            ("hosts", "*.wikipedia.org", true),
            ("hosts", "http://127.0.0.1:9000", true),
            ("hosts", "https://localhost", true),
            ("hosts", "http://x/", false),
            ("hosts", "en.wikipedia.org/wiki", false),
            ("hosts", "wikipedia", false),
            ("hosts", "*", false),
            ("hosts", "", false),
            ("tools", "weather", true),
            ("tools", " weather", false),
            ("models", "aigen-tiny", true),
            ("models", "a model", false),
            ("datasets", "books/faq", true),
            ("datasets", "Bad", false),
            ("datasets", "books/*", false),
        ];
        for (list, name, fits) in rows {
            let text = format!(
                "description = \"d\"\nlicence = \"MIT\"\n[permissions]\n{list} = [\"{name}\"]\n"
            );
            let manifest = Manifest::parse(&text).unwrap();
            let checked = manifest.check(ControllerKind::Wasm, Ppm::ZERO);
            match fits {
                true => checked.unwrap(),
                false => {
                    let place = format!("permissions.{list}: `{name}` is not ");
                    assert!(reason(checked).contains(&place), "{name}");
                }
            }
        }
    }

    #[test]
    fn parameters_are_checked_and_the_bad_field_named() {
        let manifest = Manifest::parse(QUIZ).unwrap();
        let check = |params: Value| match manifest.check_params(params.as_object().unwrap()) {
            Ok(()) => "ok".to_owned(),
            Err(NodeError::Parameter { path, .. }) => path,
            Err(other) => panic!("{other}"),
        };
        for (params, expected) in [
            (json!({"lesson": "Kenya"}), "ok"),
            (json!({"lesson": "K"}), "aigen.params.lesson"),
            (json!({"lesson": 5}), "aigen.params.lesson"),
            (json!({}), "aigen.params"),
            (json!({"lesson": "Kenya", "more": 1}), "aigen.params"),
            (
                json!({"lesson": "Kenya", "items": [1, "2"]}),
                "aigen.params.items.1",
            ),
        ] {
            assert_eq!(check(params.clone()), expected, "{params}");
        }
        let more = json!({"lesson": "Kenya", "more": 1});
        let told = reason(manifest.check_params(more.as_object().unwrap()));
        let begin = "aigen.params: there is no field `more`; there are ";
        assert!(told.starts_with(begin) && told.contains("lesson"), "{told}");
    }

    #[test]
    fn what_nobody_would_enforce_is_refused() {
        for (text, expected) in [
            ("licence = \"MIT\"", "missing field `description`"),
            (&format!("colour = 1\n{QUIZ}"), "unknown field `colour`"),
            (
                "description = \"a\"\nlicence = \"MIT\"\nparameters = { type = \"text\" }",
                "parameters: ",
            ),
            (
                "description = \"a\"\nlicence = \"MIT\"\nparameters = { \"$ref\" = \"http://x.test/a\" }",
                "parameters: ",
            ),
        ] {
            let reason = reason(Manifest::parse(text));
            assert!(reason.contains(expected), "{reason}");
        }
        let said = |lines: &str| {
            let text = format!("price_share = 0\n{lines}\n");
            reason(
                Manifest::parse(&text)
                    .unwrap()
                    .check(ControllerKind::Grammar, Ppm::ZERO),
            )
        };
        for (lines, expected) in [
            (
                "description = \"a\"\nlicence = \"\"",
                "licence: it is empty",
            ),
            (
                "description = \"a\\nb\"\nlicence = \"MIT\"",
                "description is one line",
            ),
            (
                "description = \"a\\u001b[1m\"\nlicence = \"MIT\"",
                "description is one line",
            ),
            (
                "description = \"a\"\nlicence = \"MIT\"\nevaluation = \"no/such@suite\"",
                "evaluation: `no/such@suite`",
            ),
            (
                "description = \"a\"\nlicence = \"MIT\"\nevaluation = \"\"",
                "evaluation: ``",
            ),
            (
                "description = \"a\"\nlicence = \"MIT\"\nparameters.type = \"string\"",
                "parameters: what a call gives is an object",
            ),
            (
                "description = \"a\"\nlicence = \"MIT\"\nparameters.type = [\"string\", \"null\"]",
                "parameters: what a call gives is an object",
            ),
        ] {
            let said = said(lines);
            assert!(said.contains(expected), "{said}");
        }
        let manifest = Manifest::parse(QUIZ).unwrap();
        let paid = |parts| manifest.check(ControllerKind::Grammar, Ppm::new(parts).unwrap());
        assert!(paid(200_000).is_ok());
        let refused = reason(paid(100_000));
        assert!(refused.contains("pays controllers 100000 ppm"), "{refused}");
        let limited = |limits: &str| {
            let manifest = Manifest::parse(&format!("{QUIZ}\n{limits}")).unwrap();
            reason(manifest.check(ControllerKind::Wasm, Ppm::new(200_000).unwrap()))
        };
        for (limits, expected) in [
            (
                "[requires]\nfork = true",
                "limits.branches: a controller that forks",
            ),
            (
                "[limits]\nmemory_mib = 4096",
                "limits.memory_mib: must be 1 to 128",
            ),
            (
                "[limits]\nstep_fuel = 0",
                "limits.step_fuel: must be 1 to 20000000",
            ),
        ] {
            let refused = limited(limits);
            assert!(refused.contains(expected), "{refused}");
        }
        let forking = Manifest::parse(&format!("{QUIZ}\n[requires]\nfork = true")).unwrap();
        let refused = reason(forking.check(ControllerKind::Grammar, Ppm::new(200_000).unwrap()));
        assert!(refused.contains("nor forks"), "{refused}");
    }
}
