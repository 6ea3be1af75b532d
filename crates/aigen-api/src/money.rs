//! How amounts and times look on the wire.

use aigen_types::{Amount, Epoch, Timestamp};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// An [`Amount`] as a decimal string of nano-AIGEN: `"1500000000"`.
pub(crate) mod nano {
    use super::{Amount, Deserializer, Error, Serializer};

    pub(crate) fn serialize<S: Serializer>(amount: &Amount, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&amount.nano())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Amount, D::Error> {
        let text: String = serde::Deserialize::deserialize(from)?;
        // `u128::from_str` would also take a plus sign.
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let nano = digits.then(|| text.parse().ok()).flatten();
        nano.map(Amount::from_nano)
            .ok_or_else(|| D::Error::custom("expected a count of nano-AIGEN as a decimal string"))
    }
}

/// Declares how one amount becomes two keys of the object around it:
/// `#[serde(flatten, with = "money::available")] available: Amount`.
macro_rules! pair {
    ($($field:ident, $nano:literal, $aigen:literal;)*) => {
        $(pub(crate) mod $field {
            use aigen_types::Amount;
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            #[derive(Serialize)]
            struct Written {
                #[serde(rename = $nano, with = "super::nano")]
                nano: Amount,
                #[serde(rename = $aigen, with = "crate::text")]
                aigen: Amount,
            }

            /// Only the exact field is read; the other one is for people.
            #[derive(Deserialize)]
            struct Read {
                #[serde(rename = $nano, with = "super::nano")]
                nano: Amount,
            }

            pub(crate) fn serialize<S: Serializer>(
                amount: &Amount,
                to: S,
            ) -> Result<S::Ok, S::Error> {
                Written { nano: *amount, aigen: *amount }.serialize(to)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<Amount, D::Error> {
                Read::deserialize(from).map(|read| read.nano)
            }
        })*
    };
}

pair! {
    active_stake, "active_stake_nano", "active_stake";
    amount, "amount_nano", "amount";
    available, "available_nano", "available";
    burned, "burned_nano", "burned";
    cap, "cap_nano", "cap";
    charged, "charged_nano", "charged";
    cost, "cost_nano", "cost";
    earned, "earned_nano", "earned";
    fee, "fee_nano", "fee";
    fees, "fees_nano", "fees";
    given_back, "given_back_nano", "given_back";
    margin, "margin_nano", "margin";
    escrowed, "escrowed_nano", "escrowed";
    spent, "spent_nano", "spent";
    held, "held_nano", "held";
    least, "least_nano", "least";
    most, "most_nano", "most";
    pay, "pay_nano", "pay";
    protocol, "protocol_nano", "protocol";
    per_download, "per_download_nano", "per_download";
    per_hit, "per_hit_nano", "per_hit";
    per_row, "per_row_nano", "per_row";
    payout, "payout_nano", "payout";
    posted, "posted_nano", "posted";
    remainder, "remainder_nano", "remainder";
    slash, "slash_nano", "slash";
    stake, "stake_nano", "stake";
    total, "total_nano", "total";
    treasury, "treasury_nano", "treasury";
    unit_price, "unit_price_nano", "unit_price";
}

/// A [`Timestamp`] as nanoseconds since the Unix epoch, a JSON integer.
pub(crate) mod time {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    pub(crate) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(at.0)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        u64::deserialize(from).map(Timestamp)
    }
}

/// An [`Epoch`] as its number.
pub(crate) mod epoch {
    use super::{Deserialize, Deserializer, Epoch, Serializer};

    pub(crate) fn serialize<S: Serializer>(epoch: &Epoch, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(epoch.0)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Epoch, D::Error> {
        u64::deserialize(from).map(Epoch)
    }
}

/// A point in time that may be missing.
pub(crate) mod time_option {
    use aigen_types::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(|at| at.0).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Timestamp))
    }
}
