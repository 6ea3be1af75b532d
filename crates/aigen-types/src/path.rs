//! Addresses as paths: pairs of a kind and a name, like `org:acme:team:search:app:tutor:user:42`.

use crate::{Address, BudgetPath, Slug};
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

/// How a path ends that stands for every end user of what is before it.
pub(crate) const EACH_USER: &str = ":user:*";

impl Address {
    /// The addresses on the way down to this one, itself last: after every pair of words, and at
    /// the end.
    ///
    /// ```
    /// # use aigen_types::Address;
    /// let app: Address = "org:acme:app:tutor".parse().unwrap();
    /// let way: Vec<_> = app.way().iter().map(ToString::to_string).collect();
    /// assert_eq!(way, ["org:acme", "org:acme:app:tutor"]);
    /// ```
    #[must_use]
    pub fn way(&self) -> Vec<Address> {
        let text = self.as_str();
        let pairs = text.match_indices(':').map(|(at, _)| at).skip(1).step_by(2);
        let above = pairs.filter_map(|at| text.get(..at)?.parse().ok());
        above.chain([self.clone()]).collect()
    }

    /// Whether `above` is on the way to this address, or is this very one.
    #[must_use]
    pub fn is_within(&self, above: &Address) -> bool {
        self.way().contains(above)
    }

    /// The end user of this name below an address of pairs; `None` below any other, and where the
    /// address would become too long.
    ///
    /// A name is one word: it can lead nowhere but to an end user of this very address.
    #[must_use]
    pub fn end_user(&self, name: &Slug) -> Option<Address> {
        self.part("user", name)
    }

    /// The part of an address of pairs that the key of this name alone spends for, so that it can
    /// be bounded by itself; `None` as for [`Address::end_user`].
    ///
    /// ```
    /// # use aigen_types::Address;
    /// let ada: Address = "user:ada".parse().unwrap();
    /// let key = ada.of_key(&"laptop".parse().unwrap()).unwrap();
    /// assert_eq!(key.as_str(), "user:ada:key:laptop");
    /// ```
    #[must_use]
    pub fn of_key(&self, name: &Slug) -> Option<Address> {
        self.part("key", name)
    }

    /// What the key of this name has a part of its own of; `None` if this is no such part.
    #[must_use]
    pub fn above_key(&self, name: &Slug) -> Option<Address> {
        let above: Address = self
            .as_str()
            .strip_suffix(name.as_str())?
            .strip_suffix(":key:")?
            .parse()
            .ok()?;
        above.is_pairs().then_some(above)
    }

    /// The same end user as whoever asks without a key of its own names them: whom an app's keys
    /// name is bounded as one, whichever of them asks. `None` if this is no end user of a key.
    #[must_use]
    pub fn through_any_key(&self) -> Option<Address> {
        let (above, user) = self.as_str().rsplit_once(":user:")?;
        let (app, key) = above.rsplit_once(":key:")?;
        let app: Address = app.parse().ok()?;
        let one_word = [user, key].iter().all(|word| !word.contains(':'));
        let user = user.parse().ok().filter(|_| one_word)?;
        app.end_user(&user)
    }

    fn part(&self, kind: &str, name: &Slug) -> Option<Address> {
        self.is_pairs()
            .then(|| format!("{self}:{kind}:{name}").parse().ok())?
    }

    fn is_pairs(&self) -> bool {
        self.as_str().split(':').count().rem_euclid(2) == 0
    }

    /// The budget path that stands for this end user and all others of the same app; `None` if
    /// the address is not an end user's.
    #[must_use]
    pub fn as_each_user(&self) -> Option<BudgetPath> {
        let (above, _) = self.as_str().rsplit_once(':')?;
        let app = above.strip_suffix(":user")?;
        let is_pairs = app.split(':').count().rem_euclid(2) == 0;
        is_pairs.then(|| format!("{app}{EACH_USER}").parse().ok())?
    }
}

