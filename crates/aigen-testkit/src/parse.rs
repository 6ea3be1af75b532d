mod datasets;
mod spending;
mod values;

use crate::run::Failure;
use crate::world::Fault;
use aigen_network::{
    Capped, Cell, CloseCall, Command, ExtendCall, GoldOpening, Issue, NewKey, NewModel,
    NewValidator, OpenCall, Outcome, Pay, ProgressCall, Report, Role, Steered, member_id,
};
use aigen_types::{Address, CallId, DatasetRef, Digest, Slug, TransferId};
use values::{
    address, call_id, cells, controller, digest, founding, open, price, reports, seconds, usage,
    value,
};

/// Every line there is. Capitals stand for values: amounts are in AIGEN, scores and shares in
/// parts per million. `…` repeats, brackets enclose what may be missing.
pub const FORMS: &[&str] = &[
    "network NAME: [RULE VALUE, …]",
    "issue AMOUNT to ADDRESS",
    "pay AMOUNT from ADDRESS to ADDRESS",
    "key NAME for ADDRESS [spender ADDRESS]",
    "limit KEY to OWNER/NAME+OWNER/NAME|all",
    "revoke NAME",
    "model NAME by PROVIDER: input AMOUNT, cached AMOUNT, output AMOUNT per million, request AMOUNT",
    "controller OWNER/NAME@VERSION",
    "validator NAME of OWNER stakes AMOUNT",
    "budget PATH: AMOUNT per PERIOD",
    "unbudget PATH",
    "allow APP by USER: AMOUNT per PERIOD, [margin PPM, until HOUR]",
    "disallow APP by USER",
    "open CALL by KEY on MODEL [TERM VALUE, …]: prompt TOKENS, chunk TOKENS",
    "extend CALL by TOKENS: USAGE TOKENS, …",
    "progress CALL: USAGE TOKENS, …",
    "close CALL OUTCOME: USAGE TOKENS, …",
    "call CALL by KEY on MODEL [TERM VALUE, …]: prompt TOKENS, output TOKENS",
    "reverse CALL because REASON",
    "refund CALL AMOUNT because REASON",
    "dataset OWNER/NAME@VERSION by ADDRESS: [rows COUNT, row AMOUNT, hit AMOUNT, download AMOUNT, for USES, to all|granted, provider ADDRESS]",
    "reprice DATASET by ADDRESS: [row AMOUNT, hit AMOUNT, download AMOUNT]",
    "withdraw DATASET by ADDRESS",
    "grant OWNER/NAME by ADDRESS to ADDRESS: [columns NAMES, for USES, until HOUR]",
    "ungrant OWNER/NAME by ADDRESS to ADDRESS",
    "read READ by KEY DATASET[ROWS]: [TERM VALUE, …]",
    "find READ by KEY DATASET[ROWS]: [TERM VALUE, …]",
    "download READ by KEY DATASET[ROWS]: [TERM VALUE, …]",
    "within CALL read|find DATASET[ROWS]",
    "plant CONTROLLER PARAMETER TRUTH",
    "assign VALIDATOR, …: CONTROLLER PARAMETER …, …",
    "commit VALIDATOR: CONTROLLER PARAMETER SCORE …, …",
    "freeze",
    "reveal VALIDATOR: [CONTROLLER PARAMETER SCORE …, …]",
    "close epoch",
    "repeat",
    "restart",
    "wait NUMBER seconds|minutes|hours|days",
    "account ADDRESS -> available AMOUNT, held AMOUNT",
    "receipt CALL -> OUTCOME, charged AMOUNT, …",
    "earned ADDRESS by DATASET -> reads COUNT, rows COUNT, fees AMOUNT, earned AMOUNT, returned AMOUNT",
    "cap ADDRESS -> cap AMOUNT, spent AMOUNT, held AMOUNT, left AMOUNT",
    "allowance APP by USER -> cap AMOUNT, spent AMOUNT, held AMOUNT, left AMOUNT",
    "score CONTROLLER -> SCORE",
    "skill VALIDATOR -> SKILL",
];

