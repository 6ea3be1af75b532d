//! What is made of a signature; what the compiler says of those that cannot be AI functions stands in
//! aigen-marvin's `tests/refused`.

use crate::expand::expand;
use crate::options::Options;
use crate::signature::AiFn;
use syn::parse_str;

#[test]
fn an_option_may_be_any_expression_and_a_check_any_path() {
    assert!(parse_str::<Options>("").is_ok());
    assert!(parse_str::<Options>("max_tokens = N * 2, check = checks::all,").is_ok());
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
