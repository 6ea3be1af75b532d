//! Tries a controller before it is published: over traces, and with a model of this machine.

use super::project::Project;
use super::traces::{self, Case};
use super::watch::{Asked, Watch, table};
use crate::context::Context;
use crate::data_dir::DataDir;
use crate::failure::{OrHint, hinted};
use crate::node::{chosen_model, embedded, host};
use crate::output::{self, Output};
use aigen_engine::sampler::Sampling;
use aigen_engine::scripted::{Script, ScriptedEngine, Vocabulary};
use aigen_engine::{ChatMessage, EngineHandle, Limits, Role, TokenId};
use aigen_jarvis::{
    Compiler, Cover, Ending, Event, Fault, Finish, SessionRequest, StartError, start,
};
use aigen_jarvis_host::{Component, Images, Settings};
use aigen_node::{Embedded, Manifest};
use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;

/// See [`super::Command::Test`].
#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// The project's folder, or a component
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,
    /// What a model of this machine is asked, beside the traces
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Which model; the configuration's first one when absent
    #[arg(long, requires = "prompt")]
    model: Option<String>,
    /// What the controller is given, as a JSON object
    #[arg(long, value_name = "JSON", value_parser = object, requires = "prompt")]
    params: Option<Map<String, Value>>,
    /// Output tokens, at most
    #[arg(long, default_value_t = 64, value_name = "TOKENS")]
    max_tokens: u32,
    /// Names the stream of chance; the same seed gives the same answer
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The manifest; the project's own when absent
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

fn object(text: &str) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_str(text)
}

/// A controller to be tried.
struct Tried {
    component: Component,
    manifest: Option<Manifest>,
}

/// What it is asked.
struct Question {
    prompt: Vec<TokenId>,
    params: Map<String, Value>,
    messages: String,
    max_tokens: u32,
    sampling: Sampling,
}

/// What came of one session.
#[derive(Serialize)]
struct Session {
    text: String,
    finish: String,
    /// What ended it, where that is a fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    sampled: u64,
    forced: u64,
    discarded: u64,
    hidden: u64,
    fuel: u64,
    decisions: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    steps: Vec<Asked>,
}

/// What came of all.
#[derive(Serialize)]
struct Report {
    traces: Vec<Traced>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Session>,
}

#[derive(Serialize)]
struct Traced {
    at: String,
    /// What is wrong; nothing if it went as expected.
    wrong: Option<String>,
    session: Session,
}

pub async fn test(args: TestArgs, context: &Context) -> Result<()> {
    let model = match &args.prompt {
        Some(_) => Some(model(&args, context).await?),
        None => None,
    };
    let data_dir = DataDir::open_or_create(&context.config.data_dir)?;
    let images = Images::within(data_dir.compiled()?);
    let output = context.output;
    let trying = move || report(&args, images, model, &output);
    let report = tokio::task::spawn_blocking(trying).await??;
    context.output.data(&report, || describe(&report))?;
    let failed = report.traces.iter().filter(|trace| trace.wrong.is_some());
    match failed.count() {
        0 => Ok(()),
        failed => Err(hinted(
            format!("{failed} of {} traces went otherwise", report.traces.len()),
            "correct the controller, or the trace",
        )),
    }
}

async fn model(args: &TestArgs, context: &Context) -> Result<Embedded> {
    let chosen = match &args.model {
        Some(name) => chosen_model(name, &context.config)?,
        None => context
            .config
            .models
            .first()
            .cloned()
            .context("no model is configured")?,
    };
    embedded(&chosen, &context.config, &context.output).await
}