/// How a call may be said to end.
pub(crate) const OUTCOMES: &[(&str, Outcome)] = &[
    ("stop", Outcome::Stop),
    ("length", Outcome::Length),
    ("budget", Outcome::Budget),
    ("cancelled", Outcome::Cancelled),
    ("controller_fault", Outcome::ControllerFault),
    ("engine_fault", Outcome::EngineFault),
    ("recovered", Outcome::Recovered),
    ("content_filter", Outcome::Filtered),
];

/// A scenario that was understood.
#[derive(Debug)]
pub struct Scenario {
    /// The name that failures give.
    pub file: String,
    /// Its lines, in their order.
    pub lines: Vec<Line>,
}

/// One line of it.
#[derive(Debug)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// What stands there, without its comment.
    pub text: String,
    /// What it means.
    pub act: Act,
    /// The answer that it expects; without one, it must not be refused.
    pub expected: Option<String>,
}

impl Line {
    /// Whether every part of what was expected is a part of the answer.
    #[must_use]
    pub fn accepts(&self, answer: &str) -> bool {
        match &self.expected {
            None => !answer.starts_with("refused"),
            Some(expected) => expected
                .split(", ")
                .all(|part| answer.split(", ").any(|given| given == part)),
        }
    }
}

/// What a line does.
#[derive(Debug)]
pub enum Act {
    /// One command.
    Submit(Command),
    /// A call from its request to its receipt.
    Call(WholeCall),
    /// The last command again, to the letter.
    Repeat,
    /// A truth that the next assignment hides.
    Plant(GoldOpening),
    /// A command that takes what only operator or validator know.
    Epoch(EpochAct),
    /// Ledger time goes on.
    Wait {
        /// By so much.
        seconds: u32,
    },
    /// Everything but what is stored is forgotten.
    Restart,
    /// A question.
    Ask(Question),
}

/// A call whose model does not stop by itself.
#[derive(Clone, Debug)]
pub struct WholeCall {
    /// How it begins; its chunk is the first one.
    pub open: OpenCall,
    /// Output tokens that its caller wants.
    pub output_tokens: u64,
}

/// What happens to an epoch.
#[derive(Debug)]
pub enum EpochAct {
    /// Validators are asked.
    Assign(Vec<Cell>),
    /// A validator commits to its answers.
    Commit {
        /// Which.
        validator: Slug,
        /// To these.
        reports: Vec<Report>,
    },
    /// Without reports: those committed to.
    Reveal {
        /// Which.
        validator: Slug,
        /// These.
        reports: Vec<Report>,
    },
    /// Truths are opened, everyone is paid.
    Close,
}

/// What a line asks.
#[derive(Debug)]
pub enum Question {
    /// What an address has.
    Account(Address),
    /// What a call came to, or a read.
    Receipt(CallId),
    /// What an address earned by a dataset version.
    Earned(Address, DatasetRef),
    /// How much of a bound is used.
    Cap(Capped),
    /// A controller's last score.
    Score(Digest),
    /// How a validator has done.
    Skill(Slug),
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// The first line that is not understood.
    pub fn parse(file: &str, text: &str) -> Result<Self, Failure> {
        let understood = |(text, number): (String, usize)| {
            line(&text, number).map_err(|fault| Failure {
                file: file.into(),
                line: number,
                expected: forms_like(&text),
                happened: fault.to_string(),
                text,
            })
        };
        let lines = sentences(text).into_iter().map(understood);
        Ok(Self {
            file: file.into(),
            lines: lines.collect::<Result<_, _>>()?,
        })
    }

    /// A line that did not go as it says.
    #[must_use]
    pub fn failure(&self, line: &Line, expected: &str, happened: &str) -> Failure {
        Failure {
            file: self.file.clone(),
            line: line.number,
            text: line.text.clone(),
            expected: expected.into(),
            happened: happened.into(),
        }
    }

