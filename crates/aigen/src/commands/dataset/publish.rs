//! A file is checked and put into canonical form here, so that what is wrong with it is known
//! before anything is sent, and what arrives can be compared with what was meant.

use super::{PriceArgs, show};
use crate::context::Context;
use crate::failure::{OrHint, hinted};
use crate::output::{Output, Table, bytes, counted, looking};
use crate::reach::Reach;
use aigen_api::resources::{DatasetImport, DatasetUse, ImportStage, PublishDataset};
use aigen_client::Client;
use aigen_datasets::{Format, Manifest, Progress, Source, canonicalise};
use aigen_types::{Address, DatasetRef};
use anyhow::{Context as _, Result, ensure};
use futures::stream::{self, Stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek};
use std::path::PathBuf;

/// Bytes that are sent at once.
const PIECE_BYTES: usize = 1 << 18;

/// See [`super::Command::Publish`].
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    file: FileArgs,
    /// Owner, name and version, like acme/faq@1.0.0
    #[arg(long, value_name = "NAME")]
    name: DatasetRef,
    /// The licence, as an SPDX expression or a name
    #[arg(long, value_name = "LICENCE")]
    licence: String,
    /// One line for people
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// What rows may be read for: read, completion, controller or download; all when absent
    #[arg(long = "use", value_name = "USE", value_delimiter = ',')]
    uses: Vec<DatasetUse>,
    /// Let everybody read it, without a grant
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    price: PriceArgs,
    /// Who is paid; your own account when absent
    #[arg(long, value_name = "ADDRESS")]
    provider: Option<Address>,
    #[command(flatten)]
    reach: Reach,
}

/// A file, and what is in it.
#[derive(Debug, clap::Args)]
pub struct FileArgs {
    /// A CSV, JSONL or Parquet file, a text, or a folder of texts
    file: PathBuf,
    /// What it holds; by the ending of its name when absent
    #[arg(long, value_name = "FORMAT", value_parser = clap::builder::PossibleValuesParser::new(Format::NAMES))]
    format: Option<String>,
    /// What stands between the cells of CSV; a comma, or a tab in .tsv, when absent
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<char>,
}

/// One character, or `\t`, which shells leave as it is written.
fn delimiter(text: &str) -> Result<char, String> {
    let mut letters = text.chars();
    match (text, letters.next(), letters.next()) {
        ("\\t", ..) => Ok('\t'),
        (_, Some(letter), None) => Ok(letter),
        _ => Err("it is one character, like ';', or \\t for a tab".to_owned()),
    }
}

impl FileArgs {
    fn source(&self) -> Result<Source> {
        let mut source = match &self.format {
            Some(format) => Source::new(&self.file, format.parse().map_err(anyhow::Error::msg)?),
            None => Source::of(&self.file)?,
        };
        if let Some(delimiter) = self.delimiter {
            source.delimiter = u8::try_from(delimiter).or_hint(
                format!("{delimiter:?} cannot stand between cells"),
                "it is one ASCII character, like ';'",
            )?;
        }
        Ok(source)
    }
}

pub fn check(file: &FileArgs, context: &Context) -> Result<()> {
    let manifest = read(&file.source()?, &mut io::sink(), &context.output)?;
    let columns: serde_json::Value = serde_json::from_str(&manifest.schema())?;
    let data = json!({
        "content": manifest.digest.to_string(), "rows": manifest.rows, "bytes": manifest.bytes,
        "columns": columns,
    });
    context.output.data(&data, || describe(&manifest))
}

fn describe(manifest: &Manifest) -> String {
    let mut table = Table::new(&["column", "type", "without a value"]);
    for column in &manifest.columns {
        let nullable = if column.nullable { "in some rows" } else { "" };
        table.row([
            column.name.clone(),
            column.kind.name().into(),
            nullable.into(),
        ]);
    }
    format!(
        "{}, {}\ncontent {}\n\n{table}",
        counted(manifest.rows, "row"),
        bytes(manifest.bytes),
        manifest.digest
    )
}

pub async fn run(args: Args, context: &Context) -> Result<()> {
    let node = args.reach.as_customer(context)?;
    let undecided = args.price.leaves_downloads_open();
    ensure!(
        !(undecided && args.uses.contains(&DatasetUse::Download)),
        hinted(
            "rows have a price, and nothing is said of what all of them together cost",
            "name --price-per-download, also 0, or leave `--use download` out",
        )
    );
    let source = args.file.source()?;
    let mut file = tempfile::tempfile().context("cannot make a file to put the rows in")?;
    let manifest = read(&source, &mut BufWriter::new(&file), &context.output)?;
    file.rewind()?;
    let said = said(args, &manifest);
    let bar = context.output.byte_progress(Some(manifest.bytes));
    let sent = node
        .client()
        .publish_dataset(&said, manifest.bytes, pieces(file, bar.clone()));
    let look = async || look(node.client(), &said.name, &bar).await;
    let published = looking(sent, look).await;
    bar.finish_and_clear();
    let published = published.map_err(|error| node.explain(error))?;
    let name = &published.reference;
    context.output.say(format!("Published {name}."));
    if !published.open {
        context.output.say(format!(
            "Nobody else may read it yet: aigen dataset grant {} ADDRESS",
            name.dataset
        ));
    }
    if undecided {
        context
            .output
            .say("It cannot be downloaded as a whole: no --price-per-download was named.");
    }
    show::tell(&published, context)
}

