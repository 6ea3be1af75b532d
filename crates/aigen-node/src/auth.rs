use crate::error::NodeError;
use crate::limits::KEY_SECRET_BYTES;
use crate::random;
use aigen_network::{NewKey, Role};
use aigen_types::{Address, CallId, Digest, Slug, TransferId};
use subtle::ConstantTimeEq;

pub(crate) const PREFIX: &str = "aigen_";

/// Who is asking, once the key has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key's public part.
    pub key: Slug,
    /// The address it spends from.
    pub account: Address,
    /// To whom its spending is attributed: the account, or a part of what it pays for.
    pub spender: Address,
    /// What it may do.
    pub role: Role,
}

impl Caller {
    /// # Errors
    /// [`NodeError::Forbidden`] for everyone but operators.
    pub fn must_operate(&self) -> Result<(), NodeError> {
        match self.role {
            Role::Operator => Ok(()),
            Role::Customer => Err(NodeError::Forbidden("it needs an operator's key")),
        }
    }

    /// Whether it may act in the name of `address`.
    ///
    /// # Errors
    /// [`NodeError::Forbidden`] unless the key spends from it or is an operator's.
    pub fn must_own(&self, address: &Address) -> Result<(), NodeError> {
        if self.role == Role::Operator || self.account == *address {
            Ok(())
        } else {
            Err(NodeError::Forbidden("it belongs to another account"))
        }
    }

    /// Whether it may dispose of the account's money, and not only of what a part of it may spend.
    ///
    /// # Errors
    /// [`NodeError::Forbidden`] for the key of a team or an app of the account, whose budget such
    /// a payment would evade.
    pub fn must_be_the_accounts_own(&self) -> Result<(), NodeError> {
        if self.role == Role::Operator || self.account == self.spender {
            Ok(())
        } else {
            let why = "it spends for a part of its account, and only the account's own key pays";
            Err(NodeError::Forbidden(why))
        }
    }

    /// The call that an idempotency key of this caller names: the same one at every retry,
    /// and never another tenant's.
    #[must_use]
    pub fn call_id(&self, idempotency_key: &str) -> CallId {
        CallId(self.own(b"aigen/idempotency/v1/", idempotency_key.as_bytes()))
    }

    /// What an idempotency key of this caller stands for where a transfer has an id of the caller's
    /// choice: [`Caller::transfer_id`] makes it the caller's own.
    #[must_use]
    pub fn chosen_by(&self, idempotency_key: &str) -> TransferId {
        TransferId(self.own(
            b"aigen/idempotency/transfer/v1/",
            idempotency_key.as_bytes(),
        ))
    }

    /// The transfer that an id of this caller's choice names: the same one at every retry, and
    /// never another tenant's, who could otherwise find it used or burnt.
    #[must_use]
    pub fn transfer_id(&self, chosen: TransferId) -> TransferId {
        TransferId(self.own(b"aigen/transfer-id/v1/", &chosen.0.to_le_bytes()))
    }

    fn own(&self, domain: &[u8], name: &[u8]) -> u128 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(domain);
        hasher.update(self.account.as_str().as_bytes());
        hasher.update(&[0]);
        hasher.update(name);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        u128::from_le_bytes(bytes).clamp(1, u128::MAX - 1)
    }
}

/// A new key: the only moment its secret is known to anyone but its owner.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedKey {
    /// What the journal keeps of it.
    pub record: NewKey,
    /// The whole credential: `aigen_<name>.<64 hex digits>`.
    pub secret: String,
}

impl IssuedKey {
    /// Draws a secret for a key of this name.
    #[must_use]
    pub fn draw(name: Slug, account: Address, role: Role) -> Self {
        let random = hex::encode(random::bytes::<KEY_SECRET_BYTES>());
        let secret = format!("{PREFIX}{name}.{random}");
        let record = NewKey {
            secret_hash: hash(&secret),
            name,
            account,
            role,
            spender: None,
        };
        Self { record, secret }
    }

    /// The same key, whose spending is attributed to this address.
    #[must_use]
    pub fn for_spender(mut self, spender: Option<Address>) -> Self {
        self.record.spender = spender;
        self
    }
}

/// Its name, never its secret.
impl std::fmt::Debug for IssuedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IssuedKey({})", self.record.name)
    }
}

pub(crate) fn hash(secret: &str) -> Digest {
    Digest(*blake3::hash(secret.as_bytes()).as_bytes())
}

/// The public part of a credential, if it has the form of one.
pub(crate) fn public_part(secret: &str) -> Option<Slug> {
    secret
        .strip_prefix(PREFIX)?
        .rsplit_once('.')?
        .0
        .parse()
        .ok()
}

/// Compares in time that does not depend on where two hashes differ.
pub(crate) fn same(a: &Digest, b: &Digest) -> bool {
    a.0.ct_eq(&b.0).into()
}
