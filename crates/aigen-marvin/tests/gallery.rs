//! Whatever a decoder can write under a type's schema is read back as that type.
//!
//! Each type is walked a thousand times by a writer that means harm: at every byte it takes any
//! that the mask allows, with a liking for those that end, escape and negate.
#![allow(missing_docs, dead_code)]

use aigen_engine::Tokenizer;
use aigen_engine::scripted::Vocabulary;
use aigen_jarvis::{Compiler, JsonOptions, Matcher};
use aigen_marvin::{Schema, schema_of};
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

/// A test for each kind, and the rows of `docs/reference/types.md`.
macro_rules! gallery {
    ($($kind:ident: $($shown:ty),+;)+) => {
        $(#[test]
        fn $kind() {
            $(walk::<$shown>();)+
        })+

        fn rows() -> Vec<(&'static str, &'static str, Schema)> {
            vec![$($((stringify!($kind), stringify!($shown), schema_of::<$shown>().unwrap()),)+)+]
        }
    };
}

gallery! {
    numbers:
        u8,
        i8,
        u16,
        i16,
        u32,
        i32,
        u64,
        i64,
        usize,
        isize,
        u128,
        i128,
        f32,
        f64,
        NonZeroU32,
        NonZeroI16;
    texts:
        String,
        char,
        bool,
        Box<str>,
        std::path::PathBuf;
    formats:
        Ipv4Addr,
        Ipv6Addr,
        IpAddr,
        uuid::Uuid,
        Duration;
    collections:
        (),
        (u8, String, Option<bool>),
        [i16; 3],
        Vec<u32>,
        VecDeque<Option<i8>>,
        BTreeSet<u8>,
        HashSet<Label>,
        BTreeMap<String, u8>,
        BTreeMap<u32, String>,
        HashMap<i64, bool>,
        Vec<(Label, u8)>;
    structs:
        Unit,
        Wrapped,
        Pair,
        Plain,
        Bounds,
        Defaults,
        FlatStruct;
    enums:
        Label,
        External,
        Internal,
        Adjacent,
        Untagged,
        Flat,
        Option<External>,
        Result<u8, String>;
    types_that_contain_themselves_and_anything_at_all:
        Tree,
        Chain,
        Expression,
        serde_json::Value;
}

const PAGE: &str = "../../docs/reference/types.md";

const HEAD: &str = "# Types that are promised

What an AI function in Rust may return, and the JSON Schema that the decoder follows for it: what `schemars` says of the
type, narrowed until whatever follows it is read back. `crates/aigen-marvin/tests/gallery.rs` has each of these types written a
thousand times by a writer that means harm, which takes any byte that the mask allows and likes those that end, escape and
negate. Every text is read back as its type: no row of this table has an exception.

A type of which nothing can be promised, such as one with a regular expression that looks ahead, is refused where it is
compiled or first used, with what to change.

| kind | type | schema |
|---|---|---|
";

/// Types that contain themselves are written out several levels deep: of those the page has the beginning.
const SHOWN_MAX: usize = 1_300;

fn shown(schema: &Schema) -> String {
    let whole = serde_json::to_string(schema.as_value()).unwrap();
    let shown: String = whole.chars().take(SHOWN_MAX).collect();
    let rest = match shown.len() < whole.len() {
        true => format!("… and {} bytes more", whole.len() - shown.len()),
        false => String::new(),
    };
    format!("`{}`{rest}", shown.replace('|', "\\|"))
}

/// `UPDATE_GOLDEN=1` writes it.
#[test]
fn the_page_shows_every_type_and_its_schema() {
    let rows = rows().into_iter().map(|(kind, name, schema)| {
        let (kind, schema) = (kind.replace('_', " "), shown(&schema));
        format!("| {kind} | `{name}` | {schema} |\n")
    });
    let page = format!("{HEAD}{}", rows.collect::<String>());
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return std::fs::write(path, page).unwrap();
    }
    let shown = std::fs::read_to_string(path).unwrap();
    assert!(
        shown == page,
        "UPDATE_GOLDEN=1 cargo test -p aigen-marvin --test gallery -- page"
    );
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
