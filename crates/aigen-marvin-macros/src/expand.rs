//! What the attribute makes of a signature.
//!
//! The function itself, and an empty enum of its name for everything else that can be asked of
//! it: types and functions have namespaces of their own, and unlike a module an enum sees what
//! the function's surroundings see, in the middle of another function too.

use crate::options::Options;
use crate::signature::{AiFn, Parameter};
use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::visit_mut::{VisitMut, visit_type_reference_mut};
use syn::{Ident, Lifetime, Type, TypeReference};

pub fn expand(options: &Options, function: &AiFn) -> TokenStream {
    let marvin = marvin();
    let plain = plain(function);
    let face = face(&marvin, options, function);
    quote!(#plain #face)
}

/// What aigen-marvin is called here.
fn marvin() -> TokenStream {
    let named = |name: &str| Ident::new(name, Span::call_site());
    match (crate_name("aigen-marvin"), crate_name("aigen")) {
        (Ok(FoundCrate::Name(name)), _) => {
            let name = named(&name);
            quote!(::#name)
        }
        // Whoever has a node in the program has it with that.
        (Err(_), Ok(FoundCrate::Name(name))) => {
            let name = named(&name);
            quote!(::#name::marvin)
        }
        // Its own tests and documentation, and whoever re-exports it under its own name.
        _ => quote!(::aigen_marvin),
    }
}

/// The function as it is written.
fn plain(function: &AiFn) -> TokenStream {
    let AiFn {
        attributes,
        documentation,
        visibility,
        name,
        parameters,
        output,
        ..
    } = function;
    let names = parameters.iter().map(|parameter| &parameter.name);
    let types = parameters.iter().map(|parameter| &parameter.of);
    let passed = names.clone();
    quote! {
        #(#documentation)*
        #(#attributes)*
        #visibility async fn #name(#(#names: #types),*) -> #output {
            #name::call(#(#passed),*).await
        }
    }
}

/// The enum: `call`, `prompt`, `schema`, `map`.
fn face(marvin: &TokenStream, options: &Options, function: &AiFn) -> TokenStream {
    let AiFn {
        visibility,
        name,
        value,
        ..
    } = function;
    let about = format!("What else can be asked of [`{name}()`].");
    let definition = definition(marvin, options, function);
    let call = call(marvin, options, function);
    let prompt = prompt(marvin, &function.parameters);
    let map = map(marvin, function);
    let source = options.publish.as_ref().map(|_| source(marvin, function));
    quote_spanned! {function.span()=>
        #[doc = #about]
        #[allow(non_camel_case_types)]
        #visibility enum #name {}

        // Nobody uses all of it, and of a private function the compiler would say so.
        #[allow(dead_code)]
        impl #name {
            #definition
            #call
            #prompt
            #map
            #source

            /// The JSON Schema that an answer follows, as the decoder enforces it.
            ///
            /// # Errors
            /// If the return type cannot be promised.
            pub fn schema() -> ::std::result::Result<#marvin::Schema, #marvin::SchemaError> {
                #marvin::schema_of::<#value>()
            }
        }
    }
}

