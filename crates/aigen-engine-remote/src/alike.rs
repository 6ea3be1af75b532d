//! Events that differ in their text alone.

use std::borrow::Cow;

use crate::text::Text;
use crate::wire::Part;

/// What is around the text of an event that says nothing else. The next one mostly differs from it in that text alone:
/// then nothing but the text is read, and what it is part of means what it meant before.
pub(crate) struct Alike {
    before: String,
    after: String,
}

impl Alike {
    /// What is around the text of `part`, which was read from `data`.
    pub fn to(data: &str, part: &Part<'_>) -> Option<Self> {
        let text = part.text().filter(|_| part.is_text())?;
        let Cow::Borrowed(text) = text.0 else {
            return None;
        };
        let begin = text.as_ptr().addr().checked_sub(data.as_ptr().addr())?;
        let quoted = begin.checked_sub(1)?..begin + text.len() + 1;
        Some(Self {
            before: data.get(..quoted.start)?.to_owned(),
            after: data.get(quoted.end..)?.to_owned(),
        })
    }

    /// The text of an event that is like it but for that.
    pub fn text<'a>(&self, data: &'a str) -> Option<Text<'a>> {
        let quoted = data.strip_prefix(&*self.before)?;
        let quoted = quoted.strip_suffix(&*self.after)?;
        let text: Text<'a> = serde_json::from_str(quoted).ok()?;
        Some(text).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// An event, what comes next, and its text where it need not be read as a whole.
    #[test]
    fn what_is_like_the_event_before_it_is_read_for_its_text_alone() {
        let first = r#"{"id":"a","choices":[{"index":0,"delta":{"content":"One"},"logprobs":null,"finish_reason":null}]}"#;
        let other = |content: &str| first.replace(r#""One""#, content);
        for (next, text) in [
            (first.to_owned(), Some("One")),
            (other(r#"" two""#), Some(" two")),
            (
                other(r#""\n\"three\" \u00e9\ud83d\ude00""#),
                Some("\n\"three\" é😀"),
            ),
            (other(r#" "four""#), Some("four")),
            // Nothing is said.
            (other(r#""""#), None),
            (other("null"), None),
            // It is no text, or another object.
            (other(r#""five","refusal":"no""#), None),
            (
                other(r#""six"},"finish_reason":"stop","delta":{"content":"x""#),
                None,
            ),
            (other("\"sev\nen\""), None),
            (other(r#""\ud83d""#), None),
            (other(r#""eight"#), None),
            (first.replace("null}]", r#""length"}]"#), None),
            (first.replace(r#""a""#, r#""b""#), None),
            (first.replace("One\"}", "One\""), None),
            (String::new(), None),
        ] {
            let alike = alike(first).unwrap();
            assert_eq!(alike.text(&next).as_deref(), text, "{next}");
        }
    }

    /// Of these there is none that is alike.
    #[test]
    fn an_event_that_says_more_than_text_is_no_model() {
        let usage = json!({"prompt_tokens": 1, "completion_tokens": 1});
        for event in [
            json!({"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}),
            json!({"choices": [{"delta": {"content": "a"}}], "usage": usage}),
            json!({"choices": [{"delta": {"content": "a"}}], "error": {"message": "no"}}),
            json!({"choices": [{"delta": {"content": "a"}, "logprobs": {"content": [{"logprob": -1.0}]}}]}),
            json!({"choices": [{"delta": {"content": "a", "tool_calls": [{"function": {"name": "f"}}]}}]}),
            json!({"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}),
            json!({"choices": [{"delta": {"content": ""}}]}),
            json!({"choices": []}),
            // It does not stand there as it is said.
            json!({"choices": [{"delta": {"content": "a\n"}}]}),
        ] {
            assert!(alike(&event.to_string()).is_none(), "{event}");
        }
        for event in [
            json!({"choices": [{"delta": {"content": "a"}}]}),
            json!({"choices": [{"delta": {"content": null, "refusal": "a"}}]}),
            json!({"choices": [{"text": "a"}], "obfuscation": "xyz"}),
        ] {
            assert!(alike(&event.to_string()).is_some(), "{event}");
        }
    }

    fn alike(event: &str) -> Option<Alike> {
        Alike::to(event, &Part::parse(event.as_bytes()).unwrap())
    }

    /// Events of several shapes, whole and broken, whose text may be anything.
    fn event() -> impl Strategy<Value = String> {
        let shape = prop::sample::select(vec![
            (r#"{"choices":[{"delta":{"content":"#, "}}]}"),
            (
                r#"{"choices":[{"delta":{"content":"#,
                r#"},"finish_reason":null}]}"#,
            ),
            (
                r#"{"choices":[{"delta":{"content":"#,
                r#"},"finish_reason":"stop"}]}"#,
            ),
            (r#"{"choices":[{"delta":{"content":null,"refusal":"#, "}}]}"),
            (r#"{"choices":[{"text":"#, r#"}],"usage":null}"#),
        ]);
        let said = prop_oneof![
            "\\PC{0,4}".prop_map(|text| json!(text).to_string()),
            "[\"\\\\a-c,:{}\\[\\] ]{0,12}",
        ];
        (shape, said).prop_map(|((before, after), said)| format!("{before}{said}{after}"))
    }

    proptest! {
        /// Whatever is read for its text alone says that text and nothing else when it is read as a whole.
        #[test]
        fn a_text_is_what_the_whole_event_says(first in event(), next in event()) {
            let model = Part::parse(first.as_bytes()).ok();
            let model = model.and_then(|part| Alike::to(&first, &part));
            if let Some(text) = model.and_then(|model| model.text(&next)) {
                let part = Part::parse(next.as_bytes()).unwrap();
                prop_assert!(part.is_text());
                prop_assert_eq!(part.text().map(|text| &**text), Some(&*text));
            }
        }
    }
}
