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

/// What stands around the text of an event, in the stream.
#[derive(Clone)]
pub(crate) struct Around {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Around {
    /// Of an event with an empty text, which is the last of this name in it.
    pub fn of<T: Serialize>(event: &T, name: &str) -> Self {
        let mut frame = Frame::default();
        frame.data(event);
        let empty = format!("\"{name}\":\"\"");
        let mut places = frame.0.windows(empty.len());
        let place = places.rposition(|place| place == empty.as_bytes());
        let quoted = place.expect("an event has its text") + empty.len() - 2;
        Self {
            before: frame.0[..quoted].to_vec(),
            after: frame.0[quoted + 2..].to_vec(),
        }
    }
}

/// Room that is made for events which are only expected.
const ROOM_BYTES_MAX: usize = 64 * 1024;

/// What a stream ends with: why, what was used, what it cost.
const END_BYTES: usize = 2 * 1024;

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
    pub fn text(&mut self, around: &Around, text: &str) {
        let Around { before, after } = around;
        let quotes = 2;
        self.0
            .reserve(before.len() + text.len() + quotes + after.len());
        self.0.extend_from_slice(before);
        serde_json::to_writer(&mut self.0, text).expect("a text is JSON");
        self.0.extend_from_slice(after);
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

    /// Makes room for so many events of this length, and for the end, which may come with them: those that come together
    /// are mostly alike, and what there is would be copied each time that room is made for more.
    pub fn expect(&mut self, events: usize, length: usize) {
        let room = events.saturating_mul(length).min(ROOM_BYTES_MAX);
        self.0.reserve(room + END_BYTES);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_what_is_expected_is_made_once() {
        let mut frame = Frame::default();
        let event = [b'x'; 200];
        frame.raw(&event);
        frame.expect(64, event.len());
        let room = frame.0.capacity();
        (0..64).for_each(|_| frame.raw(&event));
        frame.raw(&[b'x'; END_BYTES]);
        assert_eq!(frame.0.capacity(), room);
    }

    #[test]
    fn an_upstream_does_not_choose_how_much_room_is_made() {
        let mut frame = Frame::default();
        frame.expect(usize::MAX, 200);
        assert!(frame.0.capacity() <= ROOM_BYTES_MAX + END_BYTES);
    }
}