fn definition(marvin: &TokenStream, options: &Options, function: &AiFn) -> TokenStream {
    let name = function.name.to_string();
    let instruction = &function.instruction;
    let Options {
        max_tokens,
        temperature,
        seed,
        model,
        controller,
        retries,
        check: _,
        publish: _,
    } = options;
    let settings = [
        ("max_tokens", max_tokens),
        ("temperature", temperature),
        ("seed", seed),
        ("model", model),
        ("controller", controller),
        ("retries", retries),
    ];
    let settings = settings.into_iter().filter_map(|(name, value)| {
        let (name, value) = (format_ident!("{name}"), value.as_ref()?);
        Some(quote!(.#name(#value)))
    });
    quote! {
        fn definition() -> #marvin::Definition {
            #marvin::Definition::new(#name, #instruction) #(#settings)*
        }
    }
}

fn call(marvin: &TokenStream, options: &Options, function: &AiFn) -> TokenStream {
    let value = &function.value;
    let (names, types) = borrowed(&function.parameters);
    let arguments = arguments(marvin, function);
    let check = options
        .check
        .as_ref()
        .map(|check| quote!(.check(move |value: &#value| #check(value, #(&#names),*))));
    quote! {
        /// A call that is not made yet: await it, or say more about it first.
        pub fn call<'aigen>(#(#names: #types),*) -> #marvin::Call<'aigen, #value> {
            #arguments
            #marvin::Call::<#value>::new(Self::definition(), arguments) #check
        }
    }
}

fn prompt(marvin: &TokenStream, parameters: &[Parameter]) -> TokenStream {
    let (names, types) = borrowed(parameters);
    quote! {
        /// The exact messages of a call, without making it.
        ///
        /// # Errors
        /// If an argument has no JSON, or the return type cannot be promised.
        pub fn prompt<'aigen>(#(#names: #types),*) -> ::std::result::Result<#marvin::Prompt, #marvin::AiError> {
            Self::call(#(#names),*).prompt()
        }
    }
}

fn map(marvin: &TokenStream, function: &AiFn) -> TokenStream {
    let value = &function.value;
    let (names, types) = borrowed(&function.parameters);
    let (pattern, item) = match (names.as_slice(), types.as_slice()) {
        ([name], [of]) => (quote!(#name), quote!(#of)),
        (names, types) => (quote!((#(#names),*)), quote!((#(#types),*))),
    };
    quote! {
        /// One call for each item, some at a time; answers come in the items' order.
        pub fn map<'aigen>(
            items: impl ::std::iter::IntoIterator<Item = #item>,
        ) -> #marvin::Calls<'aigen, #value> {
            items.into_iter().map(|#pattern| Self::call(#(#names),*)).collect()
        }
    }
}

/// What is published of it.
fn source(marvin: &TokenStream, function: &AiFn) -> TokenStream {
    let parameters = function.parameters.iter().map(|parameter| {
        let Parameter {
            name,
            of,
            description,
        } = parameter;
        let text = name.to_string();
        let mut of = of.clone();
        Erased.visit_type_mut(&mut of);
        quote!(.with::<#of>(#text, #description))
    });
    quote! {
        /// The function as it is published: `aigen fn publish`.
        ///
        /// # Errors
        /// If the return type cannot be promised.
        pub fn source() -> ::std::result::Result<::std::string::String, #marvin::SchemaError> {
            let inputs = #marvin::Inputs::default() #(#parameters)*;
            #marvin::source(&Self::definition(), inputs, Self::schema())
        }
    }
}

/// `let arguments = …`, from parameters in scope.
fn arguments(marvin: &TokenStream, function: &AiFn) -> TokenStream {
    let argument = function.parameters.iter().map(|parameter| {
        let Parameter {
            name, description, ..
        } = parameter;
        let text = name.to_string();
        quote!(.with(#text, #description, &#name))
    });
    let context = function
        .block
        .as_ref()
        .map(|block| quote!(.context(#block)));
    quote! {
        let arguments = #marvin::Arguments::default() #(#argument)* #context;
    }
}

/// Names and types of the parameters, with the lifetime that a call borrows them for.
fn borrowed(parameters: &[Parameter]) -> (Vec<Ident>, Vec<Type>) {
    let one = |parameter: &Parameter| {
        let mut of = parameter.of.clone();
        Named.visit_type_mut(&mut of);
        (parameter.name.clone(), of)
    };
    parameters.iter().map(one).unzip()
}

/// Gives every lifetime that was left out a name.
struct Named;

impl VisitMut for Named {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        reference.lifetime.get_or_insert_with(aigen);
        visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = aigen();
        }
    }
}

/// Leaves every lifetime out: a schema has none.
struct Erased;

impl VisitMut for Erased {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        *lifetime = Lifetime::new("'_", Span::call_site());
    }
}

fn aigen() -> Lifetime {
    Lifetime::new("'aigen", Span::call_site())
}
