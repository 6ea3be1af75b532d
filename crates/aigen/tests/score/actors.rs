//! Validators: real processes, and one played by the test.

use crate::network::{Http, Network};
use aigen_network::{Cell, Report, assignment_root, report_root, score_commitment};
use aigen_types::{Digest, Epoch, Slug};
use serde_json::{Value, json};
use std::process::{Child, Stdio};

/// `aigen validator run`, killed when this is dropped.
pub struct Process {
    child: Child,
}

impl Process {
    pub fn start(network: &Network, name: &str, key: &str, args: &[&str]) -> Self {
        let run = ["--quiet", "validator", "run", name, "--url", &network.url];
        let mut command = network.folder.command(&[&run, args].concat());
        command.env("AIGEN_KEY", key).stdout(Stdio::null());
        Self {
            child: command.spawn().unwrap(),
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Gone already, where the test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A validator that reports whatever it is told to.
pub struct Puppet {
    name: Slug,
    http: Http,
}

impl Puppet {
    pub fn new(network: &Network, name: &str, key: &str) -> Self {
        Self {
            name: name.parse().unwrap(),
            http: Http::new(&network.url, key),
        }
    }

    /// Commits to an answer per question, and gives what opens the commitment.
    pub fn commit(&self, network: &Network, answer: impl Fn(&Value) -> u32) -> Value {
        let state = network.get(&self.http, "/v1/aigen/epochs/current");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let digest = |value: &Value| text(value).parse::<Digest>().unwrap();
        let questions = state["assignments"].as_array().unwrap();
        let cell = |question: &Value| Cell {
            validator: self.name.clone(),
            controller: digest(&question["controller"]),
            parameter: text(&question["parameter"]).parse().unwrap(),
            suite: text(&question["suite"]).parse().unwrap(),
        };
        let cells: Vec<_> = questions.iter().map(cell).collect();
        let report = |question: &Value| Report {
            controller: digest(&question["controller"]),
            parameter: text(&question["parameter"]).parse().unwrap(),
            score: answer(question),
        };
        let reports: Vec<_> = questions.iter().map(report).collect();
        let epoch = state["epoch"].as_u64().unwrap();
        let salt = Digest([7; 32]);
        let commitment = score_commitment(
            &text(&state["network"]).parse().unwrap(),
            Epoch(epoch),
            &self.name,
            assignment_root(&cells),
            report_root(&reports),
            salt,
        );
        let request = json!({
            "epoch": epoch, "validator": self.name.as_str(), "commitment": commitment.to_string(),
        });
        let path = format!("/v1/aigen/epochs/{epoch}/commit");
        network.post(&self.http, &path, &request).unwrap();
        let reports = reports.iter().map(|report| {
            json!({
                "controller": report.controller.to_string(),
                "parameter": report.parameter.as_str(),
                "score": report.score,
            })
        });
        json!({
            "epoch": epoch, "validator": self.name.as_str(), "salt": salt.to_string(),
            "reports": reports.collect::<Vec<_>>(),
        })
    }

    pub fn reveal(&self, network: &Network, opening: &Value) {
        let path = format!("/v1/aigen/epochs/{}/reveal", opening["epoch"]);
        network.post(&self.http, &path, opening).unwrap();
    }
}
