//! Models on this machine: the bundled one, files that people already have, downloads.
//!
//! One folder holds `<name>.toml` per model, which says where the GGUF file is, and
//! downloaded files beside it. A model of a file elsewhere is a note, not a copy: weights
//! are large.

mod bundled;
mod download;
mod entry;
mod gguf;
mod source;

pub use download::Download;
pub use entry::Entry;
pub use source::Source;

use crate::failure::{OrHint, hinted};
use aigen_types::Slug;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The name of the model inside this program.
pub const BUNDLED: &str = "aigen-tiny";

/// The folder of models.
#[derive(Clone, Debug)]
pub struct ModelStore {
    path: PathBuf,
}

impl ModelStore {
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).or_hint(
            format!("cannot use the models folder {}", path.display()),
            "name one that you can write to: AIGEN_MODELS_DIR=FOLDER",
        )?;
        Ok(Self { path: path.into() })
    }

    /// Every model, by name; the bundled one included.
    ///
    /// # Errors
    /// When the folder or a note in it cannot be read.
    pub fn list(&self) -> Result<Vec<Entry>> {
        let mut entries = vec![bundled::entry()];
        for file in fs::read_dir(&self.path)? {
            let path = file?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                entries.push(Entry::read(&path)?);
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Notes where a GGUF file is. Where its checksum is given, the file is read and compared.
    ///
    /// # Errors
    /// A file that is missing, incomplete or no GGUF; another checksum; a name in use.
    pub fn add_file(&self, file: &Path, name: Slug, sha256: Option<String>) -> Result<Entry> {
        self.must_be_free(&name)?;
        let bytes = gguf::check(file)?;
        gguf::check_whole(file)?;
        if let Some(expected) = &sha256 {
            gguf::check_sha256(file, expected)?;
        }
        let path = file.canonicalize()?;
        let entry = Entry {
            name,
            source: path.display().to_string(),
            sha256,
            file: path,
            bytes,
        };
        entry.write(&self.note(&entry.name))?;
        Ok(entry)
    }

    /// Notes a finished download.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub fn add_downloaded(&self, download: &Download, name: Slug, sha256: String) -> Result<Entry> {
        let file = self.downloaded(&name);
        let entry = Entry {
            bytes: fs::metadata(&file)?.len(),
            source: download.source.to_string(),
            sha256: Some(sha256),
            file,
            name,
        };
        entry.write(&self.note(&entry.name))?;
        Ok(entry)
    }

    /// Forgets a model. A downloaded file is deleted; a file elsewhere is left alone.
    ///
    /// # Errors
    /// An unknown name, or the bundled model.
    pub fn remove(&self, name: &Slug) -> Result<Entry> {
        if name.as_str() == BUNDLED {
            return Err(hinted(
                format!("`{BUNDLED}` is part of the program"),
                "other models are listed by `aigen model list`",
            ));
        }
        let entry = self.get(name)?;
        if entry.file == self.downloaded(name) {
            fs::remove_file(&entry.file)
                .with_context(|| format!("cannot delete {}", entry.file.display()))?;
        }
        fs::remove_file(self.note(name))?;
        Ok(entry)
    }

    /// # Errors
    /// An unknown name.
    pub fn get(&self, name: &Slug) -> Result<Entry> {
        let note = self.note(name);
        if !note.exists() {
            return Err(self.unknown(name.as_str()));
        }
        Entry::read(&note)
    }

    /// The GGUF file of a model: the bundled one, unpacked; or one of the catalogue.
    ///
    /// # Errors
    /// An unknown name. Whether the file is whole is known when it is opened.
    pub fn file_of(&self, name: &str) -> Result<PathBuf> {
        if name == BUNDLED {
            return bundled::unpack(&self.path);
        }
        let slug: Slug = name.parse().map_err(|_| self.unknown(name))?;
        Ok(self.get(&slug)?.file)
    }

    /// # Errors
    /// When a model has this name already.
    pub fn must_be_free(&self, name: &Slug) -> Result<()> {
        if name.as_str() != BUNDLED && !self.note(name).exists() {
            return Ok(());
        }
        Err(hinted(
            format!("there is a model named `{name}` already"),
            format!("choose another name with --name, or `aigen model remove {name}` first"),
        ))
    }

    /// Where the finished download of this name lies.
    pub fn downloaded(&self, name: &Slug) -> PathBuf {
        self.path.join(format!("{name}.gguf"))
    }

    /// Where a download of this identity lies until it is finished.
    pub fn partial(&self, identity: &str) -> PathBuf {
        self.path.join(format!("{identity}.partial"))
    }

    fn note(&self, name: &Slug) -> PathBuf {
        self.path.join(format!("{name}.toml"))
    }

    fn unknown(&self, name: &str) -> anyhow::Error {
        let names = self.list().unwrap_or_default();
        let names: Vec<_> = names.iter().map(|entry| entry.name.as_str()).collect();
        hinted(
            format!(
                "there is no model named `{name}` here; there is {}",
                names.join(", ")
            ),
            "add one with `aigen model add FILE` or `aigen model pull hf:OWNER/REPO/FILE.gguf`",
        )
    }
}

/// A name for a file: its stem, in the letters that names may have.
///
/// # Errors
/// When nothing of it can be kept.
pub fn name_of(file: &str) -> Result<Slug> {
    let stem = file.rsplit('/').next().unwrap_or(file);
    let stem = stem.strip_suffix(".gguf").unwrap_or(stem).to_lowercase();
    let plain = |letter: char| match letter {
        'a'..='z' | '0'..='9' | '-' | '_' | '.' => letter,
        _ => '-',
    };
    let name: String = stem.chars().map(plain).collect();
    name.parse().or_hint(
        format!("`{file}` does not make a name"),
        "give the model one with --name",
    )
}

#[cfg(test)]
mod tests;
