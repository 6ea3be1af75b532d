//! The route that somebody may have meant.

use serde_json::Value;
use std::sync::OnceLock;

/// Letters that may be wrong in a path for it to be taken for a route.
const LETTERS_WRONG_MAX: usize = 3;

/// Letters of a path that is looked for; no route has as many.
const LETTERS_MAX: usize = 128;

/// The route whose path is nearest to this one, as the document writes it; none if all are far away.
pub(crate) fn nearest(path: &str) -> Option<&'static str> {
    if path.len() > LETTERS_MAX {
        return None;
    }
    let asked: Vec<&str> = words(path).collect();
    // A base URL that has `/v1` already, or lacks it, is half of what goes wrong.
    let inner = asked.strip_prefix(&["v1"]).unwrap_or(&asked);
    let versioned = [&["v1"][..], inner].concat();
    let routes = routes().iter();
    let near = routes.filter_map(|route| {
        let far = [&*asked, inner, &*versioned]
            .into_iter()
            .filter_map(|asked| distance(asked, route))
            .min()?;
        (far <= LETTERS_WRONG_MAX).then_some((far, route.as_str()))
    });
    near.min().map(|(_, route)| route)
}

fn routes() -> &'static [String] {
    static ROUTES: OnceLock<Vec<String>> = OnceLock::new();
    ROUTES.get_or_init(|| {
        let document: Value = serde_json::from_str(aigen_api::OPENAPI).unwrap_or_default();
        let paths = document["paths"].as_object();
        paths
            .into_iter()
            .flat_map(|paths| paths.keys().cloned())
            .collect()
    })
}

fn words(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|word| !word.is_empty())
}

/// Letters that have to change in these words; `None` of a route with more or fewer, and of one whose
/// word would become another altogether.
fn distance(asked: &[&str], route: &str) -> Option<usize> {
    if asked.len() != words(route).count() {
        return None;
    }
    let mut all = 0;
    for (asked, word) in asked.iter().zip(words(route)) {
        let far = match word.starts_with('{') {
            true => 0,
            false => letters(asked, word),
        };
        // Two of four letters are another word.
        if far * 2 >= word.len() {
            return None;
        }
        all += far;
    }
    Some(all)
}

/// Letters to add, to take away or to change.
fn letters(from: &str, to: &str) -> usize {
    let mut before: Vec<usize> = (0..=to.chars().count()).collect();
    for (row, letter) in from.chars().enumerate() {
        let mut now = vec![row + 1];
        for (column, other) in to.chars().enumerate() {
            let changed = before[column] + usize::from(letter != other);
            now.push(changed.min(before[column + 1] + 1).min(now[column] + 1));
        }
        before = now;
    }
    before[before.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_nearly_one_is_told() {
        for (path, near) in [
            ("/v1/chat/completion", Some("/v1/chat/completions")),
            ("/v1/chat/completions/", Some("/v1/chat/completions")),
            ("/v1/v1/chat/completions", Some("/v1/chat/completions")),
            ("/chat/completions", Some("/v1/chat/completions")),
            ("/v1/embedding", Some("/v1/embeddings")),
            ("/v1/aigen/budget", Some("/v1/aigen/budgets")),
            (
                "/v1/aigen/key/laptop/limits",
                Some("/v1/aigen/keys/{name}/limits"),
            ),
            ("/aigen/usage", Some("/v1/aigen/usage")),
            ("/v1/images/generations", None),
            ("/v1/files", None),
            ("/favicon.ico", None),
            ("/", None),
        ] {
            assert_eq!(nearest(path), near, "{path}");
        }
        assert_eq!(nearest(&"/v1/chat".repeat(100)), None);
    }
}