fn report(
    args: &TestArgs,
    images: Images,
    model: Option<Embedded>,
    output: &Output,
) -> Result<Report> {
    let (file, project) = match args.path.is_dir() {
        true => {
            let project = Project::open(&args.path)?;
            (project.build(output)?, Some(project))
        }
        false => (args.path.clone(), None),
    };
    let own = project.as_ref().and_then(Project::manifest);
    let manifest = args.manifest.clone().or(own);
    let tried = Tried {
        component: compile(&file, images)?,
        manifest: manifest.as_deref().map(read).transpose()?,
    };
    let cases = project.map_or(Ok(Vec::new()), |project| {
        traces::read_all(&project.traces())
    })?;
    let traces = cases.iter().map(|case| traced(&tried, case));
    Ok(Report {
        traces: traces.collect::<Result<_>>()?,
        session: model.map(|model| asked(&tried, &model, args)).transpose()?,
    })
}

fn compile(file: &Path, images: Images) -> Result<Component> {
    let bytes = fs::read(file).or_hint(
        format!("cannot read {}", file.display()),
        "give the folder of a controller's project, or a component (.wasm)",
    )?;
    ensure!(
        bytes.starts_with(b"\0asm"),
        hinted(
            format!(
                "{} is no component: it does not begin as WebAssembly does",
                file.display()
            ),
            "traces are of components; publish a grammar or a script, and ask with \
             `aigen chat --controller OWNER/NAME`",
        )
    );
    let compiled = host(Some(images))?.compile(&bytes);
    compiled.with_context(|| format!("{} is no controller", file.display()))
}

fn read(manifest: &Path) -> Result<Manifest> {
    let text = fs::read_to_string(manifest).with_context(|| manifest.display().to_string())?;
    Ok(Manifest::parse(&text)?)
}

fn asked(tried: &Tried, model: &Embedded, args: &TestArgs) -> Result<Session> {
    let prompt = args.prompt.clone().unwrap_or_default();
    let message = ChatMessage::new(Role::User, prompt.clone());
    let question = Question {
        prompt: model.engine.tokenizer().chat(&[message])?,
        params: args.params.clone().unwrap_or_default(),
        messages: serde_json::json!([{ "role": "user", "content": prompt }]).to_string(),
        max_tokens: args.max_tokens,
        sampling: Sampling {
            seed: args.seed,
            ..Sampling::default()
        },
    };
    tried.run(&model.engine, &model.compiler, question)
}

fn traced(tried: &Tried, case: &Case) -> Result<Traced> {
    let script = Script::replies([(case.prompt.clone(), case.model.clone())]);
    let engine = ScriptedEngine::new(Vocabulary::with_words(&case.words), script);
    let engine = aigen_engine::start(Box::new(engine), Limits::default());
    let compiler = Arc::new(Compiler::new(engine.tokenizer())?);
    let question = Question {
        prompt: engine.tokenizer().encode(&case.prompt, false, false),
        params: case.params.clone(),
        messages: String::new(),
        max_tokens: 256,
        sampling: Sampling::greedy(),
    };
    let session = tried
        .run(&engine, &compiler, question)
        .with_context(|| case.at.clone())?;
    let differs = |what: &str, wanted: &Option<String>, is: &str| match wanted {
        Some(wanted) if wanted != is => Some(format!("{what} is {is:?}, not {wanted:?}")),
        _ => None,
    };
    Ok(Traced {
        at: case.at.clone(),
        wrong: differs("its text", &case.text, &session.text)
            .or_else(|| differs("its finish", &case.finish, &session.finish)),
        session,
    })
}

impl Tried {
    /// As much as anyone may have, so that nothing is missing before there is a manifest.
    fn settings(&self) -> Settings {
        self.manifest.as_ref().map_or_else(
            || Settings {
                backtracks: true,
                ..Settings::default().interpreter()
            },
            Manifest::settings,
        )
    }

    /// What a node would refuse before the controller is asked.
    fn must_take(&self, params: &Map<String, Value>) -> Result<()> {
        let Some(manifest) = &self.manifest else {
            return Ok(());
        };
        manifest.check_params(params).or_hint(
            "its manifest does not take these parameters",
            "correct them, or [parameters] of the manifest",
        )
    }

