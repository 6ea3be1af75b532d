//! The model's own chat template: Jinja, as Hugging Face writes it.

use aigen_engine::ChatMessage;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, ErrorKind, context};

use crate::gguf::Header;

/// A compiled template with the tokens its text may name.
pub(super) struct Template {
    environment: Environment<'static>,
    begin: String,
    end: String,
}

const NAME: &str = "chat";

impl Template {
    /// The error is a sentence for the caller of a chat.
    pub fn new(header: &Header) -> Result<Self, String> {
        let source = header
            .text("tokenizer.chat_template")
            .ok_or("the model has none")?;
        let mut environment = Environment::new();
        environment.set_syntax(as_hugging_face_does()?);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", raise_exception);
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|error| error.to_string())?;
        let token = |key| token_text(header, key).unwrap_or_default();
        let begin = token("tokenizer.ggml.bos_token_id");
        let end = token("tokenizer.ggml.eos_token_id");
        Ok(Self {
            environment,
            begin,
            end,
        })
    }

    /// The conversation as text, up to where the assistant speaks.
    pub fn render(&self, messages: &[ChatMessage]) -> Result<String, String> {
        let messages: Vec<Value> = messages
            .iter()
            .map(|message| context! { role => message.role.as_str(), content => &message.content })
            .collect();
        let template = self
            .environment
            .get_template(NAME)
            .map_err(|error| error.to_string())?;
        let context = context! {
            messages,
            add_generation_prompt => true,
            bos_token => &self.begin,
            eos_token => &self.end,
        };
        template.render(context).map_err(|error| error.to_string())
    }
}

fn as_hugging_face_does() -> Result<SyntaxConfig, String> {
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    syntax.map_err(|error| error.to_string())
}

fn raise_exception(reason: String) -> Result<Value, minijinja::Error> {
    Err(minijinja::Error::new(ErrorKind::InvalidOperation, reason))
}

fn token_text(header: &Header, key: &str) -> Option<String> {
    let token = usize::try_from(header.whole(key)?).ok()?;
    String::from_utf8(header.tokens.get(token)?.clone()).ok()
}

/// One of Unicode's noncharacters, which mean nothing in any text, that none of
/// these messages uses.
pub(super) fn marker(messages: &[ChatMessage]) -> Option<char> {
    let used = |marker| {
        messages
            .iter()
            .any(|message| message.content.contains(marker))
    };
    ('\u{FDD0}'..='\u{FDEF}').find(|&marker| !used(marker))
}

#[cfg(test)]
mod tests {
    use aigen_engine::Role;

    use super::*;

    fn render(source: &str, messages: &[(Role, &str)]) -> Result<String, String> {
        let header = Header::with_texts([("tokenizer.chat_template", source)]);
        let messages: Vec<ChatMessage> = messages
            .iter()
            .map(|&(role, content)| ChatMessage::new(role, content))
            .collect();
        Template::new(&header)?.render(&messages)
    }

    #[test]
    fn templates_of_the_usual_kind_render() {
        let chatml = "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + \
             m['content'] | trim + '<|im_end|>\n' }}{% endfor %}\
             {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
        let strict = "{% for m in messages %}\n  {% if m.role == 'system' %}\n\
             {{ raise_exception('no system here') }}\n  {% endif %}\n{{ m.content.strip() }}\n{% endfor %}";
        let rows = [
            (
                chatml,
                Role::User,
                " hi ",
                Ok("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"),
            ),
            (strict, Role::User, " hi ", Ok("hi\n")),
            (strict, Role::System, "hi", Err("no system here")),
            ("{% for %}", Role::User, "hi", Err("syntax error")),
        ];
        for (source, role, content, expected) in rows {
            match (render(source, &[(role, content)]), expected) {
                (Ok(text), Ok(expected)) => assert_eq!(text, expected),
                (Err(text), Err(expected)) => assert!(text.contains(expected), "{text}"),
                (got, expected) => panic!("{got:?} instead of {expected:?}"),
            }
        }
    }

    #[test]
    fn a_model_without_a_template_says_so() {
        let header = Header::with_texts([]);
        assert_eq!(
            Template::new(&header).err().as_deref(),
            Some("the model has none")
        );
    }

    #[test]
    fn a_marker_is_one_nobody_uses() {
        let message = |content: &str| [ChatMessage::new(Role::User, content)];
        assert_eq!(marker(&message("x")), Some('\u{FDD0}'));
        assert_eq!(marker(&message("\u{FDD0}\u{FDD2}")), Some('\u{FDD1}'));
        let all: String = ('\u{FDD0}'..='\u{FDEF}').collect();
        assert_eq!(marker(&message(&all)), None);
    }
}
