/// Which sequences share which cell of an engine's cache.
///
/// A cell holds one token of every sequence that has this token at this place from a common
/// ancestor: a fork takes no cell, and a cell is free when the last of its sequences lets go.
#[derive(Debug)]
pub(crate) struct Cells {
    /// For each cell, the sequences that hold it.
    holders: Vec<u32>,
    unused: Vec<u32>,
    /// The cells of each sequence, in the order of its tokens.
    of: Vec<Vec<u32>>,
}

impl Cells {
    pub fn new(cells: u32, sequences: u32) -> Self {
        Self {
            holders: vec![0; cells as usize],
            unused: (0..cells).rev().collect(),
            of: vec![Vec::new(); sequences as usize],
        }
    }

    /// Cells there are.
    pub fn total(&self) -> usize {
        self.holders.len()
    }

    /// Cells that nobody holds.
    pub fn free(&self) -> usize {
        self.unused.len()
    }

    /// Cells that the sequence holds.
    pub fn held(&self, sequence: u32) -> usize {
        self.of[sequence as usize].len()
    }

    /// Gives the sequence `count` cells more; `false`, and nothing, if there are too few.
    pub fn append(&mut self, sequence: u32, count: usize) -> bool {
        let Some(left) = self.unused.len().checked_sub(count) else {
            return false;
        };
        for cell in self.unused.drain(left..) {
            self.holders[cell as usize] = 1;
            self.of[sequence as usize].push(cell);
        }
        true
    }

    /// Lets `to`, which holds nothing, share the first `count` cells of `from`.
    pub fn share(&mut self, from: u32, to: u32, count: usize) {
        let cells = self.of[from as usize][..count].to_vec();
        for &cell in &cells {
            self.holders[cell as usize] += 1;
        }
        self.of[to as usize] = cells;
    }

    /// Takes all but the first `count` cells from the sequence.
    pub fn truncate(&mut self, sequence: u32, count: usize) {
        let cells = &mut self.of[sequence as usize];
        let from = count.min(cells.len());
        for cell in cells.drain(from..) {
            let holders = &mut self.holders[cell as usize];
            *holders -= 1;
            if *holders == 0 {
                self.unused.push(cell);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_cell_is_free_when_the_last_lets_go() {
        let mut cells = Cells::new(10, 3);
        assert!(cells.append(0, 6));
        cells.share(0, 1, 4);
        assert_eq!(cells.free(), 4);
        assert!(!cells.append(1, 5), "only four are left");
        assert!(cells.append(1, 4));
        assert_eq!(cells.free(), 0);
        cells.truncate(0, 0);
        assert_eq!(cells.free(), 2);
        cells.truncate(1, 3);
        assert_eq!(cells.free(), 7);
        cells.truncate(1, 0);
        assert_eq!(cells.free(), 10);
    }
}
