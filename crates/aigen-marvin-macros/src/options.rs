//! What stands in the parentheses of `#[ai_fn(…)]`.

use crate::signature::AiFn;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, Path, Token};

/// Each at most once; what is left out is decided where the function is called.
#[derive(Default)]
pub struct Options {
    pub max_tokens: Option<Expr>,
    pub temperature: Option<Expr>,
    pub seed: Option<Expr>,
    pub model: Option<Expr>,
    pub controller: Option<Expr>,
    pub retries: Option<Expr>,
    pub check: Option<Path>,
    /// Where it stands, if it does.
    pub publish: Option<Ident>,
}

const NAMES: &str = "publish, max_tokens, temperature, seed, model, controller, retries and check";

const CHECK: &str = "`check` names a function of the value and the parameters, all by reference, that returns `Result<(), String>`\nhelp: write `check = evidence_is_quoted`";

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            options.take(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

impl Options {
    /// What only this program has cannot be published, and would silently be missing there.
    pub fn check_published(&self, function: &AiFn) -> syn::Result<()> {
        let Some(publish) = &self.publish else {
            return Ok(());
        };
        let missing = [
            (self.check.is_some(), "check", "leave `check` out"),
            (
                self.controller.is_some(),
                "other controller",
                "leave `controller` out",
            ),
            (
                function.block.is_some(),
                "body",
                "end the signature with `;`",
            ),
        ];
        match missing.into_iter().find(|(has, ..)| *has) {
            None => Ok(()),
            Some((_, what, help)) => Err(syn::Error::new(
                publish.span(),
                format!(
                    "a published function has no {what}: only this program would have it\nhelp: {help}, or do not publish it"
                ),
            )),
        }
    }

    fn take(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let name: Ident = input.parse()?;
        if name == "publish" {
            return once(&name.clone(), &mut self.publish, name);
        }
        input.parse::<Token![=]>()?;
        if name == "check" {
            let check = input
                .parse()
                .map_err(|error| syn::Error::new(error.span(), CHECK))?;
            return once(&name, &mut self.check, check);
        }
        let place = match name.to_string().as_str() {
            "max_tokens" => &mut self.max_tokens,
            "temperature" => &mut self.temperature,
            "seed" => &mut self.seed,
            "model" => &mut self.model,
            "controller" => &mut self.controller,
            "retries" => &mut self.retries,
            other => {
                let message = format!("`{other}` is no option of ai_fn\nhelp: there are {NAMES}");
                return Err(syn::Error::new(name.span(), message));
            }
        };
        once(&name, place, input.parse()?)
    }
}

fn once<T>(name: &Ident, place: &mut Option<T>, value: T) -> syn::Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(syn::Error::new(
            name.span(),
            format!("`{name}` is given twice\nhelp: leave one of the two out"),
        )),
    }
}
