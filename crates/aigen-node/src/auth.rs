use crate::error::NodeError;
use crate::limits::KEY_SECRET_BYTES;
use crate::random;
use aigen_network::{NewKey, Role};
use aigen_types::{Address, CallId, Digest, Slug};
use subtle::ConstantTimeEq;

const PREFIX: &str = "aigen_";

/// Who is asking, once the key has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key's public part.
    pub key: Slug,
    /// The address it spends from.
    pub account: Address,
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

    /// The call that an idempotency key of this caller names: the same one at every retry,
    /// and never another tenant's.
    #[must_use]
    pub fn call_id(&self, idempotency_key: &str) -> CallId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"aigen/idempotency/v1/");
        hasher.update(self.account.as_str().as_bytes());
        hasher.update(&[0]);
        hasher.update(idempotency_key.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        CallId(u128::from_le_bytes(bytes).clamp(1, u128::MAX - 1))
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
        };
        Self { record, secret }
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
