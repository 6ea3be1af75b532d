use serde::Serialize;

/// A part of a stream that will say later what was used.
#[derive(Serialize)]
pub(crate) struct NoUsageYet<'a, T> {
    #[serde(flatten)]
    part: &'a T,
    usage: Option<()>,
}

impl<'a, T> NoUsageYet<'a, T> {
    pub fn of(part: &'a T) -> Self {
        let usage = None;
        Self { part, usage }
    }
}

/// Server-sent events that are ready and not written yet.
#[derive(Default)]
pub(crate) struct Frame(Vec<u8>);

impl Frame {
    /// JSON has no line breaks of its own, so that one `data:` line holds it.
    pub fn data<T: Serialize>(&mut self, event: &T) {
        self.0.extend_from_slice(b"data: ");
        serde_json::to_writer(&mut self.0, event).expect("wire shapes have text keys only");
        self.0.extend_from_slice(b"\n\n");
    }

    /// The same of a part of a stream, which says `"usage": null` where the usage comes at the end, as
    /// OpenAI's do.
    pub fn part<T: Serialize>(&mut self, part: &T, usage_comes: bool) {
        match usage_comes {
            true => self.data(&NoUsageYet::of(part)),
            false => self.data(part),
        }
    }

    /// An event of which a text is all that is new.
    pub fn text(&mut self, before: &[u8], text: &str, after: &[u8]) {
        self.0.extend_from_slice(b"data: ");
        self.0.extend_from_slice(before);
        serde_json::to_writer(&mut self.0, text).expect("a text is JSON");
        self.0.extend_from_slice(after);
        self.0.extend_from_slice(b"\n\n");
    }

    /// An event with a name.
    pub fn event<T: Serialize>(&mut self, name: &str, event: &T) {
        self.0.extend_from_slice(b"event: ");
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'\n');
        self.data(event);
    }

    /// As it stands in the stream.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}
