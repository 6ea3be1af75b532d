//! Checks that are programs of one's own: one JSON object on standard input, one on standard output.

use crate::failure::{OrHint, hinted};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any check of one answer should take.
const TIME_MAX: Duration = Duration::from_secs(30);

/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(5);

/// Bytes of its reply that are read: a score needs far fewer.
const REPLY_BYTES_MAX: u64 = 64 * 1024;

/// A program and its arguments. It runs in the folder that `aigen` was started in.
#[derive(Debug)]
pub struct Plugin {
    suite: String,
    program: String,
    args: Vec<String>,
}

/// What it is told.
#[derive(Debug, Serialize)]
pub struct Question<'a> {
    /// The parameter that is scored.
    pub parameter: &'a str,
    /// The case's fields.
    pub case: serde_json::Value,
    /// The whole answer.
    pub answer: &'a str,
    /// What `extract` found in it.
    pub part: Option<&'a str>,
}

/// What it says: `{"score": 0 to 1000000}`. The same question must always get the same score.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    score: u32,
}

impl Plugin {
    /// # Errors
    /// Without a program.
    pub fn new(suite: &str, mut command: Vec<String>) -> Result<Self> {
        ensure!(
            !command.is_empty(),
            "`command` names a program and its arguments"
        );
        Ok(Self {
            suite: suite.to_owned(),
            program: command.remove(0),
            args: command,
        })
    }

    /// Runs it once.
    ///
    /// # Errors
    /// When it cannot be started, takes longer than 30 seconds, fails, or says something else. That
    /// is never held against a controller: nothing is reported then.
    pub fn ask(&self, question: &Question<'_>) -> Result<u32> {
        let what = format!(
            "suite {}: the check `{}` did not answer",
            self.suite, self.program
        );
        let hint = "it reads one JSON object and prints {\"score\": 0 to 1000000}";
        self.run(question).or_hint(what, hint)
    }

    fn run(&self, question: &Question<'_>) -> Result<u32> {
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.program))?;
        let asked = serde_json::to_vec(question)?;
        let mut stdin = child.stdin.take().context("its input is piped")?;
        let stdout = child.stdout.take().context("its output is piped")?;
        // On threads of their own: a program that reads nothing, or never stops writing, blocks
        // neither of them for longer than it may take.
        thread::spawn(move || stdin.write_all(&asked));
        let reply = thread::spawn(move || {
            let mut text = String::new();
            stdout
                .take(REPLY_BYTES_MAX)
                .read_to_string(&mut text)
                .map(|_| text)
        });
        let began = Instant::now();
        let status = loop {
            match child.try_wait()? {
                Some(status) => break status,
                None if began.elapsed() < TIME_MAX => thread::sleep(POLL),
                None => {
                    child.kill()?;
                    child.wait()?;
                    return Err(hinted(
                        "it took too long",
                        "a check has 30 seconds per answer",
                    ));
                }
            }
        };
        ensure!(status.success(), "it ended with {status}");
        let text = reply.join().ok().context("its output was read")??;
        let Reply { score } = serde_json::from_str(text.trim())?;
        ensure!(
            u64::from(score) <= aigen_types::PPM,
            "a score is 0 to 1000000, not {score}"
        );
        Ok(score)
    }
}
