//! Bounded integers and maps without repeated keys.

use aigen_types::PPM;
use serde::{Deserialize, Deserializer, de};
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// Amounts and stakes stay below this, so that intermediates fit `i128`.
const AMOUNT_LIMIT: u64 = 1 << 63;

pub(super) fn amount<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let amount = u64::deserialize(from)?;
    if amount < AMOUNT_LIMIT {
        Ok(amount)
    } else {
        Err(de::Error::custom("an amount must be below 2^63"))
    }
}

pub(super) fn ppm<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let parts = u64::deserialize(from)?;
    if parts <= PPM {
        Ok(parts)
    } else {
        let message = "parts per million must be between 0 and 1000000";
        Err(de::Error::custom(message))
    }
}

pub(super) fn skill<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let skill = i64::deserialize(from)?;
    if skill.unsigned_abs() <= PPM {
        Ok(skill)
    } else {
        let message = "a skill must be between -1000000 and 1000000";
        Err(de::Error::custom(message))
    }
}

/// What is there has a value: `null` is not the default.
pub(super) fn given<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(from).map(Some)
}

pub(super) fn amounts<'de, D>(from: D) -> Result<BTreeMap<String, u64>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    struct Amount(#[serde(deserialize_with = "amount")] u64);
    unique(from, |Amount(amount)| amount)
}

pub(super) fn ppms<'de, D>(from: D) -> Result<BTreeMap<String, u64>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    struct Ppm(#[serde(deserialize_with = "ppm")] u64);
    unique(from, |Ppm(parts)| parts)
}

/// A map in which a key comes once. Serde's own keeps the last of two.
fn unique<'de, D, V>(from: D, value: fn(V) -> u64) -> Result<BTreeMap<String, u64>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    struct UniqueVisitor<V>(fn(V) -> u64, PhantomData<V>);

    impl<'de, V: Deserialize<'de>> de::Visitor<'de> for UniqueVisitor<V> {
        type Value = BTreeMap<String, u64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of integers")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, value)) = from.next_entry::<String, V>()? {
                if map.contains_key(&key) {
                    return Err(de::Error::custom(format_args!("`{key}` comes twice")));
                }
                map.insert(key, self.0(value));
            }
            Ok(map)
        }
    }

    from.deserialize_map(UniqueVisitor(value, PhantomData))
}
