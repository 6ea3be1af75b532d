/// A place in the list of transfers, or none, in the padding that a record has anyway: two of these
/// cost it nothing. Six bytes count further than any memory reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link([u8; 6]);

impl Link {
    pub const NONE: Self = Self([u8::MAX; 6]);

    pub fn to(slot: usize) -> Self {
        let slot = u64::try_from(slot).expect("places have at most 64 bits");
        let [a, b, c, d, e, f, 0, 0] = slot.to_le_bytes() else {
            return Self::NONE;
        };
        Self([a, b, c, d, e, f])
    }

    pub fn bytes(self) -> [u8; 6] {
        self.0
    }

    pub fn of(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    pub fn slot(self) -> Option<usize> {
        let [a, b, c, d, e, f] = self.0;
        let slot = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
        (self != Self::NONE).then(|| usize::try_from(slot).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Record;

    #[test]
    fn links_lead_back() {
        for slot in [0, 1, 255, 1 << 20, (1 << 40) + 7] {
            assert_eq!(Link::to(slot).slot(), Some(slot));
        }
        assert_eq!(Link::NONE.slot(), None);
    }

    #[test]
    fn a_record_has_room_for_them() {
        assert_eq!(size_of::<Record>(), size_of::<crate::Transfer>() + 16);
    }
}
