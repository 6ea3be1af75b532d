//! From hash to place on a shelf, for ids that are too many for memory: what an [`Index`](super::index::Index)
//! is in memory. Pages of 256 entries, found by the first bits of the hash (extendible hashing; Fagin
//! et al., 1979): a full page is parted in two, so that no insertion ever moves more than a page. What
//! stays in memory is two bytes for each entry. Looking one up is one read; of those that are not there 22 in
//! 23 are known by the marks of their page without one, and nearly all that are looked up are new.

use super::push;
use crate::Shelf;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

const ENTRIES: usize = if cfg!(test) { 4 } else { 256 };

/// Entries of a page that are written together.
const TOGETHER: usize = if cfg!(test) { 2 } else { 8 };
const ENTRY_BYTES: usize = 16;
const PAGE_BYTES: usize = ENTRIES * ENTRY_BYTES;

/// A page's marks, 64 in each.
const MARK_WORDS: usize = 24;

/// Leads there may be for each page. Scattered hashes need two to eight; whoever found ids whose hashes
/// begin alike would otherwise have the leads doubled until memory is full.
const LEADS_EACH: usize = 64;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Entry {
    hash: u64,
    place: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Page {
    /// Those on the shelf.
    entries: u16,
    /// Those that wait to be written.
    waiting: u8,
    /// The first bits that its hashes have in common.
    bits: u8,
}

impl Page {
    fn entries(self) -> usize {
        usize::from(self.entries)
    }

    fn waiting(self) -> usize {
        usize::from(self.waiting)
    }
}

/// Two bits for each entry of a page, at places that its hash gives (Bloom, 1970): with 180 entries, as a page has
/// by and large, 21 % of 1,536 are set, and both of an entry that is not there are in 4 % of all cases.
#[derive(Clone, Copy, Debug, Default)]
struct Marks([u64; MARK_WORDS]);

impl Marks {
    /// The first bits of a hash lead to its page: of those of one page only the last differ.
    fn places(hash: u64) -> [(usize, u64); 2] {
        [hash, hash >> 16].map(|bits| {
            let place = (bits & 0xffff).wrapping_mul(wide(MARK_WORDS) << 6) >> 16;
            let bit = 1_u64.unbounded_shl(u32::try_from(place & 63).unwrap_or_default());
            (index(place >> 6), bit)
        })
    }

    fn set(&mut self, hash: u64) {
        for (word, bit) in Self::places(hash) {
            self.0[word] |= bit;
        }
    }

    fn may_have(&self, hash: u64) -> bool {
        let mut places = Self::places(hash).into_iter();
        places.all(|(word, bit)| self.0[word] & bit != 0)
    }
}

#[derive(Debug)]
pub(super) struct Catalogue {
    shelf: Arc<dyn Shelf>,
    pages: Vec<Page>,
    /// Of every page.
    marks: Vec<Marks>,
    /// Of every page, the first of them.
    waiting: Vec<[Entry; TOGETHER]>,
    /// The page of every beginning of a hash.
    leads: Vec<u32>,
    /// How long a beginning is.
    bits: u8,
    /// Entries whose page is full and may not be parted.
    crowd: BTreeSet<(u64, usize)>,
}

impl Catalogue {
    pub fn on(shelf: Arc<dyn Shelf>) -> Self {
        Self {
            shelf,
            pages: alloc::vec![Page::default()],
            marks: alloc::vec![Marks::default()],
            waiting: alloc::vec![Default::default()],
            leads: alloc::vec![0],
            bits: 0,
            crowd: BTreeSet::new(),
        }
    }

    /// The place entered under `hash` for which `is_it` says so.
    pub fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let number = self.page_of(hash);
        let mut found = self.in_memory(number, hash).filter(|place| is_it(*place));
        found.next().or_else(|| {
            let marked = self.marks[number].may_have(hash);
            marked.then(|| self.find_shelved(number, hash, &is_it))?
        })
    }

    fn find_shelved(
        &self,
        number: usize,
        hash: u64,
        is_it: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut bytes = [0; PAGE_BYTES];
        let mut entries = self.shelved(number, &mut bytes);
        let found = entries.find(|entry| entry.hash == hash && is_it(index(entry.place)))?;
        Some(index(found.place))
    }

    /// The places under `hash` that are not on the shelf.
    fn in_memory(&self, number: usize, hash: u64) -> impl Iterator<Item = usize> {
        let waiting = &self.waiting[number][..self.pages[number].waiting()];
        let waiting = waiting.iter().filter(move |entry| entry.hash == hash);
        let crowded = self.crowd.range((hash, 0)..=(hash, usize::MAX));
        let waiting = waiting.map(|entry| index(entry.place));
        waiting.chain(crowded.map(|(_, place)| *place))
    }

    pub fn insert(&mut self, hash: u64, place: usize) {
        loop {
            let number = self.page_of(hash);
            let page = self.pages[number];
            if page.entries().saturating_add(page.waiting()) < ENTRIES {
                let place = wide(place);
                return self.put(number, Entry { hash, place });
            }
            if !self.part(number, hash) {
                self.crowd.insert((hash, place));
                return;
            }
        }
    }

    /// Adds an entry to a page that has room, and writes those that wait once there are enough.
    fn put(&mut self, number: usize, entry: Entry) {
        self.marks[number].set(entry.hash);
        let page = &mut self.pages[number];
        let waiting = &mut self.waiting[number];
        waiting[page.waiting()] = entry;
        page.waiting = page.waiting.saturating_add(1);
        if page.waiting() == TOGETHER {
            let bytes = waiting.map(to_bytes);
            self.shelf
                .write(at(number, page.entries()), bytes.as_flattened());
            page.entries = page.entries.saturating_add(page.waiting.into());
            page.waiting = 0;
        }
    }

    /// Parts a full page, that of `hash`, by the next bit; not, if that takes too many leads.
    fn part(&mut self, number: usize, hash: u64) -> bool {
        let bits = self.pages[number].bits;
        if bits == self.bits && !self.double() {
            return false;
        }
        let mut bytes = [0; PAGE_BYTES];
        let waiting = self.waiting[number];
        let waiting = waiting.iter().take(self.pages[number].waiting());
        let entries = self.shelved(number, &mut bytes).chain(waiting.copied());
        let next_bit = 1_u64.unbounded_shl(u32::from(63_u8.saturating_sub(bits)));
        let (ones, zeros): (Vec<_>, Vec<_>) = entries.partition(|entry| entry.hash & next_bit != 0);
        let other = self.pages.len();
        let bits_of_both = bits.saturating_add(1);
        push(&mut self.pages, Page::default());
        push(&mut self.marks, Marks::default());
        push(&mut self.waiting, Default::default());
        for (page, entries) in [(number, zeros), (other, ones)] {
            self.pages[page] = Page {
                entries: u16::try_from(entries.len()).expect("no more than a page has"),
                waiting: 0,
                bits: bits_of_both,
            };
            self.marks[page] = Marks::default();
            for entry in &entries {
                self.marks[page].set(entry.hash);
            }
            let bytes: Vec<u8> = entries.into_iter().flat_map(to_bytes).collect();
            self.shelf.write(at(page, 0), &bytes);
        }
        let leads = self.leads_of(hash | next_bit, bits_of_both);
        let other = u32::try_from(other).expect("2³² pages are 16 TB");
        self.leads[leads].fill(other);
        true
    }

    fn double(&mut self) -> bool {
        if self.leads.len() >= self.pages.len().saturating_mul(LEADS_EACH) {
            return false;
        }
        let twice = self.leads.iter().flat_map(|lead| [*lead, *lead]);
        self.leads = twice.collect();
        self.bits = self.bits.saturating_add(1);
        true
    }

    /// Where the leads of all hashes are that begin with as many bits as this one.
    fn leads_of(&self, hash: u64, bits: u8) -> core::ops::Range<usize> {
        let beyond = u32::from(self.bits.saturating_sub(bits));
        let first = first_bits(hash, bits).unbounded_shl(beyond);
        let count = 1_usize.unbounded_shl(beyond);
        first..first.saturating_add(count)
    }

    fn page_of(&self, hash: u64) -> usize {
        let lead = self.leads[first_bits(hash, self.bits)];
        usize::try_from(lead).expect("a page has a number of 32 bits")
    }

    fn shelved<'a>(
        &self,
        number: usize,
        bytes: &'a mut [u8; PAGE_BYTES],
    ) -> impl Iterator<Item = Entry> + use<'a> {
        let taken = self.pages[number].entries().saturating_mul(ENTRY_BYTES);
        let bytes = &mut bytes[..taken];
        self.shelf.read(at(number, 0), bytes);
        let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
        entries.iter().map(from_bytes)
    }
}

