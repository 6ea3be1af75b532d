use aigen_ledger::{AccountFlags, AccountRequest};
use aigen_types::{AccountId, Address, Amount};

/// The ledger (asset) that holds AIGEN.
pub(crate) const LEDGER_AIGEN: u32 = 1;

/// What an account is for; its number is the account's `code` in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountKind {
    /// Where money enters: its debits are all the money there is.
    Issuance,
    /// Captured money on its way to those who earned it; zero between commands.
    Clearing,
    /// The protocol's own share.
    Protocol,
    /// Remainders, dust and slashed stake.
    Treasury,
    /// Remainders that the policy takes out of the world.
    Burned,
    /// A model provider.
    Provider,
    /// A controller developer.
    Developer,
    /// A validator's free money.
    Validator,
    /// A validator's locked money.
    Stake,
    /// What a validator laid down to be one; returned when it has left.
    Bond,
    /// Stake on its way out.
    Unbonding,
    /// What a settled epoch pays once nobody can appeal any more, and the bonds of appeals.
    Held,
    /// A controller's reserved share of this epoch.
    Escrow,
    /// What the scoring of one controller may cost in this epoch.
    ValidatorBudget,
    /// Anyone who pays: users, apps, teams.
    Customer,
}

impl AccountKind {
    /// The kind that an address of this form has.
    #[must_use]
    pub fn of(address: &Address) -> Self {
        let text = address.as_str();
        match text.split(':').next().unwrap_or(text) {
            "issuance" => Self::Issuance,
            "clearing" => Self::Clearing,
            "protocol" => Self::Protocol,
            "treasury" => Self::Treasury,
            "burned" => Self::Burned,
            "provider" => Self::Provider,
            "developer" => Self::Developer,
            "validator" => Self::Validator,
            "stake" => Self::Stake,
            "bond" => Self::Bond,
            "unbonding" => Self::Unbonding,
            "held" => Self::Held,
            "escrow" => Self::Escrow,
            "budget" => Self::ValidatorBudget,
            _ => Self::Customer,
        }
    }

    /// The ledger's number for it.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Issuance => 1,
            Self::Clearing => 2,
            Self::Protocol => 3,
            Self::Treasury => 4,
            Self::Burned => 5,
            Self::Provider => 10,
            Self::Developer => 11,
            Self::Validator => 12,
            Self::Stake => 13,
            Self::Bond => 14,
            Self::Unbonding => 15,
            Self::Held => 16,
            Self::Escrow => 20,
            Self::ValidatorBudget => 21,
            Self::Customer => 30,
        }
    }

    /// Whether people may pay from and to it by hand. The others move by rule alone.
    #[must_use]
    pub const fn is_free(self) -> bool {
        matches!(
            self,
            Self::Provider | Self::Developer | Self::Validator | Self::Customer | Self::Treasury
        )
    }
}

/// The ledger id of an address: the first 16 bytes of its BLAKE3 hash. Two of 2³²
/// addresses collide with probability 2⁻⁶⁵; an address whose id is taken by another is refused.
#[must_use]
pub fn account_id(address: &Address) -> AccountId {
    match address.as_str() {
        "clearing:calls" => CLEARING,
        "protocol" => PROTOCOL,
        named => hashed(named),
    }
}

/// Of the two accounts that every call goes through.
const CLEARING: AccountId = AccountId(0xe2e6_9dea_4e0e_3fbc_50f1_8961_d78a_09fa);
const PROTOCOL: AccountId = AccountId(0xb07b_9dc7_f5cf_0727_fc19_f4f1_ad5a_4420);

fn hashed(address: &str) -> AccountId {
    AccountId(id_of(&[b"aigen/account/v1/", address.as_bytes()]))
}

/// The first 16 bytes of the BLAKE3 hash of these parts, as an id. Hashed at once and not part by
/// part: a hasher that can take any number of parts is two kilobytes, and takes twice as long.
pub(crate) fn id_of(parts: &[&[u8]]) -> u128 {
    let bytes = parts.concat();
    first_u128(blake3::hash(&bytes))
}

