use aigen_types::Digest;
use std::collections::VecDeque;
use std::fmt;

/// Lines that a failure shows.
const TAIL_LINES: usize = 24;

/// What happened, line by line: hashed, so that two runs of one seed can be compared, and its
/// end kept for whoever has to understand a failure.
pub(crate) struct Trace<'a> {
    hasher: blake3::Hasher,
    tail: VecDeque<String>,
    listener: &'a mut dyn FnMut(&str),
}

impl<'a> Trace<'a> {
    /// A trace that tells `listener` every line.
    pub fn new(listener: &'a mut dyn FnMut(&str)) -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            tail: VecDeque::with_capacity(TAIL_LINES),
            listener,
        }
    }

    /// Takes down one line.
    pub fn say(&mut self, line: String) {
        self.hasher.update(line.as_bytes());
        self.hasher.update(b"\n");
        (self.listener)(&line);
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }

    /// Hash of every line so far.
    pub fn hash(&self) -> Digest {
        Digest(*self.hasher.finalize().as_bytes())
    }

    /// The last lines, oldest first.
    pub fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }
}

impl fmt::Debug for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.tail).finish()
    }
}
