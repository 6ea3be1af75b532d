mod python;
mod types;
mod typescript;

use crate::context::Context;
use crate::failure::{OrHint, hinted};
use crate::reach::{Asked, Reach};
use aigen_api::resources::{Function, List};
use aigen_types::ControllerSelector;
use anyhow::{Result, ensure};
use clap::ValueEnum;
use std::fs;
use std::path::PathBuf;
use types::Module;

/// See [`super::Command::Gen`].
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  aigen gen python --out clients
  aigen gen ts --function ada/sentiment --function bea/route@1 --out web/src

One file is written, which needs nothing but the language itself (Python 3.11, or a TypeScript with
`fetch`): a type for every input and value, and a method for every function, bound to the version
that was found. Write it anew when a function has a new version.")]
pub struct Args {
    /// For which language
    #[arg(value_enum)]
    language: Language,
    /// OWNER/NAME with or without @VERSION; may be given several times; without it, every function
    #[arg(long = "function", value_name = "FUNCTION")]
    functions: Vec<ControllerSelector>,
    /// The folder to write to; it is made
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    Python,
    #[value(alias = "typescript")]
    Ts,
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    let functions = found(&node, &args.functions).await?;
    ensure!(
        !functions.is_empty(),
        hinted(
            "no function is published here",
            "publish one: aigen fn publish"
        )
    );
    let module = Module::of(&functions)?;
    let (name, text) = match args.language {
        Language::Python => ("aigen_functions.py", python::write(&module)),
        Language::Ts => ("aigen-functions.ts", typescript::write(&module)),
    };
    let file = args.out.join(name);
    let written = fs::create_dir_all(&args.out).and_then(|()| fs::write(&file, text));
    written.or_hint(
        format!("cannot write {}", file.display()),
        "name a folder that you can write to with --out",
    )?;
    let names: Vec<_> = functions
        .iter()
        .map(|one| one.reference.to_string())
        .collect();
    let shown = serde_json::json!({ "file": file.display().to_string(), "functions": names });
    context.output.data(&shown, || {
        format!("wrote {}: {}", file.display(), names.join(", "))
    })
}

async fn found(node: &Asked, wanted: &[ControllerSelector]) -> Result<Vec<Function>> {
    if wanted.is_empty() {
        let all: List<Function> = node.get("/v1/aigen/functions").await?;
        return Ok(all.data);
    }
    let mut functions = Vec::new();
    for selector in wanted {
        functions.push(node.get(&format!("/v1/functions/{selector}")).await?);
    }
    Ok(functions)
}
