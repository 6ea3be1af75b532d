//! Who is signed in: a random name in a cookie, the key here.

use crate::tries::Tries;
use aigen_types::Address;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;

/// A session that nobody used for so long is over.
const IDLE_MAX: Duration = Duration::from_secs(12 * 60 * 60);
/// Beyond this the one that was idle longest ends.
const SESSIONS_MAX: usize = 10_000;

/// What a key may do, as far as pages differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Customer,
    Operator,
}

/// One browser's.
pub struct Session {
    pub key: String,
    pub account: Address,
    pub role: Role,
    /// What a form must carry, so that another site's form is not taken for ours.
    token: String,
}

impl Session {
    pub fn new(key: String, account: Address, role: Role) -> Self {
        let token = random();
        Self {
            key,
            account,
            role,
            token,
        }
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn sent(&self, token: &str) -> bool {
        token.as_bytes().ct_eq(self.token.as_bytes()).into()
    }
}

// By hand: a key must not reach a log because somebody printed a session.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("account", &self.account)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// All of them; they end with the process.
#[derive(Default)]
pub struct Sessions {
    open: Mutex<HashMap<String, (Instant, Arc<Session>)>>,
    pub tries: Tries,
}

impl Sessions {
    /// Opens one and gives its name, which was never anybody's before.
    pub fn open(&self, session: Session, now: Instant) -> String {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, (used, _)| now.duration_since(*used) < IDLE_MAX);
        if open.len() >= SESSIONS_MAX {
            let idlest = open.iter().min_by_key(|(_, (used, _))| *used);
            let idlest = idlest.map(|(name, _)| name.clone());
            idlest.map(|name| open.remove(&name));
        }
        let name = random();
        open.insert(name.clone(), (now, Arc::new(session)));
        name
    }

    pub fn get(&self, name: &str, now: Instant) -> Option<Arc<Session>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (used, session) = open.get_mut(name)?;
        if now.duration_since(*used) >= IDLE_MAX {
            open.remove(name);
            return None;
        }
        *used = now;
        Some(session.clone())
    }

    pub fn close(&self, name: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(name);
    }
}

/// 256 bits that nobody can guess, as hex digits.
///
/// # Panics
/// When the operating system has no randomness: nothing here can be safe then.
fn random() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    aigen_types::Digest(bytes).to_string()
}
