//! Whether masks accept exactly what a JSON Schema does, by somebody else's word: the crate
//! `jsonschema`.
//!
//! An instance is accepted if each of its tokens is in its mask and the text may end there. What
//! is accepted and not valid is a *false accept*, of which there must be none in any schema that
//! compiles. What is valid and not accepted is a *false reject*: an order of properties that the
//! grammar does not write, or a keyword that it takes more strictly.
//!
//! `cases.rows` are our own. Cases in the form of the official suite are read from a folder:
//! `AIGEN_JSON_SCHEMA_SUITE=…/tests/draft2020-12 cargo test --test conformance -- --nocapture`
#![expect(clippy::print_stdout, reason = "a report")]

mod keywords;

use std::path::Path;
use std::sync::Arc;

use aigen_engine::Tokenizer;
use aigen_engine::scripted::Vocabulary;
use aigen_jarvis::{Compiler, JsonOptions, Program};
use llguidance::ParserFactory;
use llguidance::api::TopLevelGrammar;
use serde_json::Value;
use toktrie::ApproximateTokEnv;

/// Schemas and instances under one heading.
struct Case {
    heading: String,
    schema: Value,
    instances: Vec<Value>,
}

#[derive(Clone, Default)]
struct Report {
    schemas: usize,
    /// Schemas that llguidance takes by itself, without our bounds and refusals.
    alone: usize,
    /// Schemas that are refused, and why.
    refused: Vec<String>,
    /// Schemas that the other side does not take either.
    unknown: usize,
    agreed: usize,
    false_accepts: Vec<String>,
    false_rejects: Vec<String>,
}

struct Judge {
    vocabulary: Arc<Vocabulary>,
    compiler: Compiler,
    alone: ParserFactory,
}

impl Judge {
    fn new() -> Self {
        let words = [
            "\":", "\",\"", "{\"", "\"}", "true", "false", "null", "foo", "bar", "00",
        ];
        let vocabulary = Arc::new(Vocabulary::with_words(words));
        let compiler = Compiler::new(vocabulary.clone()).unwrap();
        let alone = ParserFactory::new_simple(&ApproximateTokEnv::single_byte_env()).unwrap();
        Self {
            vocabulary,
            compiler,
            alone,
        }
    }

    fn judge(&self, case: &Case, report: &mut Report) {
        report.schemas += 1;
        let options = jsonschema::options().should_validate_formats(true);
        let Ok(valid) = options.build(&case.schema) else {
            report.unknown += 1;
            return;
        };
        report.alone += usize::from(self.compiles_alone(&case.schema));
        let program = match self
            .compiler
            .json_schema(&case.schema, JsonOptions::default())
        {
            Ok(program) => program,
            Err(error) => {
                report
                    .refused
                    .push(format!("{}: {}", case.heading, error.what));
                return;
            }
        };
        for instance in &case.instances {
            let line = || format!("{}: {} {instance}", case.heading, case.schema);
            match (self.accepts(&program, instance), valid.is_valid(instance)) {
                (true, false) => report.false_accepts.push(line()),
                (false, true) => report.false_rejects.push(line()),
                _ => report.agreed += 1,
            }
        }
    }

    fn compiles_alone(&self, schema: &Value) -> bool {
        let grammar = TopLevelGrammar::from_json_schema(schema.clone());
        !llguidance::Matcher::new(self.alone.create_parser(grammar)).is_error()
    }

    fn accepts(&self, program: &Program, instance: &Value) -> bool {
        let matcher = program.matcher().unwrap();
        let tokens = self.vocabulary.encode(&instance.to_string(), false, false);
        let taken = tokens.iter().all(|&token| {
            let fits = !matcher.finished() && matcher.mask().is_ok_and(|mask| mask.contains(token));
            fits && matcher.advance(&[token]).is_ok()
        });
        taken && matcher.accepting() == Ok(true)
    }
}

impl Report {
    fn of(judge: &Judge, cases: &[Case]) -> Self {
        let mut report = Self::default();
        cases.iter().for_each(|case| judge.judge(case, &mut report));
        report
    }

    fn compiled(&self) -> usize {
        self.schemas - self.unknown - self.refused.len()
    }

    fn print(&self, name: &str) {
        let known = self.schemas - self.unknown;
        let compiled = self.compiled();
        println!(
            "{name}: {compiled} of {known} schemas compile ({:.1} %), by llguidance alone {}; instances: {} agree, {} false accepts, {} false rejects",
            100.0 * compiled as f64 / known.max(1) as f64,
            self.alone,
            self.agreed,
            self.false_accepts.len(),
            self.false_rejects.len()
        );
        let lists = [
            ("refused", &self.refused),
            ("false accept", &self.false_accepts),
            ("false reject", &self.false_rejects),
        ];
        for (kind, lines) in lists {
            lines.iter().for_each(|line| println!("  {kind} {line}"));
        }
    }
}

/// `schema | instance ; instance …`, a case for each line; lines that begin with # are headings.
fn rows(text: &str) -> Vec<Case> {
    let (mut cases, mut heading) = (Vec::new(), "");
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix("# ") {
            heading = name;
            continue;
        }
        let parse = |text: &str| -> Value {
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        let (schema, instances) = line.split_once(" | ").unwrap();
        cases.push(Case {
            heading: heading.to_owned(),
            schema: parse(schema),
            instances: instances.split(" ; ").map(parse).collect(),
        });
    }
    cases
}

/// The official suite's form: a list of groups, each with a schema and tests.
fn suite(folder: &Path) -> Vec<Case> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let groups: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for group in groups.as_array().unwrap() {
            let tests = group["tests"].as_array().unwrap();
            cases.push(Case {
                heading: name.clone(),
                schema: group["schema"].clone(),
                instances: tests.iter().map(|test| test["data"].clone()).collect(),
            });
        }
    }
    cases
}

#[test]
fn masks_accept_what_schemas_do() {
    let judge = Judge::new();
    let own = Report::of(&judge, &rows(include_str!("cases.rows")));
    own.print("own cases");
    assert!(own.false_accepts.is_empty(), "{:#?}", own.false_accepts);
    assert!(own.compiled() >= own.alone, "llguidance alone takes more");
    assert!(
        own.schemas > 60 && own.agreed > 200,
        "{} {}",
        own.schemas,
        own.agreed
    );
    let Some(folder) = std::env::var_os("AIGEN_JSON_SCHEMA_SUITE") else {
        return;
    };
    let official = Report::of(&judge, &suite(Path::new(&folder)));
    official.print("suite");
    assert!(
        official.false_accepts.is_empty(),
        "{:#?}",
        official.false_accepts
    );
}
