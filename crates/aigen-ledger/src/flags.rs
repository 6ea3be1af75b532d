use alloc::string::String;
use core::{fmt, ops::BitOr};

macro_rules! flags {
    ($(#[$doc:meta])* $name:ident { $($(#[$flag_doc:meta])* $flag:ident = $bit:literal, $text:literal;)* }) => {
        $(#[$doc])*
        ///
        /// The bit positions are TigerBeetle's. `Debug` prints the list of names.
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u16);

        impl $name {
            /// No flag.
            pub const NONE: Self = Self(0);
            $($(#[$flag_doc])* pub const $flag: Self = Self(1 << $bit);)*

            /// Every flag that has a name.
            pub const ALL: Self = Self($(Self::$flag.0)|*);

            const NAMED: &[(Self, &'static str)] = &[$((Self::$flag, $text)),*];

            /// Whether every flag of `other` is set here.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any flag of `other` is set here.
            #[must_use]
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// The flags of either; `|` for constants.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// These flags without those of `other`.
            #[must_use]
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// The bits, for a binary form.
            #[must_use]
            pub const fn bits(self) -> u16 {
                self.0
            }

            /// The set of these bits; `None` if one has no name.
            #[must_use]
            pub fn from_bits(bits: u16) -> Option<Self> {
                (bits & !Self::ALL.0 == 0).then_some(Self(bits))
            }

            /// The `snake_case` names of the flags set, in bit order.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                Self::NAMED.iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, text)| *text)
            }

            /// The set of these names.
            ///
            /// # Errors
            /// [`UnknownFlag`] with the first name that is not one of this set.
            pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownFlag> {
                names.into_iter().try_fold(Self::NONE, |flags, name| {
                    let named = Self::NAMED.iter().find(|(_, text)| *text == name);
                    named.map(|(flag, _)| flags | *flag).ok_or_else(|| UnknownFlag(name.chars().take(60).collect()))
                })
            }
        }

        impl BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                self.union(other)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_set().entries(self.names()).finish()
            }
        }
    };
}

flags! {
    /// What an account allows.
    AccountFlags {
        /// Succeeds or fails together with the next request of the batch.
        LINKED = 0, "linked";
        /// Debits, held or posted, never exceed posted credits plus the account's limit.
        DEBITS_MUST_NOT_EXCEED_CREDITS = 1, "debits_must_not_exceed_credits";
        /// Credits, held or posted, never exceed posted debits.
        CREDITS_MUST_NOT_EXCEED_DEBITS = 2, "credits_must_not_exceed_debits";
        /// Takes no further transfer, except voids of its live holds.
        CLOSED = 5, "closed";
    }
}

flags! {
    /// What a transfer does.
    TransferFlags {
        /// Succeeds or fails together with the next request of the batch.
        LINKED = 0, "linked";
        /// A hold: reserves the amount until it is captured, voided or expires.
        PENDING = 1, "pending";
        /// A capture: ends the hold `pending_id`, posts at most what it held and releases the rest.
        POST_PENDING_TRANSFER = 2, "post_pending_transfer";
        /// Ends the hold `pending_id` and releases all of it.
        VOID_PENDING_TRANSFER = 3, "void_pending_transfer";
        /// Moves at most what the debit account has available.
        BALANCING_DEBIT = 4, "balancing_debit";
        /// Moves at most what the credit account's debits exceed its credits by.
        BALANCING_CREDIT = 5, "balancing_credit";
        /// Closes the debit account for as long as this hold is live or captured.
        CLOSING_DEBIT = 6, "closing_debit";
        /// Closes the credit account for as long as this hold is live or captured.
        CLOSING_CREDIT = 7, "closing_credit";
    }
}

flags! {
    /// Which of an account's transfers are asked for, and in what order.
    AccountFilterFlags {
        /// Those that the account pays.
        DEBITS = 0, "debits";
        /// Those that it is paid by.
        CREDITS = 1, "credits";
        /// Newest first instead of oldest first.
        REVERSED = 2, "reversed";
    }
}

flags! {
    /// In what order accounts or transfers are asked for.
    QueryFilterFlags {
        /// Newest first instead of oldest first.
        REVERSED = 0, "reversed";
    }
}

impl TransferFlags {
    /// Those of a transfer that ends a hold: a capture or a void.
    pub(crate) const RESOLVING: Self =
        Self::POST_PENDING_TRANSFER.union(Self::VOID_PENDING_TRANSFER);
    pub(crate) const BALANCING: Self = Self::BALANCING_DEBIT.union(Self::BALANCING_CREDIT);
    pub(crate) const CLOSING: Self = Self::CLOSING_DEBIT.union(Self::CLOSING_CREDIT);
}

/// A name that is not a flag of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFlag(pub String);

impl fmt::Display for UnknownFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a flag here", self.0)
    }
}

impl core::error::Error for UnknownFlag {}
