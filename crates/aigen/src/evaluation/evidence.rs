//! What was asked in an epoch and what came back, on disk: work that is paid for is never paid
//! twice, however often the program is killed.
//!
//! One JSON object per line. A question is written down before it is asked, with the most it can
//! cost, and again with its answer. What was asked and never answered counts as spent.

use crate::failure::{OrHint, hinted};
use aigen_types::{Amount, Digest, Slug};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What a question is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// The controller version.
    pub controller: String,
    /// The suite.
    pub suite: String,
    /// Hash of its text.
    pub version: String,
    /// Which case, from 0.
    pub case: usize,
    /// Which question of it: the answer, a paraphrase, a verdict.
    pub ask: String,
}

impl Key {
    /// One question of one case.
    pub fn new(
        controller: Digest,
        (suite, version): (&Slug, Digest),
        case: usize,
        ask: &str,
    ) -> Self {
        Self {
            controller: controller.to_string(),
            suite: suite.to_string(),
            version: version.to_string(),
            case,
            ask: ask.to_owned(),
        }
    }
}

/// An answer, and what shows that it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What was said; empty if the controller failed.
    pub text: String,
    /// What it cost, in nano-AIGEN.
    pub cost_nano: u64,
    /// Its receipt; none if nothing was charged.
    pub receipt: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    key: Key,
    seed: i64,
    most_nano: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Answer>,
}

/// The questions of one epoch.
#[derive(Debug)]
pub struct Evidence {
    kept: Mutex<Kept>,
    limit: Option<Amount>,
    answered: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    file: Option<(PathBuf, File)>,
    answers: BTreeMap<Key, Answer>,
    /// Asked and not answered yet, with the most it can cost.
    open: BTreeMap<Key, Amount>,
    spent: Amount,
}

impl Evidence {
    /// Keeps nothing, and bounds nothing.
    pub fn none() -> Self {
        Self {
            kept: Mutex::default(),
            limit: None,
            answered: Notify::new(),
        }
    }

    /// Goes on with the evidence in a file, or begins it. At most `limit` is spent in all.
    ///
    /// # Errors
    /// When the file cannot be used, or holds something else.
    pub fn open(path: &Path, limit: Option<Amount>) -> Result<Self> {
        let mut kept = Kept::default();
        let whole = match fs::read_to_string(path) {
            Ok(text) => kept.read(&text).or_hint(
                format!("{} is not evidence of an evaluation", path.display()),
                "move it away; what it holds is asked again",
            )?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return unusable(path, error),
        };
        let mut options = File::options();
        let file = options.create(true).write(true).truncate(false).open(path);
        let mut file = file.or_else(|error| unusable(path, error))?;
        // A line that a kill cut short is written anew.
        file.set_len(whole).or_else(|error| unusable(path, error))?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0)).or_else(|error| unusable(path, error))?;
        kept.file = Some((path.to_owned(), file));
        Ok(Self {
            kept: Mutex::new(kept),
            limit,
            answered: Notify::new(),
        })
    }

    /// The answer to a question, if it was asked before.
    pub fn find(&self, key: &Key) -> Option<Answer> {
        self.lock().answers.get(key).cloned()
    }

    /// What was spent, and what running questions may still cost.
    pub fn spent(&self) -> Amount {
        self.lock().used()
    }

    /// Writes down that a question is asked, once what is left is enough for it whatever running
    /// ones come to; `false` if it might cost more than is left when all of them are answered.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn begin(&self, key: &Key, seed: i64, most: Amount) -> Result<bool> {
        loop {
            let answered = self.answered.notified();
            if let Some(begun) = self.lock().begin(key, seed, most, self.limit)? {
                return Ok(begun);
            }
            answered.await;
        }
    }

    /// Writes down its answer.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&self, key: Key, seed: i64, answer: Answer) -> Result<()> {
        self.lock().finish(key, seed, answer)?;
        self.answered.notify_waiters();
        Ok(())
    }

    /// A question that was refused before it cost anything.
    pub fn forget(&self, key: &Key) {
        self.lock().open.remove(key);
        self.answered.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Every change is whole before the lock is given back.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Gives the length of what is whole.
    fn read(&mut self, text: &str) -> Result<u64> {
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        for (at, line) in text[..whole].lines().enumerate() {
            let line: Line =
                serde_json::from_str(line).with_context(|| format!("line {}", at + 1))?;
            match line.answer {
                None => {
                    let again = self
                        .open
                        .insert(line.key, Amount::from_nano(line.most_nano.into()));
                    // Asked before a kill, and again after it: the first may have been charged.
                    self.spent = self.spent.saturating_add(again.unwrap_or(Amount::ZERO));
                }
                Some(answer) => {
                    self.open.remove(&line.key);
                    self.spend(answer.cost_nano);
                    self.answers.insert(line.key, answer);
                }
            }
        }
        // Nobody waits for these answers any more.
        let lost: Amount = std::mem::take(&mut self.open).into_values().sum();
        self.spent = self.spent.saturating_add(lost);
        Ok(u64::try_from(whole)?)
    }

    /// None while a running question may leave enough.
    fn begin(
        &mut self,
        key: &Key,
        seed: i64,
        most: Amount,
        limit: Option<Amount>,
    ) -> Result<Option<bool>> {
        let beyond = |used: Amount| limit.is_some_and(|limit| used.saturating_add(most) > limit);
        if beyond(self.used()) {
            let hopeless = self.open.is_empty() || beyond(self.spent);
            return Ok(hopeless.then_some(false));
        }
        self.open.insert(key.clone(), most);
        let (key, most_nano) = (key.clone(), nano(most)?);
        self.write(&Line {
            key,
            seed,
            most_nano,
            answer: None,
        })?;
        Ok(Some(true))
    }

    fn finish(&mut self, key: Key, seed: i64, answer: Answer) -> Result<()> {
        let most = self.open.remove(&key).unwrap_or(Amount::ZERO);
        self.spend(answer.cost_nano);
        self.answers.insert(key.clone(), answer.clone());
        self.write(&Line {
            key,
            seed,
            most_nano: nano(most)?,
            answer: Some(answer),
        })
    }

    fn used(&self) -> Amount {
        let open: Amount = self.open.values().copied().sum();
        self.spent.saturating_add(open)
    }

    fn spend(&mut self, nano: u64) {
        self.spent = self.spent.saturating_add(Amount::from_nano(nano.into()));
    }

    fn write(&mut self, line: &Line) -> Result<()> {
        let Some((path, file)) = &mut self.file else {
            return Ok(());
        };
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        // One write, so that a kill leaves a whole line or a torn last one. The system may lose it
        // with the power; then it is asked again.
        let written = file.write_all(text.as_bytes());
        written.with_context(|| format!("cannot write {}", path.display()))
    }
}

