//! A controller that acts out a text, for traces of several branches.
//!
//! | act | what it does |
//! |---|---|
//! | `any`, `any:3`, `any~x`, `any!x` | a segment, to 3 tokens, to the text `x`, to the token `x` |
//! | `only:x` | a segment of one token, which is `x` |
//! | `lark:source` | a segment under a grammar, `␣` being a blank |
//! | `with:bias=x:5`, `with:temperature=2`, `with:splice=x:1:y`, `with:observe=2` | of the next segment |
//! | `+x`, `2↶x`, `heal`, `heal+x` | an edit |
//! | `fork [ … ; … ]` | forks; each member goes on with a list of its own |
//! | `wait:x`, `join:1,2`, `sleep:5` | suspends |
//! | `set:x=y`, `hide`, `show`, `commit`, `result:{}`, `log:x` | acts that decide nothing |
//! | `late`, `outside` | is not ready, until it is polled |
//! | `stop`, `drop` | ends the branch, as the answer or not |

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aigen_engine::Tokenizer;
use aigen_engine::scripted::Vocabulary;
use aigen_types::Digest;

use crate::{
    Allow, Blueprint, Compiler, Context, Controller, Decision, Edit, Fault, Generate, Level, Mask,
    Observe, Opening, Report, Splice, Stop, Turn, Until, Waiting, Wake,
};

#[derive(Clone)]
pub enum Act {
    Decide(Decision),
    Fork(Vec<Vec<Act>>),
    Set(String, String),
    Result(String),
    Log(String),
    Show(bool),
    Commit,
    Turn(Turn),
}

impl Act {
    /// The same with matchers of its own, which a session advances.
    fn fresh(&self) -> Self {
        match self {
            Self::Decide(Decision::Generate(generate)) => {
                let mut generate = generate.clone();
                if let Allow::Matcher(matcher) = &generate.allow {
                    generate.allow = Allow::Matcher(matcher.fork());
                }
                Self::Decide(Decision::Generate(generate))
            }
            Self::Fork(members) => {
                let fresh = |acts: &Vec<Self>| acts.iter().map(Self::fresh).collect();
                Self::Fork(members.iter().map(fresh).collect())
            }
            other => other.clone(),
        }
    }
}

/// What the controllers of a session were asked, in order.
pub type Heard = Arc<Mutex<Vec<String>>>;

#[derive(Clone)]
pub struct Acted {
    acts: VecDeque<Act>,
    children: Vec<VecDeque<Act>>,
    context: Option<Context>,
    branch: u32,
    pub reach: u32,
    pub branches: u32,
    pub heard: Heard,
    /// Its last word; after `fault `, why it has none.
    pub outcome: String,
}

impl Acted {
    pub fn new(vocabulary: &Arc<Vocabulary>, compiler: &Compiler, text: &str) -> Self {
        let mut words: VecDeque<&str> = text.split_whitespace().collect();
        let parser = Parser {
            vocabulary,
            compiler,
        };
        Self {
            acts: parser.acts(&mut words).into(),
            children: Vec::new(),
            context: None,
            branch: 0,
            reach: u32::MAX,
            branches: 1,
            heard: Arc::default(),
            outcome: String::new(),
        }
    }

    fn go_on(&mut self) -> Turn {
        loop {
            let context = self.context.clone().expect("it was opened");
            match self.acts.pop_front() {
                None => return Decision::stop().into(),
                Some(Act::Decide(decision)) => return decision.into(),
                Some(Act::Turn(turn)) => {
                    context.waker().wake();
                    return turn;
                }
                Some(Act::Fork(members)) => {
                    let mut members = members.into_iter().map(VecDeque::from);
                    self.acts = members.next().expect("it has a member");
                    self.children = members.collect();
                    let count = u32::try_from(self.children.len()).unwrap();
                    return Decision::Fork(count).into();
                }
                Some(Act::Set(name, value)) => {
                    let _ = context.set_variable(self.branch, &name, value.as_bytes());
                }
                Some(Act::Result(json)) => drop(context.put_result("it", &json)),
                Some(Act::Log(message)) => {
                    let _ = context.log(self.branch, Level::Info, &message);
                }
                Some(Act::Show(visible)) => context.set_visible(self.branch, visible),
                Some(Act::Commit) => context.commit(self.branch),
            }
        }
    }
}

