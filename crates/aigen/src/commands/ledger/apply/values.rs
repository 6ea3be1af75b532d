//! What a field can hold: whole numbers, `true`, names of flags.

use aigen_ledger::{
    AccountFilterFlags, AccountFlags, QueryFilterFlags, TransferFlags, UnknownFlag,
};
use aigen_types::{AccountId, Amount, Timestamp, TransferId};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A whole number: a string of digits, or an integer of JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whole<T>(pub T);

impl<'de, T: TryFrom<u128>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor(PhantomData))
    }
}

struct WholeVisitor<T>(PhantomData<T>);

impl<T> WholeVisitor<T> {
    /// The largest of an unsigned type.
    fn max() -> u128 {
        u128::MAX >> (u128::BITS as usize - 8 * size_of::<T>())
    }
}

impl<T: TryFrom<u128>> Visitor<'_> for WholeVisitor<T> {
    type Value = Whole<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from 0 to {}", Self::max())
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<Whole<T>, E> {
        let fits = T::try_from(number).map(Whole);
        fits.map_err(|_| E::custom(format_args!("{number} is more than {}", Self::max())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Whole<T>, E> {
        self.visit_u128(number.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Whole<T>, E> {
        Err(E::custom(format_args!("{number} is less than zero")))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Whole<T>, E> {
        Err(E::custom(
            "not a whole number up to 2^64 - 1; write larger ones as decimal strings",
        ))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Whole<T>, E> {
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let shown: String = text.chars().take(60).collect();
        if !is_digits {
            return Err(E::custom(format_args!(
                "{shown:?} is not a whole number of digits"
            )));
        }
        let number = text.parse();
        number.map_or_else(
            |_| {
                Err(E::custom(format_args!(
                    "{shown} is more than {}",
                    Self::max()
                )))
            },
            |number| self.visit_u128(number),
        )
    }
}

macro_rules! whole_into {
    ($($from:ty => $to:ty: $make:expr;)*) => {
        $(impl From<Whole<$from>> for $to {
            fn from(Whole(number): Whole<$from>) -> Self {
                $make(number)
            }
        })*
    };
}

whole_into! {
    u128 => u128: std::convert::identity;
    u64 => u64: std::convert::identity;
    u32 => u32: std::convert::identity;
    u16 => u16: std::convert::identity;
    u128 => AccountId: AccountId;
    u128 => TransferId: TransferId;
    u128 => Amount: Amount::from_nano;
    u64 => Timestamp: Timestamp;
}

/// `true`, and nothing else.
#[derive(Debug)]
pub struct Yes;

impl<'de> Deserialize<'de> for Yes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let is_true = bool::deserialize(deserializer)?;
        is_true
            .then_some(Self)
            .ok_or_else(|| Error::custom("only true means something here"))
    }
}

/// Flags as a list of their names.
#[derive(Debug, Default)]
pub struct Names<T>(T);

/// A set of flags that have names.
trait Flags: Sized {
    fn from_names(names: &[String]) -> Result<Self, UnknownFlag>;
    fn known() -> Vec<&'static str>;
}

macro_rules! flags {
    ($($name:ident)*) => {
        $(
            impl Flags for $name {
                fn from_names(names: &[String]) -> Result<Self, UnknownFlag> {
                    Self::from_names(names.iter().map(String::as_str))
                }

                fn known() -> Vec<&'static str> {
                    Self::ALL.names().collect()
                }
            }

            impl From<Names<$name>> for $name {
                fn from(names: Names<$name>) -> Self {
                    names.0
                }
            }
        )*
    };
}

flags! { AccountFlags TransferFlags AccountFilterFlags QueryFilterFlags }

impl<'de, T: Flags> Deserialize<'de> for Names<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        T::from_names(&names).map(Names).map_err(|unknown| {
            let known = T::known().join(", ");
            Error::custom(format_args!("{unknown}; there are {known}"))
        })
    }
}
