//! What a controller says of its answers, and whether an answer is that: checked on every call, by
//! the node, because a controller would be paid by what it said of itself.

use crate::error::NodeError;
use crate::manifest::{Manifest, compiled};
use crate::node::Node;
use aigen_jarvis::{Ending, Fault, Finish, Piece};
use aigen_network::ControllerKind;
use aigen_types::Digest;
use jsonschema::Validator;
use serde_json::Value;

/// What is declared, and what was said so far.
pub(crate) enum Declared {
    /// A grammar, which steers every token.
    Grammar,
    /// A JSON Schema of the manifest.
    Schema {
        schema: Box<Validator>,
        /// By answer.
        texts: Vec<String>,
    },
}

impl Declared {
    /// Takes note of what the caller sees of an answer.
    pub fn observe(&mut self, choice: u32, piece: &Piece) {
        if let Self::Schema { texts, .. } = self {
            let choice = choice as usize;
            texts.resize(texts.len().max(choice + 1), String::new());
            let text = &mut texts[choice];
            text.truncate(text.len().saturating_sub(piece.retracted_bytes as usize));
            text.push_str(&piece.text);
        }
    }

    /// Whether a call's answers are as declared: all that could be checked must be.
    pub fn judge(&self, endings: &[Ending]) -> Option<bool> {
        let judged = endings.iter().enumerate();
        let judged = judged.filter_map(|(choice, ending)| self.judge_one(choice, ending));
        judged.reduce(|all, one| all && one)
    }

    /// None for an answer that the caller, the money or the engine cut short: it says nothing of
    /// the controller.
    fn judge_one(&self, choice: usize, ending: &Ending) -> Option<bool> {
        match (&ending.finish, self) {
            (Finish::Fault(Fault::Engine(_) | Fault::Crashed), _) => None,
            (Finish::Fault(_), _) => Some(false),
            (Finish::Stop, Self::Grammar) => ending.grammar_complete,
            (Finish::Stop, Self::Schema { schema, texts }) => {
                let text = texts.get(choice).map_or("", String::as_str);
                let value = serde_json::from_str::<Value>(text);
                Some(value.is_ok_and(|value| schema.is_valid(&value)))
            }
            _ => None,
        }
    }
}

impl Node {
    /// The value that a function promises.
    fn promised(&self, digest: Digest) -> Result<Declared, NodeError> {
        let (_, function) = self.function(&digest.to_string())?;
        let schema = compiled("output", Some(function.output()))?;
        let schema = schema.ok_or(NodeError::ControllerUnknown(digest.to_string()))?;
        Ok(Declared::Schema {
            schema: Box::new(schema),
            texts: Vec::new(),
        })
    }

    /// What a published controller declares: the `answer` of its manifest, or else its grammar or its value's schema.
    ///
    /// # Errors
    /// A manifest that this node does not understand.
    pub(crate) fn declared(
        &self,
        controller: Option<Digest>,
    ) -> Result<Option<Declared>, NodeError> {
        let Some(digest) = controller else {
            return Ok(None);
        };
        let (kind, manifest) = {
            let network = self.network();
            let kind = network.controller(digest).map(|known| known.published.kind);
            let release = network.release(digest);
            (kind, release.map(|release| release.manifest.clone()))
        };
        let manifest = manifest.map(|text| Manifest::parse(&text)).transpose()?;
        if let Some(schema) = manifest.and_then(|manifest| manifest.answer().transpose()) {
            let schema = Box::new(schema?);
            return Ok(Some(Declared::Schema {
                schema,
                texts: Vec::new(),
            }));
        }
        match kind {
            Some(ControllerKind::Grammar) => Ok(Some(Declared::Grammar)),
            Some(ControllerKind::Function) => self.promised(digest).map(Some),
            _ => Ok(None),
        }
    }
}
