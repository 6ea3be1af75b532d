use std::ops::Deref;

/// A text as it came: in parts, all of which were there at once. What is told of it is told once, and whoever passes
/// it on in parts knows where each of them begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextParts {
    text: String,
    /// Where the second and later parts begin.
    later: Vec<usize>,
}

impl TextParts {
    /// Puts a part behind the others; none that is empty.
    pub fn push(&mut self, part: &str) {
        if part.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.later.push(self.text.len());
        }
        self.text.push_str(part);
    }

    /// Its parts, in order; of an empty text one that is empty.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        let begins = [0].into_iter().chain(self.later.iter().copied());
        let ends = self.later.iter().copied().chain([self.text.len()]);
        begins.zip(ends).map(|(begin, end)| &self.text[begin..end])
    }
}

impl Deref for TextParts {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl From<String> for TextParts {
    fn from(text: String) -> Self {
        let later = Vec::new();
        Self { text, later }
    }
}

impl From<&str> for TextParts {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl<'a> FromIterator<&'a str> for TextParts {
    fn from_iter<T: IntoIterator<Item = &'a str>>(parts: T) -> Self {
        let mut text = Self::default();
        parts.into_iter().for_each(|part| text.push(part));
        text
    }
}

impl PartialEq<&str> for TextParts {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_its_parts_behind_one_another() {
        for (pushed, parts) in [
            (&[][..], &[""][..]),
            (&[""], &[""]),
            (&["one"], &["one"]),
            (&["", "one", "", " two", ""], &["one", " two"]),
            (&["é", "日本", " "], &["é", "日本", " "]),
        ] {
            let text: TextParts = pushed.iter().copied().collect();
            assert_eq!(text.parts().collect::<Vec<_>>(), parts);
            assert_eq!(text, pushed.concat().as_str());
        }
        let whole = TextParts::from("one piece");
        assert_eq!(whole.parts().collect::<Vec<_>>(), ["one piece"]);
    }
}
