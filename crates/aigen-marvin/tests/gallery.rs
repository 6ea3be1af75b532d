//! Whatever a decoder can write under a type's schema is read back as that type.
//!
//! Each type is walked a thousand times by a writer that means harm: at every byte it takes any
//! that the mask allows, with a liking for those that end, escape and negate.
#![allow(missing_docs, dead_code)]

use aigen_engine::Tokenizer;
use aigen_engine::scripted::Vocabulary;
use aigen_jarvis::{Compiler, JsonOptions, Matcher};
use aigen_marvin::schema_of;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::{NonZeroI16, NonZeroU32};
use std::sync::Arc;
use std::time::Duration;

const WALKS: usize = 1_000;

/// A walk that is longer has found something that does not end.
const BYTES_MAX: usize = 100_000;

#[derive(JsonSchema, Deserialize)]
struct Unit;

#[derive(JsonSchema, Deserialize)]
struct Wrapped(u16);

#[derive(JsonSchema, Deserialize)]
struct Pair(String, i8);

/// A struct of everything plain.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    text: String,
    flag: bool,
    letter: char,
    small: i8,
    big: u64,
    ratio: f32,
    maybe: Option<u8>,
}

#[derive(JsonSchema, Deserialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
enum Label {
    VeryGood,
    Good,
    /// Not that bad.
    Bad,
}

#[derive(JsonSchema, Deserialize)]
enum External {
    Nothing,
    One(u8),
    Two(u8, String),
    Named { at: i32 },
}

#[derive(JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Internal {
    Nothing,
    Circle { radius: f64 },
    Square { side: u32, filled: bool },
}

#[derive(JsonSchema, Deserialize)]
#[serde(tag = "type", content = "value")]
enum Adjacent {
    Number(i64),
    Text(String),
}

#[derive(JsonSchema, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u32),
    Text(String),
    List(Vec<bool>),
}

#[derive(JsonSchema, Deserialize)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    shape: Internal,
}

#[derive(JsonSchema, Deserialize)]
struct FlatStruct {
    id: u32,
    #[serde(flatten)]
    more: Bounds,
}

#[derive(JsonSchema, Deserialize)]
struct Bounds {
    #[schemars(range(min = -1.0, max = 1.0))]
    score: f64,
    #[schemars(range(min = 3, max = 7))]
    stars: u8,
    #[schemars(range(min = -20, max = -10))]
    cold: i32,
    #[schemars(length(min = 2, max = 4))]
    code: String,
    #[schemars(regex(pattern = r"^[A-Z]{2}-\d{3}$"))]
    plate: String,
    #[schemars(length(min = 1, max = 3))]
    few: Vec<u8>,
}

#[derive(JsonSchema, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Defaults {
    name: String,
    count: u32,
    tags: Vec<String>,
}

#[derive(JsonSchema, Deserialize)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

#[derive(JsonSchema, Deserialize)]
struct Chain {
    value: i16,
    next: Option<Box<Chain>>,
}

#[derive(JsonSchema, Deserialize)]
enum Expression {
    Number(i32),
    Negate(Box<Expression>),
    Add(Box<Expression>, Box<Expression>),
}

#[test]
fn numbers() {
    walk::<u8>();
    walk::<i8>();
    walk::<u16>();
    walk::<i16>();
    walk::<u32>();
    walk::<i32>();
    walk::<u64>();
    walk::<i64>();
    walk::<usize>();
    walk::<isize>();
    walk::<u128>();
    walk::<i128>();
    walk::<f32>();
    walk::<f64>();
    walk::<NonZeroU32>();
    walk::<NonZeroI16>();
}

#[test]
fn texts() {
    walk::<String>();
    walk::<char>();
    walk::<bool>();
    walk::<Box<str>>();
    walk::<std::path::PathBuf>();
}

#[test]
fn formats() {
    walk::<Ipv4Addr>();
    walk::<Ipv6Addr>();
    walk::<IpAddr>();
    walk::<uuid::Uuid>();
    walk::<Duration>();
}

#[test]
fn collections() {
    walk::<()>();
    walk::<(u8, String, Option<bool>)>();
    walk::<[i16; 3]>();
    walk::<Vec<u32>>();
    walk::<VecDeque<Option<i8>>>();
    walk::<BTreeSet<u8>>();
    walk::<HashSet<Label>>();
    walk::<BTreeMap<String, u8>>();
    walk::<BTreeMap<u32, String>>();
    walk::<HashMap<i64, bool>>();
    walk::<Vec<(Label, u8)>>();
}

#[test]
fn structs() {
    walk::<Unit>();
    walk::<Wrapped>();
    walk::<Pair>();
    walk::<Plain>();
    walk::<Bounds>();
    walk::<Defaults>();
    walk::<FlatStruct>();
}

#[test]
fn enums() {
    walk::<Label>();
    walk::<External>();
    walk::<Internal>();
    walk::<Adjacent>();
    walk::<Untagged>();
    walk::<Flat>();
    walk::<Option<External>>();
    walk::<Result<u8, String>>();
}

#[test]
fn types_that_contain_themselves_and_anything_at_all() {
    walk::<Tree>();
    walk::<Chain>();
    walk::<Expression>();
    walk::<serde_json::Value>();
}

/// Says which types and texts fail, as many as there are.
fn walk<T: JsonSchema + DeserializeOwned>() {
    let name = std::any::type_name::<T>();
    let schema = schema_of::<T>().unwrap_or_else(|error| panic!("{name}: {error}"));
    let vocabulary = Vocabulary::bytes();
    let compiler = Compiler::new(Arc::new(vocabulary)).expect("a vocabulary of bytes");
    let program = compiler.json_schema(schema.as_value(), JsonOptions::default());
    let program = program.unwrap_or_else(|error| panic!("{name}: {error}: {schema}"));
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..WALKS {
        let written = write(&program.matcher().expect("it has a grammar"), &mut rng);
        let text = String::from_utf8(written).unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Err(error) = serde_json::from_str::<T>(&text) {
            panic!("{name}: {error}\n{text}\n{schema}");
        }
    }
}

/// Bytes that end, escape, negate and repeat.
const HARMFUL: &[u8] = b"\"\\-0.e9,}]{[u";

fn write(matcher: &Matcher, rng: &mut fastrand::Rng) -> Vec<u8> {
    let vocabulary = Vocabulary::bytes();
    let mut written = Vec::new();
    while !matcher.finished() {
        assert!(written.len() < BYTES_MAX, "it does not end");
        if matcher.accepting().expect("no fault") && rng.u8(..) < 64 {
            break;
        }
        let mask = matcher.mask().expect("no fault");
        let mut allowed = mask.tokens();
        allowed.retain(|token| !vocabulary.end_tokens().contains(token));
        let harmful = allowed.iter().copied().filter(|token| {
            let bytes = vocabulary.token_bytes(*token);
            bytes.iter().all(|byte| HARMFUL.contains(byte))
        });
        let harmful: Vec<_> = harmful.collect();
        let from = match harmful.is_empty() || rng.bool() {
            true => &allowed,
            false => &harmful,
        };
        let Some(token) = rng.choice(from) else {
            break;
        };
        written.extend(vocabulary.token_bytes(*token));
        matcher.advance(&[*token]).expect("the mask allowed it");
    }
    written
}
