//! Downloads that continue where they broke off and are checked before they count.

mod partial;
mod remote;

use super::{ModelStore, Source, gguf};
use crate::failure::{OrHint, hinted};
use crate::output::{Output, bytes};
use aigen_types::Slug;
use anyhow::Result;
use partial::Partial;
use remote::Remote;
use reqwest::Response;
use std::fs;

/// A model to download.
#[derive(Clone, Debug)]
pub struct Download {
    /// Where it is.
    pub source: Source,
    /// Where hub repositories are.
    pub hub: String,
    /// What its SHA-256 must be, in lower-case hex; the server's own word when absent.
    pub sha256: Option<String>,
}

/// A finished download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// Whether somebody had said what it must be.
    pub checked: bool,
}

impl Download {
    /// Downloads into the store, under this name. What was downloaded before it broke off is
    /// kept, and the same download continues there.
    ///
    /// # Errors
    /// A server that cannot be reached or refuses, an interrupted or wrong download.
    pub async fn fetch(&self, store: &ModelStore, name: &Slug, output: &Output) -> Result<Fetched> {
        let remote = Remote::find(self.source.url(&self.hub)?).await?;
        let mut partial = Partial::open(&store.partial(&remote.identity()))?;
        let (total, expected) = (remote.bytes, self.expected(&remote));
        let body = remote.body(&mut partial).await?;
        if partial.bytes() > 0 {
            output.say(format!("continuing after {}", bytes(partial.bytes())));
        }
        self.receive(body, &mut partial, total, output).await?;
        let sha256 = partial.sha256();
        if let Some(expected) = &expected
            && *expected != sha256
        {
            partial.delete()?;
            return Err(wrong_checksum(expected, &sha256));
        }
        partial.finish(&store.downloaded(name))?;
        Ok(Fetched {
            sha256,
            checked: expected.is_some(),
        })
    }

    fn expected(&self, remote: &Remote) -> Option<String> {
        self.sha256.clone().or_else(|| remote.sha256.clone())
    }

    async fn receive(
        &self,
        mut body: Response,
        partial: &mut Partial,
        total: Option<u64>,
        output: &Output,
    ) -> Result<()> {
        let bar = output.byte_progress(total);
        let mut head_checked = false;
        loop {
            bar.set_position(partial.bytes());
            let chunk = body.chunk().await.or_hint(
                format!("the download broke off after {}", bytes(partial.bytes())),
                "run the same command again: it continues there",
            )?;
            let Some(chunk) = chunk else { break };
            partial.write(&chunk)?;
            if !head_checked && partial.bytes() >= 8 {
                self.check_head(partial)?;
                head_checked = true;
            }
        }
        bar.finish_and_clear();
        match total {
            Some(total) if total != partial.bytes() => Err(hinted(
                format!(
                    "the download ended after {} of {}",
                    bytes(partial.bytes()),
                    bytes(total)
                ),
                "run the same command again: it continues there",
            )),
            _ => self.check_head(partial),
        }
    }

    /// A page that says "not found" nicely is not a model, and need not be downloaded whole.
    fn check_head(&self, partial: &Partial) -> Result<()> {
        if gguf::check(partial.path()).is_ok() {
            return Ok(());
        }
        fs::remove_file(partial.path())?;
        Err(hinted(
            format!("what {} gives is not a GGUF model file", self.source),
            "open the address in a browser and look for a file that ends in .gguf",
        ))
    }
}

fn wrong_checksum(expected: &str, found: &str) -> anyhow::Error {
    hinted(
        format!("the download's SHA-256 is {found}, but should be {expected}"),
        "it was deleted; run the same command to download it afresh",
    )
}