    fn run(
        &self,
        engine: &EngineHandle,
        compiler: &Arc<Compiler>,
        question: Question,
    ) -> Result<Session> {
        let watch = Watch::default();
        self.must_take(&question.params)?;
        let program = self.component.program(compiler.clone(), self.settings());
        let argument = Value::Object(question.params).to_string();
        let request = SessionRequest {
            prompt_tokens_max: engine.info().context_tokens,
            prompt: question.prompt,
            program: watch.over(program, engine.tokenizer().vocab_size()),
            sampling: question.sampling,
            max_tokens: question.max_tokens,
            stops: Vec::new(),
            top_logprobs: None,
            cover: Cover::unlimited(),
            argument,
            messages: question.messages,
            tenant: 0,
            retract: false,
            trace: false,
            log: false,
        };
        let (send, events) = channel();
        let on_event = Box::new(move |event| drop(send.send(event)));
        let _session = match start(engine, request, on_event) {
            Ok(session) => session,
            Err(StartError::Fault(fault)) => return Ok(Session::unopened(fault, watch.seen())),
            Err(error) => return Err(error.into()),
        };
        let (mut text, mut ending) = (String::new(), Ending::crashed());
        for event in events {
            match event {
                Event::Output(piece) => text.push_str(&piece.text),
                Event::Finished(finished) => ending = finished,
                Event::Started { .. } => {}
            }
        }
        Ok(Session::of(text, ending, watch.seen()))
    }
}

impl Session {
    /// One whose controller failed while it opened.
    fn unopened(fault: Fault, steps: Vec<Asked>) -> Self {
        let mut ending = Ending::of(fault);
        ending.guest.fuel = steps.iter().map(|step| step.fuel).sum();
        Self::of(String::new(), ending, steps)
    }

    fn of(text: String, ending: Ending, steps: Vec<Asked>) -> Self {
        let usage = &ending.usage;
        Self {
            text,
            finish: match &ending.finish {
                Finish::Stop | Finish::StopString => "stop".to_owned(),
                Finish::Length => "length".to_owned(),
                Finish::Budget => "budget".to_owned(),
                Finish::Filtered => "content_filter".to_owned(),
                Finish::Cancelled => "cancelled".to_owned(),
                Finish::Fault(fault) => fault.name().to_owned(),
            },
            why: match &ending.finish {
                Finish::Fault(fault) => Some(fault.to_string()),
                _ => None,
            },
            sampled: usage.sampled_tokens,
            forced: usage.forced_tokens,
            discarded: usage.discarded_tokens,
            hidden: usage.hidden_tokens,
            fuel: ending.guest.fuel,
            decisions: ending.decisions.to_string(),
            outcome: ending.outcome,
            steps,
        }
    }
}

fn describe(report: &Report) -> String {
    let mut text = String::new();
    for trace in &report.traces {
        let verdict = trace.wrong.as_deref().unwrap_or("as expected");
        text += &format!("{}: {verdict}\n", trace.at);
    }
    let shown = report.traces.iter().filter(|trace| trace.wrong.is_some());
    let shown = shown.map(|trace| &trace.session).chain(&report.session);
    for session in shown {
        text += &format!("\n{}", one(session));
    }
    if text.is_empty() {
        text.push_str("it compiles; there are no traces, and --prompt asks a model\n");
    }
    text
}

fn one(session: &Session) -> String {
    let Session {
        finish,
        why,
        sampled,
        forced,
        discarded,
        hidden,
        fuel,
        decisions,
        ..
    } = session;
    let why = why.iter().map(|why| format!(" ({})", output::line(why)));
    let why: String = why.collect();
    let mut text = format!(
        "{}\n{}\nended with {finish}{why}: {sampled} sampled, {forced} forced, {discarded} discarded, {hidden} hidden; \
         {fuel} fuel; decisions {decisions}\n",
        table(&session.steps),
        output::lines(&session.text)
    );
    if let Some(outcome) = &session.outcome {
        text += &format!("outcome {}\n", output::lines(outcome));
    }
    text
}
