//! The item under the attribute: a function, with a body or with a semicolon.

use proc_macro2::Span;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Block, Expr, ExprLit, FnArg, GenericArgument, GenericParam, Ident, Lit, Meta, Pat,
    PatIdent, PatType, PathArguments, ReturnType, Signature, Token, Type, TypeReference,
    Visibility,
};

/// A function that a model computes.
pub struct AiFn {
    /// Attributes other than documentation.
    pub attributes: Vec<Attribute>,
    pub documentation: Vec<Attribute>,
    pub visibility: Visibility,
    pub name: Ident,
    /// What it says of itself: the instruction.
    pub instruction: String,
    pub parameters: Vec<Parameter>,
    /// `T` of `Result<T, AiError>`.
    pub value: Type,
    /// All of `Result<T, AiError>`.
    pub output: Type,
    /// Its value is more context.
    pub block: Option<Block>,
}

pub struct Parameter {
    pub name: Ident,
    pub of: Type,
    pub description: String,
}

impl Parse for AiFn {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (documentation, attributes): (Vec<_>, Vec<_>) = input
            .call(Attribute::parse_outer)?
            .into_iter()
            .partition(|attribute| attribute.path().is_ident("doc"));
        let visibility = input.parse()?;
        let signature: Signature = input.parse()?;
        let block = match input.parse::<Option<Token![;]>>()? {
            Some(_) => None,
            None => Some(input.parse()?),
        };
        check(&signature)?;
        let instruction = text(&documentation);
        if instruction.is_empty() {
            return Err(syn::Error::new(
                signature.ident.span(),
                "an AI function needs a doc comment: it is what the model is told to do\nhelp: write `/// Judge the sentiment of `text`.` above it",
            ));
        }
        let (output, value) = output(&signature)?;
        let parameters = signature.inputs.iter().map(parameter);
        Ok(Self {
            attributes,
            instruction,
            documentation,
            visibility,
            name: signature.ident.clone(),
            parameters: parameters.collect::<syn::Result<_>>()?,
            value,
            output,
            block,
        })
    }
}

fn check(signature: &Signature) -> syn::Result<()> {
    if signature.asyncness.is_none() {
        return Err(syn::Error::new(
            signature.fn_token.span,
            "an AI function waits for a model\nhelp: write `async fn`",
        ));
    }
    if let Some(word) = &signature.unsafety {
        let said = "an AI function does nothing unsafe\nhelp: leave `unsafe` out";
        return Err(syn::Error::new_spanned(word, said));
    }
    match signature.generics.params.first() {
        None => Ok(()),
        Some(GenericParam::Lifetime(lifetime)) => Err(syn::Error::new_spanned(
            lifetime,
            "a call borrows its arguments for as long as it needs\nhelp: leave lifetimes out",
        )),
        Some(parameter) => Err(generic(parameter)),
    }
}

fn generic(parameter: &impl ToTokens) -> syn::Error {
    syn::Error::new_spanned(
        parameter,
        "an AI function has no type parameters, since its schema is made once\nhelp: name the type, or call `extract::<T>`, `cast::<T>` or `generate::<T>`",
    )
}

/// The whole return type, and the value's.
fn output(signature: &Signature) -> syn::Result<(Type, Type)> {
    let help = "an AI function returns `Result<T, AiError>`, since a call can fail\nhelp: write `-> Result<YourType, AiError>`";
    let ReturnType::Type(_, output) = &signature.output else {
        return Err(syn::Error::new(signature.ident.span(), help));
    };
    match value_of_result(output) {
        Some(value) => Ok((output.as_ref().clone(), value)),
        None => Err(syn::Error::new_spanned(output, help)),
    }
}

fn value_of_result(output: &Type) -> Option<Type> {
    let Type::Path(path) = output else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let mut types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(of) => Some(of),
        _ => None,
    });
    let (value, error) = (types.next()?, types.next()?);
    let Type::Path(error) = error else {
        return None;
    };
    let is_ours = error.path.segments.last()?.ident == "AiError";
    (last.ident == "Result" && is_ours && types.next().is_none()).then(|| value.clone())
}

fn parameter(argument: &FnArg) -> syn::Result<Parameter> {
    let PatType { attrs, pat, ty, .. } = match argument {
        FnArg::Typed(typed) => typed,
        FnArg::Receiver(receiver) => {
            return Err(syn::Error::new_spanned(
                receiver,
                "an AI function has no `self`, since the model sees only its parameters\nhelp: pass what it needs as a parameter",
            ));
        }
    };
    let Pat::Ident(name) = pat.as_ref() else {
        return Err(syn::Error::new_spanned(
            pat,
            "a parameter of an AI function needs a name, which the model reads\nhelp: write `name: Type`",
        ));
    };
    check_read(name, ty)?;
    Ok(Parameter {
        name: name.ident.clone(),
        of: ty.as_ref().clone(),
        description: text(attrs),
    })
}

/// A model reads its arguments and changes none.
fn check_read(name: &PatIdent, of: &Type) -> syn::Result<()> {
    let said = "a model reads its arguments and changes none\nhelp: leave `mut` out";
    if let Some(word) = &name.mutability {
        return Err(syn::Error::new_spanned(word, said));
    }
    match of {
        Type::Reference(TypeReference {
            mutability: Some(word),
            ..
        }) => Err(syn::Error::new_spanned(word, said)),
        Type::ImplTrait(of) => Err(generic(of)),
        _ => Ok(()),
    }
}

/// A doc comment's lines, without the blank that stands before each.
fn text(documentation: &[Attribute]) -> String {
    let lines: Vec<_> = documentation.iter().filter_map(line).collect();
    lines.join("\n").trim().to_owned()
}

fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Str(text),
        ..
    }) = &pair.value
    else {
        return None;
    };
    let text = text.value();
    Some(text.strip_prefix(' ').unwrap_or(&text).to_owned())
}

impl AiFn {
    /// Where errors about the function as a whole are shown.
    pub fn span(&self) -> Span {
        self.name.span()
    }
}