fn first_bits(hash: u64, bits: u8) -> usize {
    index(hash.unbounded_shr(64_u32.saturating_sub(u32::from(bits))))
}

fn at(page: usize, entry: usize) -> u64 {
    let page = wide(page).saturating_mul(wide(PAGE_BYTES));
    page.saturating_add(wide(entry).saturating_mul(wide(ENTRY_BYTES)))
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).expect("a machine's numbers have at most 64 bits")
}

fn index(number: u64) -> usize {
    usize::try_from(number).expect("it was one")
}

fn to_bytes(Entry { hash, place }: Entry) -> [u8; ENTRY_BYTES] {
    (u128::from(place) << 64 | u128::from(hash)).to_le_bytes()
}

fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Entry {
    let [hash, place] = [0, 8].map(|at| {
        let half = bytes.get(at..).and_then(|half| half.first_chunk());
        u64::from_le_bytes(*half.expect("two halves of eight bytes"))
    });
    Entry { hash, place }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::as_conversions)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    proptest! {
        /// Scattered hashes, and such as begin alike.
        #[test]
        fn finds_what_a_map_finds(
            hashes in prop::collection::vec((any::<u64>(), 0..3_u32, 0..5_u64), 0..600),
        ) {
            let mut catalogue = Catalogue::on(crate::tests::shelf());
            let mut map: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
            for (place, (scattered, shift, few)) in hashes.into_iter().enumerate() {
                let hash = if shift == 0 { scattered } else { few << (shift * 20) };
                catalogue.insert(hash, place);
                map.entry(hash).or_default().push(place);
            }
            for (hash, places) in &map {
                for place in places {
                    prop_assert_eq!(catalogue.find(*hash, |found| found == *place), Some(*place));
                }
                prop_assert_eq!(catalogue.find(*hash, |_| false), None);
                prop_assert_eq!(catalogue.find(hash ^ 1 << 50, |place| places.contains(&place)), None);
            }
            prop_assert!(catalogue.leads.len() <= catalogue.pages.len() * LEADS_EACH * 2);
        }
    }

    /// Of hashes that are not there, in pages that are as full as they come.
    #[test]
    fn most_that_are_not_there_are_known_by_the_marks() {
        let scattered = |number: u64| {
            let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed ^ mixed >> 31).wrapping_mul(0x94d0_49bb_1331_11eb)
        };
        let unknown = |entries: u64| {
            let mut marks = Marks::default();
            (1..=entries).for_each(|number| marks.set(scattered(number)));
            assert!((1..=entries).all(|number| marks.may_have(scattered(number))));
            let others =
                (entries + 1..=entries + 10_000).filter(|n| !marks.may_have(scattered(*n)));
            others.count()
        };
        assert!(unknown(180) > 9_400, "{}", unknown(180));
        assert!(unknown(256) > 9_000, "{}", unknown(256));
    }

    #[test]
    fn scattered_hashes_crowd_no_page_and_need_few_leads() {
        let mut catalogue = Catalogue::on(crate::tests::shelf());
        for place in 0..20_000_usize {
            catalogue.insert(
                (place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
                place,
            );
        }
        assert!(catalogue.crowd.is_empty());
        assert!(catalogue.leads.len() <= catalogue.pages.len() * 8);
    }
}