/// The first 16 bytes, little-endian, forced into the range of valid ids.
pub(crate) fn first_u128(hash: blake3::Hash) -> u128 {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    u128::from_le_bytes(bytes).clamp(1, u128::MAX.saturating_sub(1))
}

/// What the ledger is asked to create for an address of this id: only the issuance account may go below zero.
pub(crate) fn account_request(id: AccountId, address: &Address) -> AccountRequest {
    let kind = AccountKind::of(address);
    let flags = match kind {
        AccountKind::Issuance => AccountFlags::default(),
        _ => AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
    };
    AccountRequest {
        id,
        ledger: LEDGER_AIGEN,
        code: kind.code(),
        flags,
        limit: Amount::ZERO,
        ..AccountRequest::default()
    }
}

/// The addresses that rules name.
pub mod addresses {
    use aigen_types::{Address, Digest, Slug};
    use alloc::format;

    fn fixed(text: &str) -> Address {
        text.parse()
            .expect("slugs and hex digits are words of addresses")
    }

    /// Where money enters.
    #[must_use]
    pub fn issuance() -> Address {
        fixed("issuance")
    }

    /// Captured money on its way.
    #[must_use]
    pub fn clearing() -> Address {
        fixed("clearing:calls")
    }

    /// The protocol's share.
    #[must_use]
    pub fn protocol() -> Address {
        fixed("protocol")
    }

    /// Remainders, dust, slashed stake.
    #[must_use]
    pub fn treasury() -> Address {
        fixed("treasury")
    }

    /// Burned remainders.
    #[must_use]
    pub fn burned() -> Address {
        fixed("burned")
    }

    /// A model provider.
    #[must_use]
    pub fn provider(name: &Slug) -> Address {
        prefixed("provider", name)
    }

    /// A controller developer.
    #[must_use]
    pub fn developer(owner: &Slug) -> Address {
        prefixed("developer", owner)
    }

    /// A validator's free money.
    #[must_use]
    pub fn validator(name: &Slug) -> Address {
        prefixed("validator", name)
    }

    /// A validator's locked money.
    #[must_use]
    pub fn stake(name: &Slug) -> Address {
        prefixed("stake", name)
    }

    /// What a validator laid down to be one.
    #[must_use]
    pub fn bond(name: &Slug) -> Address {
        prefixed("bond", name)
    }

    /// A validator's stake on its way out.
    #[must_use]
    pub fn unbonding(name: &Slug) -> Address {
        prefixed("unbonding", name)
    }

    /// What a settled epoch has yet to pay.
    #[must_use]
    pub fn held(epoch: aigen_types::Epoch) -> Address {
        fixed(&format!("held:epoch{}", epoch.0))
    }

    /// Bonds of appeals against a settled epoch.
    #[must_use]
    pub fn appeals(epoch: aigen_types::Epoch) -> Address {
        fixed(&format!("held:appeals{}", epoch.0))
    }

    /// A controller version's reserved share.
    #[must_use]
    pub fn escrow(controller: Digest) -> Address {
        fixed(&format!("escrow:controller:{controller}"))
    }

    /// What scoring a controller version may cost.
    #[must_use]
    pub fn validator_budget(controller: Digest) -> Address {
        fixed(&format!("budget:validators:{controller}"))
    }

    fn prefixed(kind: &str, name: &Slug) -> Address {
        // Any name fits: an address may be twice as long as one.
        fixed(&format!("{kind}:{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_written_down_are_those_of_their_addresses() {
        for (address, id) in [
            (addresses::clearing(), CLEARING),
            (addresses::protocol(), PROTOCOL),
        ] {
            assert_eq!(hashed(address.as_str()), id, "{address}");
            assert_eq!(account_id(&address), id);
        }
    }
}