    /// A fault that shows after the last line.
    pub(crate) fn end(&self, fault: &Fault) -> Failure {
        Failure {
            file: self.file.clone(),
            line: self.lines.last().map_or(1, |line| line.number),
            text: "(end)".into(),
            expected: "the same network, from the journal alone".into(),
            happened: fault.to_string(),
        }
    }
}

/// What is left without comments, and where it begins. An indented line continues the one above.
fn sentences(text: &str) -> Vec<(String, usize)> {
    let mut sentences: Vec<(String, usize)> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.split('#').next().unwrap_or(line).trim_end();
        match sentences.last_mut() {
            _ if line.is_empty() => {}
            Some((above, _)) if line.starts_with(' ') => {
                above.push(' ');
                above.push_str(line.trim_start());
            }
            _ => sentences.push((line.to_owned(), number)),
        }
    }
    sentences
}

fn line(text: &str, number: usize) -> Result<Line, Fault> {
    let (left, expected) = match text.split_once("->") {
        Some((left, answer)) => (left, Some(answer.trim().to_owned())),
        None => (text, None),
    };
    let words: Vec<&str> = left
        .split_whitespace()
        .map(|word| word.trim_end_matches([',', ':']))
        .collect();
    let act = act(&words, number)?;
    if matches!(act, Act::Ask(_)) && expected.is_none() {
        return Err("a question without its answer".into());
    }
    Ok(Line {
        number,
        text: text.into(),
        act,
        expected,
    })
}

