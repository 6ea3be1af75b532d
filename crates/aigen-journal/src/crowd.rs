//! How many are at work, by what the thread that writes sees of them.

/// Those who wait for a record and those whose calls are open, at the end of a record. Who was answered a moment ago and
/// is about to ask again is neither, so that it is forgotten slowly how many there were: a quarter of them a record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Crowd(usize);

impl Crowd {
    /// So many are there at the end of a record.
    pub fn counted(&mut self, there: usize) {
        self.0 = there.max(self.0 - self.0.div_ceil(4));
    }

    /// Whether so many are half of all. A record that waits for more leaves nobody who works while it is made durable: with
    /// 16 clients, of whom nearly all shared each record, two processors were idle for 14 to 25 % of their time.
    pub fn is_half(self, waiting: usize) -> bool {
        waiting >= self.0.div_ceil(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many there were record by record, and how many of those who are there now are enough.
    #[test]
    fn half_of_those_who_were_there_lately_are_enough() {
        for (counts, enough) in [
            (&[][..], 0),
            (&[1], 1),
            (&[4], 2),
            (&[5], 3),
            (&[16], 8),
            // Half of them were answered and have not asked again.
            (&[16, 8], 6),
            (&[16, 12, 16], 8),
            // The others have gone.
            (&[64, 4, 4, 4, 4, 4], 8),
            (&[64, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4], 2),
            (&[3, 0, 0, 0], 0),
        ] {
            let mut crowd = Crowd::default();
            counts.iter().for_each(|there| crowd.counted(*there));
            let least = (0..).find(|waiting| crowd.is_half(*waiting));
            assert_eq!(least, Some(enough), "{counts:?}");
        }
    }
}
