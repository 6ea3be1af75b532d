//! What the compiler says of signatures that cannot be AI functions, and what is made of others.

use crate::expand::expand;
use crate::options::Options;
use crate::signature::AiFn;
use syn::parse_str;

/// A signature, and the error with its help.
const REFUSED: &[(&str, &str)] = &[
    (
        "/// Judge.\nfn f(text: &str) -> Result<u8, AiError>;",
        "an AI function waits for a model\nhelp: write `async fn`",
    ),
    (
        "async fn f(text: &str) -> Result<u8, AiError>;",
        "an AI function needs a doc comment: it is what the model is told to do\nhelp: write `/// Judge the sentiment of `text`.` above it",
    ),
    (
        "/// Judge.\nasync fn f(text: &str);",
        "an AI function returns `Result<T, AiError>`, since a call can fail\nhelp: write `-> Result<YourType, AiError>`",
    ),
    (
        "/// Judge.\nasync fn f(text: &str) -> u8;",
        "an AI function returns `Result<T, AiError>`, since a call can fail\nhelp: write `-> Result<YourType, AiError>`",
    ),
    (
        "/// Judge.\nasync fn f(text: &str) -> Result<u8, std::io::Error>;",
        "an AI function returns `Result<T, AiError>`, since a call can fail\nhelp: write `-> Result<YourType, AiError>`",
    ),
    (
        "/// Judge.\nasync fn f<T>(text: T) -> Result<u8, AiError>;",
        "an AI function has no type parameters, since its schema is made once\nhelp: name the type, or call `extract::<T>`, `cast::<T>` or `generate::<T>`",
    ),
    (
        "/// Judge.\nasync fn f(&self) -> Result<u8, AiError>;",
        "an AI function has no `self`, since the model sees only its parameters\nhelp: pass what it needs as a parameter",
    ),
    (
        "/// Judge.\nasync fn f((a, b): (u8, u8)) -> Result<u8, AiError>;",
        "a parameter of an AI function needs a name, which the model reads\nhelp: write `name: Type`",
    ),
];

#[test]
fn what_cannot_be_an_ai_function_says_what_to_write_instead() {
    for (signature, expected) in REFUSED {
        match parse_str::<AiFn>(signature) {
            Ok(_) => panic!("{signature} was taken"),
            Err(error) => assert_eq!(error.to_string(), *expected, "{signature}"),
        }
    }
}

#[test]
fn options_are_named_and_given_once() {
    let error = |options: &str| match parse_str::<Options>(options) {
        Ok(_) => panic!("{options} were taken"),
        Err(error) => error.to_string(),
    };
    assert_eq!(
        error("max_token = 3"),
        "`max_token` is no option of ai_fn; there are publish, max_tokens, temperature, seed, model, controller, retries and check"
    );
    assert_eq!(error("seed = 1, seed = 2"), "`seed` is given twice");
    assert_eq!(error("check = 3"), "expected identifier");
    assert!(parse_str::<Options>("").is_ok());
    assert!(parse_str::<Options>("max_tokens = N * 2, check = checks::all,").is_ok());
}

#[test]
fn what_only_a_program_has_is_not_published() {
    let error = |options: &str, end: &str| {
        let function = format!("/// Judge.\nasync fn f(text: &str) -> Result<u8, AiError>{end}");
        let function: AiFn = parse_str(&function).expect("an AI function");
        let options: Options = parse_str(options).expect("options");
        options
            .check_published(&function)
            .map_err(|error| error.to_string())
    };
    assert_eq!(error("publish, max_tokens = 3", ";"), Ok(()));
    for (options, end, expected) in [
        ("publish, check = f", ";", "has no check: "),
        (
            "publish, controller = \"a/b\"",
            ";",
            "has no other controller: ",
        ),
        ("publish", "{ 7 }", "has no body: "),
    ] {
        let said = error(options, end).expect_err(options);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn documentation_becomes_instruction_and_descriptions() {
    let function = "/// Judge `text`.\n///\n/// Sarcasm flips.\n#[inline]\npub async fn f(/** the message */ text: &str, n: u8) -> Result<u8, AiError> { 7 }";
    let function: AiFn = parse_str(function).expect("an AI function");
    assert_eq!(function.instruction, "Judge `text`.\n\nSarcasm flips.");
    let described = function.parameters.iter().map(|p| p.description.as_str());
    assert_eq!(described.collect::<Vec<_>>(), ["the message", ""]);
    assert_eq!(function.attributes.len(), 1);
    assert!(function.block.is_some());
}

#[test]
fn a_call_borrows_its_arguments_for_as_long_as_it_needs() {
    let function =
        "/// Judge.\nasync fn f(text: &str, more: Option<Cow<'_, str>>) -> Result<u8, AiError>;";
    let function: AiFn = parse_str(function).expect("an AI function");
    let code = expand(&Options::default(), &function).to_string();
    assert!(
        code.contains("text : & 'aigen str , more : Option < Cow < 'aigen , str > >"),
        "{code}"
    );
}
