//! The serialised form of commands: little-endian, fixed-width integers, lengths before
//! contents, one number per variant. Fields are written in the order in which this module
//! names them; a name's place or a variant's number never changes once released.

use aigen_types::{
    AccountId, Address, Amount, CallId, ControllerName, ControllerRef, DatasetName, DatasetRef,
    Digest, Epoch, ModelName, NodeId, Ppm, PublisherKey, Signature, Slug, Timestamp, TransferId,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write;
use std::sync::Arc;

/// Why bytes are not a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    what: &'static str,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the record's contents do not decode: {}", self.what)
    }
}

impl std::error::Error for DecodeError {}

pub(crate) fn malformed<T>(what: &'static str) -> Result<T, DecodeError> {
    Err(DecodeError { what })
}

/// A type with exactly one serialised form.
pub(crate) trait Wire: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(input: &mut &[u8]) -> Result<Self, DecodeError>;
}

pub(crate) fn take_bytes<'a>(input: &mut &'a [u8], count: usize) -> Result<&'a [u8], DecodeError> {
    match input.split_at_checked(count) {
        Some((taken, rest)) => {
            *input = rest;
            Ok(taken)
        }
        None => malformed("it ends too early"),
    }
}

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl Wire for $int {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
                let bytes = take_bytes(input, size_of::<$int>())?;
                Ok(<$int>::from_le_bytes(bytes.try_into().expect("as many bytes as asked for")))
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, u128, i64, i128);

/// Who shares a value does not show.
impl<T: Wire> Wire for Arc<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_ref().put(out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        T::take(input).map(Self::new)
    }
}

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match u8::take(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => malformed("a truth value is neither 0 nor 1"),
        }
    }
}

pub(crate) fn put_length(length: usize, out: &mut Vec<u8>) {
    // A record is at most a few MiB, so that every length fits into 32 bits.
    u32::try_from(length)
        .expect("lengths are below 4 GiB")
        .put(out);
}

fn take_length(input: &mut &[u8]) -> Result<usize, DecodeError> {
    let length = usize::try_from(u32::take(input)?).expect("32 bits fit");
    // Every element takes at least one byte: a longer list is a lie, and allocating for it an attack.
    if length > input.len() {
        return malformed("a length is beyond the end");
    }
    Ok(length)
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_length(self.len(), out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let length = take_length(input)?;
        let bytes = take_bytes(input, length)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => malformed("a text is not UTF-8"),
        }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_length(self.len(), out);
        self.iter().for_each(|item| item.put(out));
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let length = take_length(input)?;
        (0..length).map(|_| T::take(input)).collect()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(item) = self {
            item.put(out);
        }
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        bool::take(input)?.then(|| T::take(input)).transpose()
    }
}

impl<K: Wire + Ord, V: Wire> Wire for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        put_length(self.len(), out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let length = take_length(input)?;
        (0..length)
            .map(|_| Ok((K::take(input)?, V::take(input)?)))
            .collect()
    }
}

impl<T: Wire + Ord> Wire for BTreeSet<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_length(self.len(), out);
        self.iter().for_each(|item| item.put(out));
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let length = take_length(input)?;
        (0..length).map(|_| T::take(input)).collect()
    }
}

/// Borrowed to be written, owned when read.
impl<T: Wire + Clone> Wire for Cow<'_, T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_ref().put(out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        T::take(input).map(Cow::Owned)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok((A::take(input)?, B::take(input)?))
    }
}

/// Types that are a number with a name.
macro_rules! numbers {
    ($($name:ident),*) => {$(
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }

            fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
                Ok($name(Wire::take(input)?))
            }
        }
    )*};
}
numbers!(AccountId, TransferId, CallId, NodeId, Epoch, Timestamp);

/// As the text would be put, without its being made first.
fn put_text(text: &impl fmt::Display, out: &mut Vec<u8>) {
    let begins = out.len();
    put_length(0, out);
    let from = out.len();
    write!(out, "{text}").expect("memory takes everything");
    let length = u32::try_from(out.len() - from).expect("a text is short");
    out[begins..from].copy_from_slice(&length.to_le_bytes());
}

/// Types that are a checked text.
macro_rules! texts {
    ($($name:ident),*) => {$(
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                put_text(self, out);
            }

            fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
                match String::take(input)?.parse() {
                    Ok(name) => Ok(name),
                    Err(_) => malformed(concat!("not a valid ", stringify!($name))),
                }
            }
        }
    )*};
}
texts!(
    Address,
    Slug,
    ModelName,
    ControllerRef,
    ControllerName,
    DatasetName,
    DatasetRef
);

impl Wire for Amount {
    fn put(&self, out: &mut Vec<u8>) {
        self.nano().put(out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok(Self::from_nano(u128::take(input)?))
    }
}

/// Types that are so many bytes.
macro_rules! byte_strings {
    ($($name:ident: $bytes:literal),*) => {$(
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.0);
            }

            fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
                let bytes = take_bytes(input, $bytes)?;
                Ok(Self(bytes.try_into().expect("as many bytes as asked for")))
            }
        }
    )*};
}
byte_strings!(Digest: 32, PublisherKey: 32, Signature: 64);

impl Wire for Ppm {
    fn put(&self, out: &mut Vec<u8>) {
        self.parts().put(out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match Self::new(u32::take(input)?) {
            Some(share) => Ok(share),
            None => malformed("a share above one whole"),
        }
    }
}

/// A struct: its fields in this order.
macro_rules! record {
    ($name:path { $($field:ident),* $(,)? }) => {
        impl $crate::codec::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $($crate::codec::Wire::put(&self.$field, out);)*
            }

            fn take(input: &mut &[u8]) -> Result<Self, $crate::codec::DecodeError> {
                $(let $field = $crate::codec::Wire::take(input)?;)*
                Ok(Self { $($field),* })
            }
        }
    };
}

/// An enum: one number per variant, at most one value inside.
macro_rules! choice {
    ($name:ident { $($number:literal => $variant:ident $(($inner:ident))?),* $(,)? }) => {
        impl $crate::codec::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $($name::$variant $(($inner))? => {
                        out.push($number);
                        $($crate::codec::Wire::put($inner, out);)?
                    })*
                }
            }

            fn take(input: &mut &[u8]) -> Result<Self, $crate::codec::DecodeError> {
                match <u8 as $crate::codec::Wire>::take(input)? {
                    $($number => {
                        $(let $inner = $crate::codec::Wire::take(input)?;)?
                        Ok($name::$variant $(($inner))?)
                    })*
                    _ => $crate::codec::malformed(concat!("an unknown kind of ", stringify!($name))),
                }
            }
        }
    };
}

/// A form from before a struct had all its fields: those it had then, in their order, and what
/// the others are in it.
macro_rules! earlier {
    ($form:ident of $name:ident { $($field:ident),* $(,)? } with { $($later:ident: $value:expr),* $(,)? }) => {
        pub(crate) struct $form;

        impl $form {
            #[allow(dead_code, reason = "a form of parts is chosen by the whole that they are in")]
            pub(crate) fn says(value: &$name) -> bool {
                $(value.$later == $value)&&*
            }

            pub(crate) fn put(value: &$name, out: &mut Vec<u8>) {
                $($crate::codec::Wire::put(&value.$field, out);)*
            }

            pub(crate) fn take(input: &mut &[u8]) -> Result<$name, $crate::codec::DecodeError> {
                $(let $field = $crate::codec::Wire::take(input)?;)*
                Ok($name { $($field,)* $($later: $value),* })
            }
        }
    };
}

pub(crate) use {choice, earlier, record};
