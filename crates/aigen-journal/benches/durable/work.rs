//! What everyone has to do: transfers among a thousand accounts.

/// Accounts that pay each other.
pub const ACCOUNTS: u64 = 1_000;

/// What each account begins with: enough for everything it is asked to pay.
pub const OPENING: u64 = 1 << 40;

/// One unit from one account to another.
#[derive(Clone, Copy)]
pub struct Transfer {
    pub id: u128,
    pub from: u64,
    pub to: u64,
}

/// Transfers with ids in no order, as ids that clients draw are.
pub fn transfers(count: usize) -> Vec<Transfer> {
    let transfer = |n: u64| {
        let from = mix(n) % ACCOUNTS;
        Transfer {
            id: u128::from(mix(n)) << 64 | u128::from(n + 1),
            from,
            to: (from + 1 + mix(!n) % (ACCOUNTS - 1)) % ACCOUNTS,
        }
    };
    (0..count as u64).map(transfer).collect()
}

/// The finaliser of `SplitMix64`.
fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