impl Blueprint for Acted {
    fn digest(&self) -> Digest {
        crate::program::digest_of("acted", "")
    }

    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Controller>, Fault> {
        let context = Some(opening.context.clone());
        let acts = self.acts.iter().map(Act::fresh).collect();
        Ok(Box::new(Self {
            context,
            acts,
            ..self.clone()
        }))
    }

    fn backtracks(&self) -> bool {
        true
    }

    fn branches(&self) -> u32 {
        self.branches
    }
}

impl Controller for Acted {
    fn step(&mut self, report: &Report<'_>) -> Result<Turn, Fault> {
        self.branch = report.branch;
        let why = match report.why {
            Wake::Started => "started".to_owned(),
            Wake::Forked { index, .. } => format!("fork{index}"),
            Wake::Edited => "edited".to_owned(),
            Wake::MatcherFinished => "finished".to_owned(),
            Wake::StopMatched => "stop".to_owned(),
            Wake::Triggered => "trigger".to_owned(),
            Wake::EndOfSequence => "end".to_owned(),
            Wake::TokenLimit => "limit".to_owned(),
            Wake::Resumed => "resumed".to_owned(),
        };
        let mut heard = format!("{}{why}", report.branch);
        if report.logprob.is_some() {
            heard += &format!("?{}", report.top.len());
        }
        self.heard.lock().unwrap().push(heard);
        Ok(self.go_on())
    }

    fn poll(&mut self) -> Result<Turn, Fault> {
        Ok(self.go_on())
    }

    fn fork(&mut self, index: u32) -> Result<Box<dyn Controller>, Fault> {
        let at = usize::try_from(index - 1).unwrap();
        let acts = self.children[at].clone();
        Ok(Box::new(Self {
            acts,
            children: Vec::new(),
            ..self.clone()
        }))
    }

    fn finish(&mut self) -> Option<Result<String, Fault>> {
        Some(match self.outcome.strip_prefix("fault ") {
            Some(reason) => Err(Fault::Controller {
                reason: reason.to_owned(),
            }),
            None => Ok(self.outcome.clone()),
        })
    }

    fn reach(&self) -> u32 {
        self.reach
    }
}

struct Parser<'a> {
    vocabulary: &'a Arc<Vocabulary>,
    compiler: &'a Compiler,
}

