//! How far opening a model has come: its file is read for the digest first, and loaded then.

use std::io::{self, Read};

/// Hears it in whole per cent, each once and rising up to 100, on the thread that opens.
pub type OnProgress = Box<dyn FnMut(u8) + Send>;

/// What was told of it.
pub(crate) struct Progress {
    tell: OnProgress,
    told: Option<u8>,
}

/// Of reading the file; the rest is of loading it.
const READING_PERCENT: f32 = 50.0;

impl Progress {
    pub fn new(tell: OnProgress) -> Self {
        Self { tell, told: None }
    }

    /// Nobody asks.
    pub fn unheard() -> Self {
        Self::new(Box::new(|_| {}))
    }

    /// So much of the file was read, of 1.
    fn reads(&mut self, part: f32) {
        self.at(part * READING_PERCENT);
    }

    /// So much of it is loaded, of 1.
    pub fn loads(&mut self, part: f32) {
        self.at(READING_PERCENT + part * (100.0 - READING_PERCENT));
    }

    fn at(&mut self, percent: f32) {
        let percent = percent.clamp(0.0, 100.0) as u8;
        if self.told.is_none_or(|told| percent > told) {
            self.told = Some(percent);
            (self.tell)(percent);
        }
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
        self.progress.reads(part as f32);
        Ok(count)
    }
}
