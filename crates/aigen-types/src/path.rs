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
        let words = self.as_str().split(':').count();
        if words.rem_euclid(2) == 0 {
            format!("{self}:user:{name}").parse().ok()
        } else {
            None
        }
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