/// The forms that begin like this text, or else all first words.
fn forms_like(text: &str) -> String {
    let alike = FORMS
        .iter()
        .filter(|form| first_word(form) == first_word(text));
    let alike: Vec<&str> = alike.copied().collect();
    if alike.is_empty() {
        let words: Vec<_> = FORMS.iter().copied().map(first_word).collect();
        format!("a line that begins with one of: {}", words.join(" "))
    } else {
        alike.join("\n         or: ")
    }
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

fn act(words: &[&str], number: usize) -> Result<Act, Fault> {
    Ok(match *words {
        ["repeat"] => Act::Repeat,
        ["restart"] => Act::Restart,
        ["wait", count, unit] => Act::Wait {
            seconds: seconds(count, unit)?,
        },
        ["plant", reference, parameter, truth] => Act::Plant(GoldOpening {
            controller: digest(reference)?,
            parameter: value(parameter)?,
            truth: value(truth)?,
            salt: digest(reference)?,
        }),
        ["account", name] => Act::Ask(Question::Account(address(name)?)),
        ["receipt", call] => Act::Ask(Question::Receipt(call_id(call)?)),
        ["earned", by, "by", dataset] => Act::Ask(Question::Earned(address(by)?, value(dataset)?)),
        ["cap", path] => Act::Ask(Question::Cap(Capped::Path(address(path)?))),
        ["allowance", app, "by", user] => Act::Ask(Question::Cap(Capped::Allowance {
            user: value(user)?,
            app: value(app)?,
        })),
        ["score", reference] => Act::Ask(Question::Score(digest(reference)?)),
        ["call", call, "by", key, "on", model, ref terms @ ..] => {
            Act::Call(whole_call(call, key, model, terms)?)
        }
        ["skill", validator] => Act::Ask(Question::Skill(value(validator)?)),
        _ => match epoch_act(words)? {
            Some(act) => Act::Epoch(act),
            None => Act::Submit(command(words, number)?),
        },
    })
}

fn epoch_act(words: &[&str]) -> Result<Option<EpochAct>, Fault> {
    Ok(Some(match *words {
        ["assign", ref asked @ ..] => EpochAct::Assign(cells(asked)?),
        ["commit", validator, ref scores @ ..] => EpochAct::Commit {
            validator: value(validator)?,
            reports: reports(scores)?,
        },
        ["reveal", validator, ref scores @ ..] => EpochAct::Reveal {
            validator: value(validator)?,
            reports: reports(scores)?,
        },
        ["close", "epoch"] => EpochAct::Close,
        _ => return Ok(None),
    }))
}

/// Commands that say everything themselves. Payments are known by their line.
fn command(words: &[&str], number: usize) -> Result<Command, Fault> {
    let id = TransferId(u128::try_from(number)?);
    Ok(match *words {
        ["network", name, ref rules @ ..] => Command::Found(founding(name, rules)?),
        ["issue", amount, "to", to] => Command::Issue(Issue {
            id,
            to: address(to)?,
            amount: value(amount)?,
        }),
        ["pay", amount, "from", from, "to", to] => Command::Pay(Pay {
            id,
            from: address(from)?,
            to: address(to)?,
            amount: value(amount)?,
        }),
        ["key", name, "for", account, ref spender @ ..] => Command::CreateKey(NewKey {
            name: value(name)?,
            secret_hash: member_id(&value(name)?),
            account: address(account)?,
            role: Role::Customer,
            spender: match *spender {
                ["spender", spender] => Some(value(spender)?),
                _ => None,
            },
        }),
        ["revoke", name] => Command::RevokeKey(value(name)?),
        ["model", name, "by", provider, ref prices @ ..] => Command::PublishModel(NewModel {
            name: value(name)?,
            provider: value(provider)?,
            digest: Digest::ZERO,
            context_tokens: 8_192,
            price: price(prices)?,
        }),
        ["controller", reference] => Command::PublishController(controller(reference)?),
        ["validator", name, "of", owner, "stakes", stake] => {
            Command::RegisterValidator(NewValidator {
                name: value(name)?,
                owner: value(owner)?,
                stake: value(stake)?,
            })
        }
        ["freeze"] => Command::FreezeCommits,
        _ => match spending::command(words, id)? {
            Some(command) => command,
            None => match datasets::command(words)? {
                Some(command) => command,
                None => call_command(words)?,
            },
        },
    })
}

fn call_command(words: &[&str]) -> Result<Command, Fault> {
    Ok(match *words {
        ["open", call, "by", key, "on", model, ref terms @ ..] => {
            Command::OpenCall(open(call, key, model, terms)?)
        }
        ["extend", call, "by", tokens, ref used @ ..] => Command::ExtendCall(ExtendCall {
            call: call_id(call)?,
            chunk_tokens: value(tokens)?,
            used: usage(used)?,
        }),
        ["progress", call, ref used @ ..] => Command::ProgressCall(ProgressCall {
            call: call_id(call)?,
            used: usage(used)?,
        }),
        ["close", call, outcome, ref used @ ..] => Command::CloseCall(CloseCall {
            call: call_id(call)?,
            used: usage(used)?,
            outcome: named(outcome)?,
            controller_micros: 0,
            decisions: Digest::ZERO,
            steered: Steered::default(),
            counter: None,
        }),
        _ => return Err("no line has this form".into()),
    })
}

/// A node's first chunk is 256 tokens.
fn whole_call(call: &str, key: &str, model: &str, terms: &[&str]) -> Result<WholeCall, Fault> {
    let [terms @ .., "output", output] = terms else {
        return Err("it does not end in how many output tokens are asked for".into());
    };
    let output_tokens = value(output)?;
    let open = OpenCall {
        chunk_tokens: 256.min(output_tokens),
        ..open(call, key, model, terms)?
    };
    Ok(WholeCall {
        open,
        output_tokens,
    })
}

fn named(outcome: &str) -> Result<Outcome, Fault> {
    let known = OUTCOMES.iter().find(|(name, _)| *name == outcome);
    let (_, outcome) = known.ok_or_else(|| format!("{outcome:?} is not how a call ends"))?;
    Ok(*outcome)
}