fn nano(amount: Amount) -> Result<u64> {
    u64::try_from(amount.nano()).context("more than any call costs")
}

fn unusable<T>(path: &Path, error: io::Error) -> Result<T> {
    Err(error).or_hint(
        format!("cannot use {}", path.display()),
        "name a folder that you can write to with --work",
    )
}

/// What a file's questions came to, in all.
///
/// # Errors
/// When it cannot be read.
pub fn cost_of(path: &Path) -> Result<Amount> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut kept = Kept::default();
    kept.read(&text)
        .map_err(|error| hinted(format!("{}: {error:#}", path.display()), "move it away"))?;
    Ok(kept.used())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(case: usize) -> Key {
        Key {
            controller: "c".into(),
            suite: "s".into(),
            version: "v".into(),
            case,
            ask: "answer".into(),
        }
    }

    fn answer(cost_nano: u64) -> Answer {
        Answer {
            text: "a\nb".into(),
            cost_nano,
            receipt: Some("r".into()),
        }
    }

    fn amount(nano: u128) -> Amount {
        Amount::from_nano(nano)
    }

    #[tokio::test]
    async fn answers_outlive_the_program_and_lost_questions_count_as_spent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.jsonl");
        let evidence = Evidence::open(&path, None).unwrap();
        assert!(evidence.begin(&key(0), 1, amount(50)).await.unwrap());
        evidence.finish(key(0), 1, answer(30)).unwrap();
        assert!(evidence.begin(&key(1), 2, amount(50)).await.unwrap());
        assert_eq!(evidence.spent(), amount(80));
        drop(evidence);

        // Killed in the middle of a line.
        let mut torn = fs::read(&path).unwrap();
        let whole = torn.len();
        torn.extend_from_slice(br#"{"controller":"c","sui"#);
        fs::write(&path, torn).unwrap();
        let evidence = Evidence::open(&path, None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), whole as u64);
        assert_eq!(evidence.find(&key(0)), Some(answer(30)));
        assert_eq!(evidence.find(&key(1)), None);
        assert_eq!(evidence.spent(), amount(80));
        assert!(evidence.begin(&key(1), 2, amount(50)).await.unwrap());
        evidence.finish(key(1), 2, answer(40)).unwrap();
        assert_eq!(
            evidence.spent(),
            amount(120),
            "the lost question and its repetition"
        );
        drop(evidence);
        assert_eq!(cost_of(&path).unwrap(), amount(120));
    }

    #[tokio::test]
    async fn nothing_is_asked_that_might_cost_more_than_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.jsonl");
        let evidence = Evidence::open(&path, Some(amount(100))).unwrap();
        assert!(evidence.begin(&key(0), 1, amount(60)).await.unwrap());
        assert!(!evidence.begin(&key(1), 1, amount(101)).await.unwrap());
        // Whether 60 are left depends on what the first comes to: the second waits for it.
        let (second, first) = (key(1), async { evidence.finish(key(0), 1, answer(40)) });
        let (second, first) = tokio::join!(evidence.begin(&second, 1, amount(60)), first);
        first.unwrap();
        assert!(second.unwrap());
        evidence.forget(&key(1));
        assert_eq!(evidence.spent(), amount(40));
        assert!(!evidence.begin(&key(2), 1, amount(61)).await.unwrap());
    }

    #[test]
    fn another_file_is_refused_by_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.jsonl");
        fs::write(&path, "{}\n").unwrap();
        let error = Evidence::open(&path, None).unwrap_err();
        assert!(format!("{error:#}").contains("line 1"), "{error:#}");
    }
}
