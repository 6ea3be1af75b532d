use crate::codec::{DecodeError, Wire};
use crate::record::{Origin, decode};
use aigen_network::Command;
use aigen_types::NodeId;

/// Commands that go into one record together, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    commands: Vec<Command>,
    /// Their serialised form, made by whoever asks so that the writer does not have to.
    body: Vec<u8>,
    origin: Option<Origin>,
}

impl Batch {
    /// A batch of the only writer there is.
    #[must_use]
    pub fn new(commands: Vec<Command>) -> Self {
        let mut body = Vec::new();
        commands.iter().for_each(|command| command.put(&mut body));
        Self {
            commands,
            body,
            origin: None,
        }
    }

    /// The same batch as number `batch` of `node`, which counts its batches from 1.
    #[must_use]
    pub fn from_node(self, node: NodeId, batch: u64) -> Self {
        let count = self.count();
        let origin = Some(Origin { node, batch, count });
        Self { origin, ..self }
    }

    /// Whose it is.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        self.origin
    }

    /// What it holds.
    #[must_use]
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// What it adds to a record.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Takes another batch in behind this one.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.commands.append(&mut other.commands);
        self.body.append(&mut other.body);
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.commands.len()).expect("batches are bounded")
    }

    /// The form in which it is forwarded; `None` for one without an origin.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(20 + self.body.len());
        self.origin?.put(&mut bytes);
        bytes.extend_from_slice(&self.body);
        Some(bytes)
    }

    /// Reads a forwarded batch.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, DecodeError> {
        let origin = Origin::take(&mut bytes)?;
        Ok(Self {
            commands: decode(origin.count, bytes)?,
            body: bytes.to_vec(),
            origin: Some(origin),
        })
    }
}
