//! The processes of the story: real ones, ended by their own pid.

use crate::failure::hinted;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process;

/// A node, as `aigen serve` runs it.
pub struct NodeProcess {
    child: process::Child,
    /// Where it answers.
    pub url: String,
    data_dir: PathBuf,
}

/// The line that `aigen serve --json` prints once it answers.
#[derive(Deserialize)]
struct Ready {
    url: String,
}

impl NodeProcess {
    /// Starts a node on a free port of the loopback interface and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up; its own words are on stderr.
    pub async fn start(data_dir: &Path, model: Option<&str>) -> Result<Self> {
        let mut command = aigen()?;
        command.args(["serve", "--json", "--quiet", "--listen", "127.0.0.1:0"]);
        command.arg("--data-dir").arg(data_dir);
        if let Some(model) = model {
            command.args(["--model", model]);
        }
        // Its access lines would drown the story; what goes wrong is still said.
        command.env("AIGEN_LOG", "warn").stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().context("the node's output is piped")?;
        let line = BufReader::new(stdout).lines().next_line().await?;
        let line = line.ok_or_else(|| hinted("the node did not start", "see its message above"))?;
        let Ready { url } = serde_json::from_str(&line)?;
        let data_dir = data_dir.to_owned();
        Ok(Self {
            child,
            url,
            data_dir,
        })
    }

    /// Asks it to stop, and waits until it has settled everything.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(pid) = self.child.id() {
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid)?);
            let pid = pid.context("a process has a pid")?;
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        }
        self.child.wait().await?;
        Ok(())
    }
}

/// A validator, as `aigen validator run` runs it.
pub struct Child {
    child: process::Child,
    name: String,
}

impl Child {
    /// Starts a validator against a node, for one epoch. Its key goes through the environment,
    /// where a list of processes does not show it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn validator(node: &NodeProcess, name: &str, key: &str) -> Result<Self> {
        let mut command = aigen()?;
        command
            .args([
                "--quiet",
                "--json",
                "validator",
                "run",
                name,
                "--epochs",
                "1",
            ])
            .args(["--url", &node.url])
            .arg("--data-dir")
            .arg(&node.data_dir)
            .env("AIGEN_KEY", key)
            .stdout(Stdio::null());
        let name = name.to_owned();
        Ok(Self {
            child: command.spawn()?,
            name,
        })
    }

    /// # Errors
    /// When it has ended: it should wait for its pay.
    pub fn must_run(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(hinted(
                format!("validator {} ended early ({status})", self.name),
                "see its message above",
            )),
        }
    }
}

/// This very program; killed with its parent's handle if the story ends early.
fn aigen() -> Result<process::Command> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = process::Command::new(program);
    command.stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}
