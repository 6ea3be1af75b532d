//! `#[ai_fn]`: a signature and a doc comment become a function that a model computes.
//!
//! Used through `aigen-marvin`, whose documentation says what the attribute takes and makes.

mod expand;
mod options;
mod signature;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// See `aigen_marvin::ai_fn`.
#[proc_macro_attribute]
pub fn ai_fn(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(options as options::Options);
    let signature = parse_macro_input!(item as signature::AiFn);
    if let Err(error) = options.check_published(&signature) {
        return error.into_compile_error().into();
    }
    expand::expand(&options, &signature).into()
}

#[cfg(test)]
mod tests;
