//! What of an answer's bytes the caller may see, and when.

/// The text of one answer or branch: every token's bytes, how much of it was sent, and the
/// stop strings that cut it short. What comes from elsewhere comes in pieces that stand for tokens.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    bytes: Vec<u8>,
    /// The end of every token in `bytes`.
    ends: Vec<usize>,
    /// Bytes that were given out.
    sent: usize,
    stops: Vec<Vec<u8>>,
}

impl Transcript {
    /// An empty one; a stop string that is empty stops nothing.
    #[must_use]
    pub fn new(stops: &[String]) -> Self {
        let stops = stops.iter().filter(|stop| !stop.is_empty());
        Self {
            stops: stops.map(|stop| stop.as_bytes().to_vec()).collect(),
            ..Self::default()
        }
    }

    /// Takes the next token's bytes.
    pub fn push(&mut self, token: &[u8]) {
        self.bytes.extend_from_slice(token);
        self.ends.push(self.bytes.len());
    }

    /// Keeps the first `tokens` tokens. None of the removed ones was released.
    pub fn truncate(&mut self, tokens: usize) {
        self.ends.truncate(tokens);
        self.bytes.truncate(self.end_of(tokens));
        debug_assert!(self.sent <= self.bytes.len(), "sent bytes were taken back");
    }

    /// Cuts the text before the first stop string the last token completed.
    pub fn cut_at_stop(&mut self) -> bool {
        self.cut().is_some()
    }

    /// The same, and how many bytes had come after that string.
    pub fn cut(&mut self) -> Option<usize> {
        let token = self.last_token_start();
        let found = |stop: &Vec<u8>| {
            let at = find(&self.bytes, stop, token)?;
            Some((at, std::cmp::Reverse(at + stop.len())))
        };
        let (at, std::cmp::Reverse(end)) = self.stops.iter().filter_map(found).min()?;
        let after = self.bytes.len() - end;
        self.bytes.truncate(at);
        Some(after)
    }

    /// Takes the text that may be sent once the first `tokens` tokens are
    /// committed: complete characters only, and nothing that could still become
    /// a stop string. Bytes that are no UTF-8 come out as U+FFFD.
    pub fn release(&mut self, tokens: usize) -> String {
        let committed = &self.bytes[..self.end_of(tokens).min(self.bytes.len())];
        let end = committed.len() - self.held_back(committed);
        let ready = complete(&committed[self.sent.min(end)..end]);
        let text = String::from_utf8_lossy(ready).into_owned();
        self.sent += ready.len();
        text
    }

    /// All text so far that cannot become part of a character or of a stop string.
    #[must_use]
    pub fn visible(&self) -> String {
        let end = self.bytes.len() - self.held_back(&self.bytes);
        String::from_utf8_lossy(complete(&self.bytes[..end])).into_owned()
    }

    /// All text, whether it was sent or not.
    #[must_use]
    pub fn whole(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Takes all text that is left; nothing can follow any more.
    pub fn finish(&mut self) -> String {
        let rest = &self.bytes[self.sent.min(self.bytes.len())..];
        let text = String::from_utf8_lossy(rest).into_owned();
        self.sent = self.bytes.len();
        text
    }

    /// Bytes at the end of `text` that could be the beginning of a stop string.
    fn held_back(&self, text: &[u8]) -> usize {
        let longest = |stop: &Vec<u8>| {
            let most = (stop.len() - 1).min(text.len());
            (1..=most)
                .rev()
                .find(|&n| text.ends_with(&stop[..n]))
                .unwrap_or(0)
        };
        self.stops.iter().map(longest).max().unwrap_or(0)
    }

    fn end_of(&self, tokens: usize) -> usize {
        tokens.checked_sub(1).map_or(0, |last| {
            self.ends.get(last).copied().unwrap_or(self.bytes.len())
        })
    }

    fn last_token_start(&self) -> usize {
        self.end_of(self.ends.len().saturating_sub(1))
    }
}

/// Where `needle` first occurs in `text` with its end after byte `after`.
fn find(text: &[u8], needle: &[u8], after: usize) -> Option<usize> {
    if needle.is_empty() {
        return None;
    }
    let from = (after + 1).saturating_sub(needle.len());
    let tail = text.get(from..)?;
    tail.windows(needle.len())
        .position(|window| window == needle)
        .map(|at| from + at)
}

/// `bytes` without an incomplete character at its end.
fn complete(bytes: &[u8]) -> &[u8] {
    let incomplete = bytes.utf8_chunks().last().map_or(0, |chunk| {
        let tail = chunk.invalid();
        match std::str::from_utf8(tail) {
            Err(error) if error.error_len().is_none() => tail.len(),
            _ => 0,
        }
    });
    &bytes[..bytes.len() - incomplete]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// The text a caller should get: everything up to the first token that
    /// completes a stop string, without the string that begins first.
    fn expected(tokens: &[Vec<u8>], stops: &[String]) -> String {
        let mut bytes = Vec::new();
        for token in tokens {
            bytes.extend_from_slice(token);
            let starts = |stop: &String| {
                (0..bytes.len()).find(|&at| bytes[at..].starts_with(stop.as_bytes()))
            };
            if let Some(at) = stops.iter().filter_map(starts).min() {
                bytes.truncate(at);
                break;
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn pieces_add_up_to_the_text(
            tokens in vec(prop_oneof![
                "[abé€]{0,3}".prop_map(String::into_bytes),
                vec(any::<u8>(), 0..3),
                vec(prop_oneof![Just(0xe2_u8), Just(0x82), Just(0xac), Just(b'a')], 1..3),
            ], 0..20),
            stops in vec("[abé€]{1,4}", 0..3),
            reach in 0..4_usize,
        ) {
            let mut transcript = Transcript::new(&stops);
            let mut text = String::new();
            for (at, token) in tokens.iter().enumerate() {
                transcript.push(token);
                if transcript.cut_at_stop() {
                    break;
                }
                text += &transcript.release((at + 1).saturating_sub(reach));
            }
            text += &transcript.finish();
            prop_assert_eq!(text, expected(&tokens, &stops));
        }
    }
}
