//! Who is in the next forward pass, and with how many tokens.

/// What one branch would like to have computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The branch's slot.
    pub slot: usize,
    /// Tokens it has to compute; at least 1.
    pub tokens: usize,
    /// Number of the last pass it was in.
    pub served: u64,
}

/// Divides `budget` tokens: everybody gets one, those served longest ago first;
/// what is left goes in equal shares to those that want more. Gives slots in
/// ascending order with the number of tokens each may feed.
pub(super) fn divide(mut wishes: Vec<Wish>, budget: usize) -> Vec<(usize, usize)> {
    wishes.sort_by_key(|wish| (wish.served, wish.slot));
    wishes.truncate(budget);
    let mut spare = budget - wishes.len();
    let mut hungry = wishes.iter().filter(|wish| wish.tokens > 1).count();
    wishes.sort_by_key(|wish| (wish.tokens, wish.slot));
    let mut shares: Vec<(usize, usize)> = wishes
        .iter()
        .map(|wish| {
            let extra = (wish.tokens - 1).min(spare.div_ceil(hungry.max(1)));
            spare -= extra;
            hungry -= usize::from(wish.tokens > 1);
            (wish.slot, 1 + extra)
        })
        .collect();
    shares.sort_unstable();
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each wish is (tokens, last pass); the result is the tokens given to each.
    fn check(budget: usize, wishes: &[(usize, u64)], expected: &[usize]) {
        let wishes: Vec<Wish> = wishes
            .iter()
            .enumerate()
            .map(|(slot, &(tokens, served))| Wish {
                slot,
                tokens,
                served,
            })
            .collect();
        let mut given = vec![0; wishes.len()];
        for (slot, tokens) in divide(wishes.clone(), budget) {
            given[slot] = tokens;
        }
        assert_eq!(given, expected, "budget {budget}, wishes {wishes:?}");
    }

    #[test]
    fn budgets_are_divided() {
        check(8, &[], &[]);
        check(8, &[(1, 0)], &[1]);
        check(8, &[(100, 0)], &[8]);
        check(8, &[(1, 0), (100, 0), (1, 0)], &[1, 6, 1]);
        // Two readers share equally; what one does not need the other gets.
        check(10, &[(100, 0), (100, 0)], &[5, 5]);
        check(10, &[(100, 0), (2, 0)], &[8, 2]);
        check(9, &[(1, 0), (100, 0), (100, 0)], &[1, 4, 4]);
        // Too small for all: those served longest ago come first.
        check(2, &[(1, 5), (1, 3), (1, 4)], &[0, 1, 1]);
        check(1, &[(50, 5), (50, 3)], &[0, 1]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_exceeded(
            budget in 1_usize..64,
            wishes in proptest::collection::vec((1_usize..100, 0_u64..5), 0..20),
        ) {
            let all: Vec<Wish> = wishes
                .iter()
                .enumerate()
                .map(|(slot, &(tokens, served))| Wish { slot, tokens, served })
                .collect();
            let wanted: usize = wishes.iter().map(|wish| wish.0).sum();
            let shares = divide(all, budget);
            let given: usize = shares.iter().map(|share| share.1).sum();
            proptest::prop_assert_eq!(given, wanted.min(budget));
            for (slot, tokens) in shares {
                proptest::prop_assert!((1..=wishes[slot].0).contains(&tokens));
            }
        }
    }
}
