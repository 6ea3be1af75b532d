//! Real processes over a real file: killed at any moment, out of space, behind what they had
//! acknowledged. Each starts this very binary again, as the process that is treated so.

mod child;
mod full;
mod kill;
mod witness;

use aigen_network::Command;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command as Process, Stdio};

/// Which command this is, in the words of the pipe; those that set the stage have none.
fn name_of(command: &Command) -> Option<String> {
    Some(match command {
        Command::Issue(issue) => format!("issue-{}", issue.id),
        Command::Pay(pay) => format!("pay-{}", pay.id),
        Command::OpenCall(open) => format!("open-{}", open.call),
        Command::ExtendCall(extend) => format!("extend-{}", extend.call),
        Command::CloseCall(close) => format!("close-{}", close.call),
        _ => return None,
    })
}

/// A process that writes to a journal, and what it says.
struct Writer {
    process: Child,
    said: BufReader<ChildStdout>,
}

impl Writer {
    /// Starts one on the journal in `folder`. `with` may change how.
    fn start(folder: &Path, round: u64, with: impl FnOnce(Process) -> Process) -> Self {
        let mut command = Process::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child::the_process", "--nocapture"]);
        let mut process = with(command)
            .env(child::FOLDER, folder)
            .env(child::ROUND, round.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        Self { process, said }
    }

    /// What it says next. None at its end; a line that was cut short was not said.
    fn next(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            self.said.read_line(&mut line).unwrap();
            if !line.ends_with('\n') {
                return None;
            }
            // The rest is the test harness, talking to itself.
            if let Some(word) = line.strip_prefix(child::MARK) {
                return Some(word.trim_end().to_owned());
            }
        }
    }
}
