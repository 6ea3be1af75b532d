use super::Suite;
use crate::failure::{OrHint, hinted};
use aigen_types::Slug;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The suites that ship with the program, by name.
const SHIPPED: [&str; 2] = [
    include_str!("../../../../suites/lesson-quiz.toml"),
    include_str!("../../../../suites/support-reply.toml"),
];

/// Where suites come from.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Which suites")]
pub struct Source {
    /// Folder of suites (*.toml), beside those that ship with the program; one of the same name
    /// takes its place
    #[arg(long, value_name = "FOLDER", env = "AIGEN_SUITES")]
    pub suites: Option<PathBuf>,
}

/// Suites by name.
#[derive(Debug)]
pub struct Library(BTreeMap<Slug, Suite>);

impl Source {
    /// # Errors
    /// A folder that cannot be read, or a file in it that is no suite.
    pub fn open(&self) -> Result<Library> {
        let mut library = Library::shipped();
        if let Some(folder) = &self.suites {
            library.add_folder(folder)?;
        }
        Ok(library)
    }
}

impl Library {
    /// Those that ship with the program.
    ///
    /// # Panics
    /// Never: a test parses every one of them.
    pub fn shipped() -> Self {
        let suites = SHIPPED.iter().map(|text| {
            let suite = Suite::parse(text).expect("shipped suites are well formed");
            (suite.name.clone(), suite)
        });
        Self(suites.collect())
    }

    fn add_folder(&mut self, folder: &Path) -> Result<()> {
        let unreadable = || format!("cannot read the folder of suites {}", folder.display());
        let hint = "name a folder of .toml files with --suites";
        let entries = fs::read_dir(folder).or_hint(unreadable(), hint)?;
        for entry in entries {
            let path = entry.with_context(unreadable)?.path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                let text = fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let suite = Suite::parse(&text)
                    .or_hint(path.display(), "suites/README.md says what a suite is")?;
                self.0.insert(suite.name.clone(), suite);
            }
        }
        Ok(())
    }

    /// # Errors
    /// When there is no suite of this name.
    pub fn find(&self, name: &Slug) -> Result<&Suite> {
        self.0.get(name).ok_or_else(|| {
            let known: Vec<_> = self.0.keys().map(Slug::as_str).collect();
            hinted(
                format!("there is no evaluation suite `{name}`"),
                format!(
                    "there are {}; --suites names a folder with more",
                    known.join(", ")
                ),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_suites_parse() {
        assert_eq!(Library::shipped().0.len(), SHIPPED.len());
    }

    #[test]
    fn a_folder_adds_and_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let suite = |name: &str| {
            format!(
                "name = \"{name}\"\nprompt = \"?\"\nparams = []\nmax_tokens = 1\n\
                 [checks.quality]\nmatches = '.'\n[[case]]\n"
            )
        };
        fs::write(folder.path().join("a.toml"), suite("lesson-quiz")).unwrap();
        fs::write(folder.path().join("b.toml"), suite("other")).unwrap();
        fs::write(folder.path().join("notes.txt"), "not a suite").unwrap();
        let source = Source {
            suites: Some(folder.path().to_owned()),
        };
        let library = source.open().unwrap();
        assert_eq!(library.0.len(), SHIPPED.len() + 1);
        assert_eq!(
            library
                .find(&"lesson-quiz".parse().unwrap())
                .unwrap()
                .cases
                .len(),
            1
        );
        fs::write(folder.path().join("c.toml"), "name = 1").unwrap();
        let error = source.open().unwrap_err();
        assert!(error.to_string().contains("c.toml"), "{error}");
    }
}