fn said(args: Args, manifest: &Manifest) -> PublishDataset {
    let uses: Vec<_> = args.uses.iter().map(ToString::to_string).collect();
    PublishDataset {
        name: args.name,
        format: "jsonl".into(),
        delimiter: None,
        licence: args.licence,
        description: args.description,
        uses: uses.join(","),
        open: args.open,
        per_row: args.price.price_per_row.unwrap_or_default(),
        per_hit: args.price.price_per_hit.unwrap_or_default(),
        per_download: args.price.price_per_download,
        provider: args.provider,
        content: Some(manifest.digest),
    }
}

/// Rows in canonical form, with a bar that shows how far it is.
fn read(source: &Source, out: &mut dyn io::Write, output: &Output) -> Result<Manifest> {
    let bar = output.byte_progress(Some(0));
    let mut show = |progress: Progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    };
    let manifest = canonicalise(source, out, &mut show);
    bar.finish_and_clear();
    let path = source.path.display();
    manifest.map_err(|error| match error {
        aigen_datasets::ImportError::BadRows(bad) => {
            let hint = "correct them, or take them out; `aigen dataset check` looks again";
            hinted(format!("{path}: {bad}"), hint)
        }
        aigen_datasets::ImportError::Source { path, source } => hinted(
            format!("cannot read {}: {source}", path.display()),
            "give the path of a CSV, JSONL or Parquet file, a text, or a folder of texts",
        ),
        other => anyhow::Error::from(other).context(format!("{path} is no dataset")),
    })
}

fn pieces(
    file: File,
    bar: ProgressBar,
) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
    stream::try_unfold(file, move |mut file| {
        let bar = bar.clone();
        async move {
            // The next piece of a local file is there sooner than the last one is sent.
            let mut piece = vec![0; PIECE_BYTES];
            let length = file.read(&mut piece)?;
            piece.truncate(length);
            bar.inc(length as u64);
            if bar.length() == Some(bar.position()) && length > 0 {
                bar.set_style(indexing());
            }
            Ok((length > 0).then_some((piece, file)))
        }
    })
}

fn indexing() -> ProgressStyle {
    ProgressStyle::with_template("sent; the node reads it in, {elapsed}").expect("a valid template")
}

/// Shows how far the node is with what was sent. A node that does not say so is waited for all the same.
async fn look(client: &Client, name: &DatasetRef, bar: &ProgressBar) {
    let imports = client.dataset_imports().await;
    let imports = imports.map_or_else(|_| Vec::new(), |list| list.data);
    if let Some(import) = imports.iter().find(|import| import.reference == *name) {
        show(import, bar);
    }
}

fn show(import: &DatasetImport, bar: &ProgressBar) {
    let doing = match import.stage {
        ImportStage::Waiting => "the node has others before it",
        ImportStage::Fetching => "the node takes the rows from another",
        ImportStage::Checking => "the node looks through it",
        ImportStage::Reading => "the node reads it in",
        ImportStage::Indexing => "the node indexes it",
    };
    // First: a bar without its message would be shown.
    bar.set_message(match import.rows {
        0 => doing.to_owned(),
        rows => format!("{doing}: {}", counted(rows, "row")),
    });
    let style = "{bar:30} {msg}, {elapsed}";
    bar.set_style(ProgressStyle::with_template(style).expect("a valid template"));
    bar.set_length(import.bytes_total);
    bar.set_position(import.bytes);
}

#[cfg(test)]
mod tests {
    use super::show;
    use aigen_api::resources::{DatasetImport, ImportStage};
    use indicatif::ProgressBar;

    #[test]
    fn what_the_node_does_is_shown() {
        let bar = ProgressBar::hidden();
        for (stage, rows, expected) in [
            (ImportStage::Waiting, 0, "the node has others before it"),
            (ImportStage::Checking, 0, "the node looks through it"),
            (ImportStage::Indexing, 7, "the node indexes it: 7 rows"),
        ] {
            let import = DatasetImport {
                reference: "acme/faq@1.0.0".parse().unwrap(),
                stage,
                rows,
                bytes: 3,
                bytes_total: 9,
            };
            show(&import, &bar);
            assert_eq!(bar.message(), expected);
            assert_eq!((bar.position(), bar.length()), (3, Some(9)));
        }
    }
}
