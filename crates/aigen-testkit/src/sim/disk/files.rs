use super::SECTOR_BYTES;
use crate::sim::random::Random;
use std::collections::BTreeMap;

/// Files by number, and two views of their names: the one programs see, and the one that
/// survives.
#[derive(Debug, Default)]
pub(super) struct Files {
    files: BTreeMap<u64, File>,
    created: u64,
    names: BTreeMap<String, u64>,
    safe_names: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct File {
    /// What programs read.
    visible: Vec<u8>,
    /// What a power cut leaves for sure.
    safe: Vec<u8>,
    /// What leads from one to the other, oldest first.
    unsynced: Vec<Piece>,
}

/// A change that happens whole or not at all.
#[derive(Debug)]
enum Piece {
    Write { offset: usize, data: Vec<u8> },
    Truncate { size: usize },
}

impl Files {
    pub fn find(&self, name: &str) -> Option<u64> {
        self.names.get(name).copied()
    }

    /// A new empty file.
    pub fn create(&mut self, name: &str) -> u64 {
        self.created += 1;
        self.files.insert(self.created, File::default());
        self.names.insert(name.to_owned(), self.created);
        self.created
    }

    /// Takes the name away; whoever has the file open keeps it. Whether it was there.
    pub fn unlink(&mut self, name: &str) -> bool {
        self.names.remove(name).is_some()
    }

    pub fn size(&self, file: u64) -> usize {
        self.files.get(&file).map_or(0, |file| file.visible.len())
    }

    /// How many bytes there were to read.
    pub fn read(&self, file: u64, offset: usize, into: &mut [u8]) -> usize {
        let file = self.files.get(&file);
        let rest = file.and_then(|file| file.visible.get(offset..));
        let rest = rest.unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        count
    }

    pub fn write(&mut self, file: u64, offset: usize, data: &[u8]) {
        let mut offset = offset;
        let mut data = data;
        while !data.is_empty() {
            let room = SECTOR_BYTES - offset % SECTOR_BYTES;
            let (piece, rest) = data.split_at(room.min(data.len()));
            self.change(
                file,
                Piece::Write {
                    offset,
                    data: piece.to_vec(),
                },
            );
            offset += piece.len();
            data = rest;
        }
    }

    pub fn truncate(&mut self, file: u64, size: usize) {
        self.change(file, Piece::Truncate { size });
    }

    fn change(&mut self, file: u64, piece: Piece) {
        if let Some(file) = self.files.get_mut(&file) {
            piece.apply(&mut file.visible);
            file.unsynced.push(piece);
        }
    }

    pub fn sync(&mut self, file: u64, with_directory: bool) {
        if let Some(file) = self.files.get_mut(&file) {
            for piece in file.unsynced.drain(..) {
                piece.apply(&mut file.safe);
            }
        }
        if with_directory {
            self.safe_names = self.names.clone();
        }
    }

    /// Some pieces reach the medium. The others stay visible, and no later sync writes them.
    pub fn fail_sync(&mut self, file: u64, random: &mut Random) {
        if let Some(file) = self.files.get_mut(&file) {
            for piece in file.unsynced.drain(..) {
                if random.chance(50) {
                    piece.apply(&mut file.safe);
                }
            }
        }
    }

    /// The power goes: every unsynced piece and name is kept or lost. How many pieces were lost.
    pub fn lose_unsynced(&mut self, random: &mut Random) -> u64 {
        self.lose_names(random);
        let mut lost = 0;
        // A disk that keeps nearly all, or nearly nothing, is as real as one that keeps half.
        let kept_percent = *random.pick(&[0, 5, 50, 95, 100]);
        for file in self.files.values_mut() {
            for piece in file.unsynced.drain(..) {
                if random.chance(kept_percent) {
                    piece.apply(&mut file.safe);
                } else {
                    lost += 1;
                }
            }
            file.visible.clone_from(&file.safe);
        }
        lost
    }

    fn lose_names(&mut self, random: &mut Random) {
        let mut names = self.safe_names.clone();
        for (name, file) in &self.names {
            if names.get(name) != Some(file) && random.chance(50) {
                names.insert(name.clone(), *file);
            }
        }
        let seen = &self.names;
        names.retain(|name, _| seen.contains_key(name) || random.chance(50));
        self.names = names.clone();
        self.safe_names = names;
        let live: Vec<u64> = self.names.values().copied().collect();
        self.files.retain(|file, _| live.contains(file));
    }

    pub fn flip_bit(&mut self, name: &str, random: &mut Random) -> Option<usize> {
        let number = self.find(name)?;
        let file = self.files.get_mut(&number)?;
        let shortest = file.visible.len().min(file.safe.len());
        if shortest == 0 {
            return None;
        }
        let place = random.index(shortest);
        let bit = 1_u8 << random.below(8);
        file.visible[place] ^= bit;
        file.safe[place] ^= bit;
        Some(place)
    }
}

impl Piece {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Truncate { size } => bytes.resize(*size, 0),
            Self::Write { offset, data } => {
                let end = offset + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(data);
            }
        }
    }
}