impl BudgetPath {
    /// The address whose spending is bounded, or whose end users' is.
    #[must_use]
    pub fn address(&self) -> Address {
        let text = self.as_str();
        let address = text.strip_suffix(EACH_USER).unwrap_or(text);
        address.parse().expect("checked when the path was made")
    }

    /// Whether it stands for each end user of its address.
    #[must_use]
    pub fn is_each_user(&self) -> bool {
        self.as_str().ends_with(EACH_USER)
    }
}

impl From<&Address> for BudgetPath {
    fn from(address: &Address) -> Self {
        let path = address.to_string().parse();
        path.expect("an address is a path")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn the_way_to_an_address() {
        for (text, way) in [
            ("operator", "operator"),
            ("user:ada", "user:ada"),
            ("a:b:c", "a:b a:b:c"),
            (
                "org:x:team:y:app:z",
                "org:x org:x:team:y org:x:team:y:app:z",
            ),
        ] {
            let found: Vec<_> = address(text).way().iter().map(Address::to_string).collect();
            assert_eq!(found.join(" "), way);
        }
        assert!(address("org:acme:team:x").is_within(&address("org:acme")));
        for outside in ["org:acm", "org", "org:acme:team", "org:acme:team:x:app:y"] {
            assert!(
                !address("org:acme:team:x").is_within(&address(outside)),
                "{outside}"
            );
        }
    }

    #[test]
    fn an_end_user_stays_below_its_app() {
        let app = address("app:tutor");
        let user = app.end_user(&"42".parse().unwrap()).unwrap();
        assert_eq!(user.as_str(), "app:tutor:user:42");
        assert_eq!(user.as_each_user().unwrap().as_str(), "app:tutor:user:*");
        assert_eq!(address("operator").end_user(&"42".parse().unwrap()), None);
        assert_eq!(
            app.end_user(&"x".repeat(128).parse().unwrap())
                .map(|a| a.as_str().len()),
            Some(143)
        );
        for name in ["a:b", "../x", "a/b", "*", ""] {
            assert!(
                name.parse::<Slug>().is_err(),
                "{name:?} is no end user's name"
            );
        }
        for other in [
            "user:ada",
            "app:tutor",
            "operator:user:42",
            "app:tutor:team:42",
        ] {
            assert_eq!(address(other).as_each_user(), None, "{other}");
        }
    }

    #[test]
    fn a_key_has_a_part_of_its_own() {
        let name = "laptop".parse().unwrap();
        let own = address("user:ada").of_key(&name).unwrap();
        assert_eq!(own.as_str(), "user:ada:key:laptop");
        assert_eq!(own.above_key(&name), Some(address("user:ada")));
        assert_eq!(address("operator").of_key(&name), None);
        for other in [
            "user:ada",
            "user:ada:key:top",
            "user:ada:app:laptop",
            "operator:key:laptop",
            "key:laptop",
        ] {
            assert_eq!(address(other).above_key(&name), None, "{other}");
        }
        for (through, user) in [
            ("app:t:key:web:user:42", Some("app:t:user:42")),
            ("org:a:app:t:key:web:user:42", Some("org:a:app:t:user:42")),
            ("app:t:user:42", None),
            ("app:t:key:web", None),
            ("app:t:key:web:team:x:user:42", None),
            ("operator:key:web:user:42", None),
        ] {
            let found = address(through).through_any_key();
            assert_eq!(found, user.map(address), "{through}");
        }
    }

    #[test]
    fn a_budget_path_is_an_address_or_all_its_end_users() {
        let path: BudgetPath = "app:tutor:user:*".parse().unwrap();
        assert!(path.is_each_user());
        assert_eq!(path.address(), address("app:tutor"));
        let path = BudgetPath::from(&address("app:tutor"));
        assert!(!path.is_each_user());
        assert_eq!(path.address(), address("app:tutor"));
        for bad in ["*", ":user:*", "app:*", "app:tutor:user:*:x", "app::user:*"] {
            assert!(bad.parse::<BudgetPath>().is_err(), "{bad}");
        }
    }
}
