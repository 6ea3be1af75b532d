use wit_component::StringEncoding;
use wit_parser::Resolve;

/// Names what of the contract guests by hand may import, as core modules do.
const IMPORTS: &str = r#"
  (import "aigen:controller/output@0.1.0" "log" (func $log (param i32 i32 i32)))
  (import "aigen:controller/output@0.1.0" "commit" (func $commit))
  (import "aigen:controller/variables@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32)))
  (import "aigen:controller/variables@0.1.0" "append" (func $append (param i32 i32 i32 i32 i32)))
  (import "aigen:controller/variables@0.1.0" "get" (func $get (param i32 i32 i32)))
  (import "aigen:controller/constraints@0.1.0" "[static]token-set.from-bits" (func $bits (param i32 i32 i32)))
  (import "aigen:controller/constraints@0.1.0" "[static]token-set.of" (func $tokens (param i32 i32 i32)))
  (import "aigen:controller/constraints@0.1.0" "[static]token-set.all" (func $all (result i32)))
  (import "aigen:controller/constraints@0.1.0" "[method]token-set.id" (func $id (param i32) (result i32)))
  (import "aigen:controller/constraints@0.1.0" "[static]grammar.lark" (func $lark (param i32 i32 i32)))
  (import "aigen:controller/constraints@0.1.0" "[static]grammar.regex" (func $regex (param i32 i32 i32)))
  (import "aigen:controller/constraints@0.1.0" "[method]grammar.matcher" (func $matcher (param i32) (result i32)))
  (import "aigen:controller/constraints@0.1.0" "[method]matcher.id" (func $matcher_id (param i32) (result i32)))
  (import "aigen:controller/constraints@0.1.0" "[static]grammar.json-schema" (func $schema (param i32 i32 i32 i32 i32)))
  (import "aigen:controller/output@0.1.0" "put-result" (func $put (param i32 i32 i32 i32 i32)))
  (import "aigen:controller/outside@0.1.0" "http-get" (func $http (param i32 i32 i32)))
  (import "aigen:controller/outside@0.1.0" "call-tool" (func $tool (param i32 i32 i32 i32 i32)))
  (import "aigen:controller/outside@0.1.0" "query-dataset" (func $query (param i32 i32 i32 i32 i32 i32)))
  (import "aigen:controller/outside@0.1.0" "complete" (func $complete (param i32 i32 i32 i32 i32 i32 i32)))
  (import "aigen:controller/rng@0.1.0" "next" (func $random (result i64)))
"#;

/// A controller from the parts of `guest.wat`: instructions, which may call the functions there
/// and those of the contract.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guest<'a> {
    /// What it does when it is instantiated.
    pub start: &'a str,
    /// What it does when a request opens it.
    pub open: &'a str,
    /// What it does at every step, to decide.
    pub step: &'a str,
    /// What it does before its last word.
    pub finish: &'a str,
    /// Text that lies in its memory at 256; at most 512 bytes, in the text form's escapes.
    pub text: &'a str,
}

impl Guest<'_> {
    /// A guest whose every step does this.
    #[must_use]
    pub const fn stepping(step: &str) -> Guest<'_> {
        let (start, open, finish, text) = ("", "", "", "");
        Guest {
            start,
            open,
            step,
            finish,
            text,
        }
    }

    /// A core module that describes itself as a controller, which the host makes a component.
    ///
    /// # Panics
    /// If the parts are no instructions.
    #[must_use]
    pub fn module(&self) -> Vec<u8> {
        let text = include_str!("guest.wat")
            .replace(";;TEXT", self.text)
            .replace("    ;;START", self.start)
            .replace("    ;;OPEN", self.open)
            .replace("    ;;STEP", self.step)
            .replace("    ;;FINISH", self.finish);
        described(&text.replace("  ;;IMPORTS", &imports(&text)))
    }
}

/// Those that are called: what a controller imports is looked at where it is published.
fn imports(text: &str) -> String {
    let is_called = |line: &&str| {
        let named = line.split("(func ").nth(1);
        let name = named.and_then(|named| named.split([' ', ')']).next());
        name.is_some_and(|name| {
            let called = [format!("(call {name} "), format!("(call {name})")];
            called.iter().any(|call| text.contains(call))
        })
    };
    let called: Vec<&str> = IMPORTS.lines().filter(is_called).collect();
    called.join("\n")
}

/// The core module of this text, which says of itself that it is a controller.
///
/// # Panics
/// If the text is no module.
#[must_use]
pub fn described(text: &str) -> Vec<u8> {
    let mut module = wat::parse_str(text).expect("the guest is a module");
    let mut resolve = Resolve::default();
    let contract = include_str!("../../../wit/controller.wit");
    let package = resolve.push_str("controller.wit", contract);
    let package = package.expect("the contract is written well");
    let world = resolve
        .select_world(&[package], Some("token-controller"))
        .expect("the contract has this world");
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("a module has room for what it says of itself");
    module
}