impl Parser<'_> {
    /// Acts up to the end of the list.
    fn acts(&self, words: &mut VecDeque<&str>) -> Vec<Act> {
        let (mut acts, mut with) = (Vec::new(), Generate::default());
        while let Some(&word) = words.front() {
            if word == ";" || word == "]" {
                break;
            }
            words.pop_front();
            match word.strip_prefix("with:") {
                Some(setting) => self.set(&mut with, setting),
                None if word == "fork" => acts.push(self.fork(words)),
                None => acts.push(self.act(word, &mut with)),
            }
        }
        acts
    }

    fn fork(&self, words: &mut VecDeque<&str>) -> Act {
        assert_eq!(words.pop_front(), Some("["), "a fork has members");
        let mut members = Vec::new();
        loop {
            members.push(self.acts(words));
            match words.pop_front() {
                Some(";") => {}
                Some("]") => return Act::Fork(members),
                other => panic!("a fork ends with ], not {other:?}"),
            }
        }
    }

    fn encode(&self, text: &str) -> Vec<u32> {
        let text = text.replace('␣', " ");
        self.vocabulary.encode(&text, false, false)
    }

    fn one(&self, text: &str) -> u32 {
        match text {
            "END" => self.vocabulary.end(),
            text => self.encode(text)[0],
        }
    }

    fn set(&self, with: &mut Generate, setting: &str) {
        let (name, value) = setting.split_once('=').unwrap();
        match name {
            "bias" => {
                let (token, by) = value.split_once(':').unwrap();
                with.bias.push((self.one(token), by.parse().unwrap()));
            }
            "temperature" => with.params.temperature = Some(value.parse().unwrap()),
            "observe" if value == "sampled" => with.observe = Observe::Sampled,
            "observe" => with.observe = Observe::Top(value.parse().unwrap()),
            "splice" => {
                let parts: Vec<&str> = value.split(':').collect();
                with.splices.push(Splice {
                    sampled: vec![self.one(parts[0])],
                    backtrack: parts[1].parse().unwrap(),
                    tokens: self.encode(parts[2]),
                });
            }
            _ => panic!("no setting is called {name}"),
        }
    }

    fn act(&self, word: &str, with: &mut Generate) -> Act {
        let (kind, rest) = word.split_once(':').unwrap_or((word, ""));
        match kind {
            "stop" => Act::Decide(Decision::stop()),
            "drop" => Act::Decide(Decision::Stop(Stop {
                keep: false,
                ..Stop::default()
            })),
            "wait" => suspend(Waiting::Variables(vec![rest.to_owned()])),
            "sleep" => suspend(Waiting::Millis(rest.parse().unwrap())),
            "join" => {
                let branches = rest.split(',').map(|branch| branch.parse().unwrap());
                suspend(Waiting::Branches(branches.collect()))
            }
            "set" => {
                let (name, value) = rest.split_once('=').unwrap();
                Act::Set(name.to_owned(), value.to_owned())
            }
            "result" => Act::Result(rest.to_owned()),
            "log" => Act::Log(rest.to_owned()),
            "hide" | "show" => Act::Show(kind == "show"),
            "commit" => Act::Commit,
            "late" => Act::Turn(Turn::Late),
            "outside" => Act::Turn(Turn::Outside),
            _ => match self.edit(word) {
                Some(edit) => Act::Decide(Decision::Edit(edit)),
                None => Act::Decide(Decision::Generate(self.segment(word, std::mem::take(with)))),
            },
        }
    }

    fn edit(&self, word: &str) -> Option<Edit> {
        let (word, heal) = match word.strip_prefix("heal") {
            Some("") => ("+", true),
            Some(rest) => (rest, true),
            None => (word, false),
        };
        let (backtrack, text) = match word.split_once('↶') {
            Some((count, text)) => (count.parse().unwrap(), text),
            None => (0, word.strip_prefix('+')?),
        };
        Some(Edit {
            backtrack,
            tokens: self.encode(text),
            heal,
        })
    }

    fn segment(&self, word: &str, with: Generate) -> Generate {
        let mut until = Until::default();
        let mut allow = Allow::Any;
        if let Some(tokens) = word.strip_prefix("any:") {
            until.tokens = tokens.parse().unwrap();
        } else if let Some(stop) = word.strip_prefix("any~") {
            until.stops = vec![stop.as_bytes().to_vec()];
        } else if let Some(trigger) = word.strip_prefix("any!") {
            until.triggers = self.encode(trigger);
        } else if let Some(token) = word.strip_prefix("only:") {
            let size = self.vocabulary.vocab_size();
            allow = Allow::Tokens(Arc::new(Mask::of(size, &[self.one(token)]).unwrap()));
            until.tokens = 1;
        } else if let Some(source) = word.strip_prefix("lark:") {
            let program = self.compiler.lark(&source.replace('␣', " ")).unwrap();
            allow = Allow::Matcher(program.matcher().unwrap());
        } else {
            assert_eq!(word, "any", "no act is called so");
        }
        Generate {
            allow,
            until,
            ..with
        }
    }
}

fn suspend(waiting: Waiting) -> Act {
    Act::Decide(Decision::Suspend(waiting))
}
