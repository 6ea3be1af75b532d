//! The terminal that a page is typed into: one folder, one shell, at most one node beside it.

use crate::steps::Step;
use crate::support::Folder;
use regex::Regex;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Where pages say that a node listens; here it takes any free port.
const ADDRESS: &str = "127.0.0.1:8000";

pub struct Terminal {
    folder: Folder,
    /// What was exported, and where the shell has gone.
    before: String,
    node: Option<Node>,
    /// Everything that was said, in which later commands find keys and receipts.
    said: String,
}

struct Node {
    child: Child,
    /// Kept open: a node that cannot say something ends.
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Terminal {
    pub fn new() -> Self {
        Self {
            folder: Folder::new(),
            before: String::new(),
            node: None,
            said: String::new(),
        }
    }

    /// Types the command and says what came of it, if that is not what the page shows.
    pub fn run(&mut self, step: &Step) -> Result<(), String> {
        let command = self.filled(&step.command);
        let first = command.split_whitespace().next().unwrap_or_default();
        let (said, succeeded) = match () {
            () if command == "^C" => self.interrupt(),
            () if is_node(&command) => (self.start(&command, &step.shown), true),
            () if matches!(first, "export" | "cd") => {
                self.before.push_str(&format!("{command}\n"));
                return Ok(());
            }
            () => self.shell(&command),
        };
        self.said.push_str(&said);
        if step.matches(&said) && succeeded != step.fails() {
            return Ok(());
        }
        let Step { line, shown, .. } = step;
        let shown = shown.join("\n");
        Err(format!(
            "line {line}: {command}\n--- the page shows\n{shown}\n--- it said\n{said}"
        ))
    }

    /// The words that stand for what nobody can know before: `127.0.0.1:8000`, `aigen_ada.…` for the key of that
    /// name, `RECEIPT` for the last one.
    fn filled(&self, command: &str) -> String {
        let address = self.node.as_ref().map_or(ADDRESS, |node| &node.address);
        let mut command = command.replace(ADDRESS, address);
        for key in found(r"aigen_[a-z0-9-]+\.[0-9a-f]{64}", &self.said) {
            let name = key.split('.').next().unwrap_or_default();
            command = command.replace(&format!("{name}.…"), &key);
        }
        match found(r"receipt ([0-9a-f]{32})", &self.said).pop() {
            Some(receipt) => command.replace("RECEIPT", &receipt),
            None => command,
        }
    }

    fn shell(&self, command: &str) -> (String, bool) {
        let script = format!("exec 2>&1\nset -o pipefail\n{}{command}\n", self.before);
        let output = self.bash(&script).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (self.plain(&said), output.status.success())
    }

    /// With the program in its path, and nothing of this machine's configuration.
    fn bash(&self, script: &str) -> Command {
        let aigen = self.folder.command(&[]);
        let mut bash = Command::new("bash");
        for (name, value) in aigen.get_envs() {
            match value {
                Some(value) => bash.env(name, value),
                None => bash.env_remove(name),
            };
        }
        let program = Path::new(aigen.get_program()).parent().unwrap();
        let old = std::env::var_os("PATH").unwrap_or_default();
        let folders = [program.to_owned(), python()].into_iter();
        let path = std::env::join_paths(folders.chain(std::env::split_paths(&old))).unwrap();
        bash.args(["-c", script])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("AIGEN_LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        bash
    }

    /// Starts a node, and gives back as many lines as the page shows.
    fn start(&mut self, command: &str, shown: &[String]) -> String {
        let port = if command.starts_with("aigen dev") {
            "--port 0"
        } else {
            ""
        };
        let script = format!("{}exec {command} {port}", self.before);
        let mut child = self.bash(&script).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let lines = shown.iter().filter(|line| *line != "…").count().max(1);
        let mut said = String::new();
        for _ in 0..lines {
            stdout.read_line(&mut said).unwrap();
        }
        let address = found(r"127\.0\.0\.1:\d+", &said).pop();
        let address = address.unwrap_or_else(|| panic!("no node at {command}: {said}"));
        self.node = Some(Node {
            child,
            stdout,
            address,
        });
        self.plain(&said)
    }

    /// Ctrl-C, and what the node said until it ended.
    fn interrupt(&mut self) -> (String, bool) {
        let mut node = self.node.take().expect("a node runs");
        let pid = node.child.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status().unwrap();
        let mut said = String::new();
        node.stdout.read_to_string(&mut said).unwrap();
        let ended = node.child.wait().unwrap();
        (self.plain(&said), ended.success())
    }

    /// With the page's address in the place of the real one.
    fn plain(&self, said: &str) -> String {
        match &self.node {
            Some(node) => said.replace(&node.address, ADDRESS),
            None => said.to_owned(),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(node) = &mut self.node {
            // Gone already, where it failed.
            let _ = node.child.kill();
            let _ = node.child.wait();
        }
    }
}

fn is_node(command: &str) -> bool {
    command.starts_with("aigen dev") || command.starts_with("aigen serve")
}

/// Every place that the pattern, or its group, is found at.
fn found(pattern: &str, text: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    let found = pattern.captures_iter(text);
    let last = |captures: regex::Captures| {
        captures
            .iter()
            .last()
            .flatten()
            .unwrap()
            .as_str()
            .to_owned()
    };
    found.map(last).collect()
}

/// Where `python` has the packages that pages use.
fn python() -> PathBuf {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python/bin/python");
    let python = std::env::var_os("AIGEN_TEST_PYTHON").map_or(made, PathBuf::from);
    python.parent().unwrap().to_owned()
}
