use crate::limits::EVENT_BYTES_MAX;

/// Splits bytes into the data of server-sent events; comments and other fields are dropped.
#[derive(Debug, Default)]
pub(crate) struct SseDecoder {
    /// The line being received.
    line: Vec<u8>,
    /// The `data` lines of the event being received.
    data: Option<Vec<u8>>,
    /// The last byte was a carriage return: a line feed belongs to it.
    after_return: bool,
}

/// An event beyond [`EVENT_BYTES_MAX`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl SseDecoder {
    /// The data of every event that `bytes` complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.as_ref().map_or(0, Vec::len) > EVENT_BYTES_MAX {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return self.data.take();
        }
        if let Some(data) = line.strip_prefix(b"data:") {
            let data = data.strip_prefix(b" ").unwrap_or(data);
            match &mut self.data {
                Some(event) => {
                    event.push(b'\n');
                    event.extend_from_slice(data);
                }
                None => self.data = Some(data.to_vec()),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(chunks: &[&str]) -> Vec<String> {
        let mut decoder = SseDecoder::default();
        let mut events = Vec::new();
        for chunk in chunks {
            events.extend(decoder.push(chunk.as_bytes()).unwrap());
        }
        let text = |event| String::from_utf8(event).unwrap();
        events.into_iter().map(text).collect()
    }

    #[test]
    fn events_end_at_blank_lines() {
        for (text, expected) in [
            ("data: a\n\ndata: b\n\n", &["a", "b"][..]),
            ("data:a\r\n\r\ndata: b\r\r", &["a", "b"]),
            ("data: a\ndata: b\n\n", &["a\nb"]),
            (": keep-alive\n\ndata: a\n\n", &["a"]),
            ("event: x\nid: 7\ndata: a\n\n", &["a"]),
            ("data:  a\n\n", &[" a"]),
            ("data:\n\n", &[""]),
            ("data: é\n\n", &["é"]),
            ("data: never ended\n", &[]),
            ("\n\n\n", &[]),
        ] {
            assert_eq!(events(&[text]), expected, "{text:?}");
            let one_by_one: Vec<String> = text.chars().map(String::from).collect();
            let one_by_one: Vec<&str> = one_by_one.iter().map(String::as_str).collect();
            assert_eq!(events(&one_by_one), expected, "{text:?} in pieces");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut decoder = SseDecoder::default();
        let line = format!("data: {}\n", "x".repeat(1_000_000));
        let refused = (0..5).find_map(|_| decoder.push(line.as_bytes()).err());
        assert_eq!(refused, Some(TooLong));
    }
}
