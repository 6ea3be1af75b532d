//! From id to slot: a table of open addressing with linear probing.
//!
//! Ids come scattered (they are derived by hashing), which is the worst case of an ordered tree:
//! the four million transfers of `benches/transfers.rs` took 3.1 s of processor time with this table
//! and 6.3 s with `BTreeMap`. It is never iterated, so its layout cannot show in any answer.
//!
//! Whoever chooses raw ids and knows the mixing can make a table slow, never wrong. A key that he
//! does not know takes that from him: of two given ids, at most one in 2⁶² keys gives both one hash
//! (multiplication by a random odd number is a universal family; Dietzfelbinger et al., 1997).

use alloc::vec::Vec;
use core::mem;

const PLACES_MIN: usize = 16;

#[derive(Clone, Debug)]
pub(crate) struct Index {
    /// A power of two of them, or none; at most three in four are taken.
    places: Vec<Place>,
    taken: usize,
    /// Odd, so that no two ids are mixed into one.
    factor: u128,
}

/// 2¹²⁸ over the golden ratio: ids in rising order spread evenly.
const FACTOR: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

impl Default for Index {
    fn default() -> Self {
        Self::keyed(FACTOR)
    }
}

/// Sixteen bytes, so that four share a cache line. The id itself stays with its record: two ids of
/// equal 64-bit hash are too rare to pay for.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Odd when taken, zero when free.
    hash: u64,
    slot: usize,
}

impl Index {
    /// An empty one that mixes by this key.
    pub fn keyed(key: u128) -> Self {
        Self {
            places: Vec::new(),
            taken: 0,
            factor: key | 1,
        }
    }

    /// What it mixes by.
    pub fn key(&self) -> u128 {
        self.factor
    }

    /// One of these ids, each at its place in the row.
    pub fn of(key: u128, ids: impl Iterator<Item = u128>) -> Self {
        let mut index = Self::keyed(key);
        ids.enumerate()
            .for_each(|(slot, id)| index.insert(id, slot));
        index
    }

    /// The slot of `id`, where `has_id` says whether a slot holds it.
    pub fn find(&self, id: u128, has_id: impl Fn(usize) -> bool) -> Option<usize> {
        if self.taken == 0 {
            return None;
        }
        let hash = self.hash(id);
        let mut at = self.home(hash);
        loop {
            let place = self.places[at];
            if place.hash == 0 {
                return None;
            }
            if place.hash == hash && has_id(place.slot) {
                return Some(place.slot);
            }
            at = self.after(at);
        }
    }

    /// Adds an id that is not there yet.
    pub fn insert(&mut self, id: u128, slot: usize) {
        if self.is_crowded() {
            self.grow();
        }
        self.put(Place {
            hash: self.hash(id),
            slot,
        });
        self.taken = self.taken.saturating_add(1);
    }

    /// Takes out an id that is there.
    pub fn remove(&mut self, id: u128, slot: usize) {
        let mut hole = self.home(self.hash(id));
        while self.places[hole].slot != slot || self.places[hole].hash == 0 {
            hole = self.after(hole);
        }
        // Whatever was pushed past the hole moves back, or its search would end there.
        let mut at = self.after(hole);
        while self.places[at].hash != 0 {
            let home = self.home(self.places[at].hash);
            if self.distance(home, at) >= self.distance(hole, at) {
                self.places[hole] = self.places[at];
                hole = at;
            }
            at = self.after(at);
        }
        self.places[hole] = Place::default();
        self.taken = self.taken.saturating_sub(1);
    }

    fn is_crowded(&self) -> bool {
        self.taken.saturating_mul(4) >= self.places.len().saturating_mul(3)
    }

    fn grow(&mut self) {
        let count = self.places.len().saturating_mul(2).max(PLACES_MIN);
        let old = mem::replace(&mut self.places, alloc::vec![Place::default(); count]);
        // A home is the hash's top bits, so both tables are walked from front to back.
        old.into_iter()
            .filter(|place| place.hash != 0)
            .for_each(|place| self.put(place));
    }

    fn put(&mut self, place: Place) {
        let mut at = self.home(place.hash);
        while self.places[at].hash != 0 {
            at = self.after(at);
        }
        self.places[at] = place;
    }

    fn home(&self, hash: u64) -> usize {
        let bits = self.places.len().trailing_zeros();
        let home = hash.unbounded_shr(u64::BITS.saturating_sub(bits));
        usize::try_from(home).expect("a home is below the number of places")
    }

    fn after(&self, at: usize) -> usize {
        at.wrapping_add(1) & self.places.len().wrapping_sub(1)
    }

    /// Multiplicative hashing: the top bits depend on all of the id.
    pub fn hash(&self, id: u128) -> u64 {
        let mixed = (id ^ (id >> 64)).wrapping_mul(self.factor);
        let top = u64::try_from(mixed >> 64).expect("64 of 128 bits are left");
        top | 1
    }

    /// Steps from `from` forward to `to`.
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.places.len().wrapping_sub(1)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    /// An index beside the records that it points to, the way the store uses it.
    #[derive(Default)]
    struct Library {
        ids: Vec<u128>,
        index: Index,
    }

    impl Library {
        fn find(&self, id: u128) -> Option<usize> {
            self.index.find(id, |slot| self.ids[slot] == id)
        }
    }

    proptest! {
        #[test]
        fn finds_what_a_map_finds(steps in prop::collection::vec((any::<bool>(), 0_u128..64, 0..3_u32), 0..400)) {
            let mut library = Library::default();
            let mut map = BTreeMap::new();
            for (adds, number, shift) in steps {
                // Ids that differ in their low, middle or high bits only.
                let id = number.wrapping_add(1) << (shift * 56);
                match (adds, map.get(&id).copied()) {
                    (true, None) => {
                        map.insert(id, library.ids.len());
                        library.index.insert(id, library.ids.len());
                        library.ids.push(id);
                    }
                    (false, Some(slot)) => {
                        map.remove(&id);
                        library.index.remove(id, slot);
                    }
                    _ => {}
                }
                prop_assert_eq!(library.find(id), map.get(&id).copied());
            }
            prop_assert_eq!(library.index.taken, map.len());
            for id in &library.ids {
                prop_assert_eq!(library.find(*id), map.get(id).copied());
            }
        }
    }

    #[test]
    fn spreads_rising_and_shifted_ids() {
        for shift in [0, 32, 64, 100] {
            let mut index = Index::default();
            (0..1_000_u128).for_each(|n| index.insert(n << shift, 0));
            let strays = index.places.iter().enumerate().filter(|(at, place)| {
                place.hash != 0 && index.distance(index.home(place.hash), *at) > 16
            });
            assert_eq!(strays.count(), 0, "shift {shift}");
        }
    }

    #[test]
    fn a_key_parts_what_another_lumps_together() {
        // Multiplied by one, small ids differ only in the half that is not looked at.
        let hashes = |key| {
            let index = Index::keyed(key);
            let mut hashes: Vec<_> = (1..=64).map(|id| index.hash(id)).collect();
            hashes.sort_unstable();
            hashes.dedup();
            hashes.len()
        };
        assert_eq!(hashes(1), 1);
        assert_eq!(hashes(FACTOR), 64);
        assert_eq!(hashes(FACTOR.rotate_left(40)), 64);
    }
}
