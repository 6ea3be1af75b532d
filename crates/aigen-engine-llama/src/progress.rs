//! How far opening a model has come: its file is read for the digest first, and loaded then.

use std::io::{self, Read};
use std::ops::ControlFlow;

/// Hears it in whole per cent, each once and rising up to 100, on the thread that opens; nothing more is
/// opened once it breaks.
pub type OnProgress = Box<dyn FnMut(u8) -> ControlFlow<()> + Send>;

/// What was told of it.
pub(crate) struct Progress {
    tell: OnProgress,
    told: Option<u8>,
    /// What came of the last telling.
    flow: ControlFlow<()>,
}

/// What a reader says whom nobody wants to read on.
#[derive(Debug, thiserror::Error)]
#[error("nobody wants it any more")]
pub(crate) struct GivenUp;

/// Of reading the file; the rest is of loading it.
const READING_PERCENT: f32 = 50.0;

impl Progress {
    pub fn new(tell: OnProgress) -> Self {
        Self {
            tell,
            told: None,
            flow: ControlFlow::Continue(()),
        }
    }

    /// Nobody asks.
    pub fn unheard() -> Self {
        Self::new(Box::new(|_| ControlFlow::Continue(())))
    }

    /// So much of the file was read, of 1.
    fn reads(&mut self, part: f32) -> ControlFlow<()> {
        self.at(part * READING_PERCENT)
    }

    /// So much of it is loaded, of 1.
    pub fn loads(&mut self, part: f32) -> ControlFlow<()> {
        self.at(READING_PERCENT + part * (100.0 - READING_PERCENT))
    }

    fn at(&mut self, percent: f32) -> ControlFlow<()> {
        let percent = percent.clamp(0.0, 100.0) as u8;
        if self.flow.is_continue() && self.told.is_none_or(|told| percent > told) {
            self.told = Some(percent);
            self.flow = (self.tell)(percent);
        }
        self.flow
    }
}

/// A file of this length that tells how much of it was read.
pub(crate) struct Reading<'a, R> {
    pub file: R,
    pub length: u64,
    pub read: u64,
    pub progress: &'a mut Progress,
}

impl<R: Read> Read for Reading<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read += count as u64;
        let part = self.read as f64 / self.length.max(1) as f64;
        match self.progress.reads(part as f32) {
            ControlFlow::Continue(()) => Ok(count),
            ControlFlow::Break(()) => Err(io::Error::other(GivenUp)),
        }
    }
}
