//! Who is in the next forward pass, and with how many tokens.

use super::memory::Tenant;

/// What one branch would like to have computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The branch's slot.
    pub slot: usize,
    /// Who it belongs to.
    pub tenant: Tenant,
    /// Tokens it has to compute; at least 1.
    pub tokens: usize,
    /// Number of the last pass it was in.
    pub served: u64,
}

/// Divides `budget` tokens: everybody gets one, those served longest ago first;
/// what is left goes in equal shares to the tenants that want more, and in equal
/// shares to the branches of each. Gives slots in ascending order with the number
/// of tokens each may feed.
pub(super) fn divide(mut wishes: Vec<Wish>, budget: usize) -> Vec<(usize, usize)> {
    wishes.sort_by_key(|wish| (wish.served, wish.slot));
    wishes.truncate(budget);
    let spare = budget - wishes.len();
    wishes.sort_by_key(|wish| (wish.tenant, wish.slot));
    let mut shares = Vec::with_capacity(wishes.len());
    let tenants: Vec<&[Wish]> = wishes.chunk_by(|a, b| a.tenant == b.tenant).collect();
    let more = |wish: &Wish| wish.tokens - 1;
    let wanted: Vec<usize> = tenants
        .iter()
        .map(|own| own.iter().map(more).sum())
        .collect();
    for (own, spare) in tenants.into_iter().zip(fill(&wanted, spare)) {
        let wanted: Vec<usize> = own.iter().map(more).collect();
        let extra = fill(&wanted, spare);
        shares.extend(
            own.iter()
                .zip(extra)
                .map(|(wish, extra)| (wish.slot, 1 + extra)),
        );
    }
    shares.sort_unstable();
    shares
}

/// Equal shares of `spare` for those who want so much, none more than it wants.
fn fill(wanted: &[usize], mut spare: usize) -> Vec<usize> {
    let mut shares = vec![0; wanted.len()];
    let mut order: Vec<usize> = (0..wanted.len()).filter(|&one| wanted[one] > 0).collect();
    order.sort_by_key(|&one| (wanted[one], one));
    let mut left = order.len();
    for one in order {
        shares[one] = wanted[one].min(spare.div_ceil(left));
        spare -= shares[one];
        left -= 1;
    }
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
                tenant: 0,
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

    #[test]
    fn a_tenant_with_many_readers_has_one_share() {
        let wish = |slot, tenant| Wish {
            slot,
            tenant,
            tokens: 100,
            served: 0,
        };
        let wishes = vec![wish(0, 7), wish(1, 7), wish(2, 7), wish(3, 8)];
        let shares = divide(wishes, 4 + 30);
        assert_eq!(shares, [(0, 6), (1, 6), (2, 6), (3, 16)]);
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
                .map(|(slot, &(tokens, served))| Wish { slot, tenant: slot as u64 % 3, tokens, served })
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
