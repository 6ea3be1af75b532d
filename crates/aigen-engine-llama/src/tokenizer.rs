mod special;
mod template;

use std::sync::Arc;

use aigen_engine::{ChatMessage, EngineError, TokenId, Tokenizer};
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token_type::LlamaTokenAttr;

use crate::gguf::Header;
use special::{Fragment, Specials};
use template::Template;

/// The vocabulary of a loaded model.
///
/// llama.cpp turns plain text into tokens; finding control tokens in text is done
/// here, so that what a conversation's messages say can be kept apart from what
/// its template says.
pub(crate) struct LlamaTokenizer {
    model: Arc<LlamaModel>,
    /// The bytes of all tokens in a row; those of token `t` are
    /// `bytes[starts[t]..starts[t + 1]]`.
    bytes: Vec<u8>,
    starts: Vec<usize>,
    special: Vec<bool>,
    ends: Vec<TokenId>,
    /// Put before a text when the caller asks and the model was trained so.
    begin: Option<TokenId>,
    /// The model was trained with a space before every text.
    space_first: bool,
    specials: Specials,
    template: Result<Template, String>,
}

/// Whether llama.cpp would put a space before texts that have none. It would do so
/// in the middle of a sequence too, so it is told not to and [`LlamaTokenizer`]
/// does it where a text begins.
pub(crate) fn space_first(header: &Header) -> bool {
    let sentencepiece = header.text("tokenizer.ggml.model") == Some("llama");
    header.flag(SPACE_FIRST).unwrap_or(sentencepiece) && sentencepiece
}

/// The metadata key of that behaviour.
pub(crate) const SPACE_FIRST: &str = "tokenizer.ggml.add_space_prefix";

impl LlamaTokenizer {
    pub fn new(model: Arc<LlamaModel>, header: &Header) -> Self {
        let vocab = model.vocab();
        let mut tokenizer = Self {
            bytes: Vec::new(),
            starts: vec![0],
            special: Vec::new(),
            ends: ends(&model),
            begin: (vocab.should_add_bos() && vocab.bos().0 >= 0).then(|| vocab.bos().0 as TokenId),
            space_first: space_first(header),
            specials: Specials::of(&model),
            template: Template::new(header),
            model: Arc::clone(&model),
        };
        for token in vocab.tokens() {
            vocab.token_to_piece_into(token, &mut tokenizer.bytes, false, None);
            tokenizer.starts.push(tokenizer.bytes.len());
            tokenizer.special.push(is_special(&model, token));
        }
        tokenizer
    }

    /// The tokens of one stretch of plain text; never a control token.
    fn encode_raw(&self, text: &str, first: bool) -> Vec<TokenId> {
        if first && self.space_first && !text.is_empty() {
            return self.encode_raw(&format!(" {text}"), false);
        }
        let tokens = self.encode_unchecked(text);
        if !tokens.iter().any(|&token| self.is_special(token)) {
            return tokens;
        }
        // Some vocabularies look whole words up, control tokens among them. Letter
        // by letter none of them fits any more.
        let letters = text
            .char_indices()
            .map(|(at, letter)| &text[at..at + letter.len_utf8()]);
        let tokens = letters.flat_map(|letter| self.encode_unchecked(letter));
        tokens.filter(|&token| !self.is_special(token)).collect()
    }

    fn encode_unchecked(&self, text: &str) -> Vec<TokenId> {
        let tokens = self.model.vocab().tokenize(text.as_bytes(), false, false);
        tokens.into_iter().map(|token| token.0 as TokenId).collect()
    }

    fn encode_fragments(&self, fragments: &[Fragment<'_>], first: bool) -> Vec<TokenId> {
        let mut tokens = Vec::new();
        let mut first = first;
        for fragment in fragments {
            match fragment {
                Fragment::Special(token) => tokens.push(*token),
                Fragment::Text(text) => tokens.extend(self.encode_raw(text, first)),
            }
            first = matches!(fragment, Fragment::Special(_));
        }
        tokens
    }

    fn with_begin(&self, tokens: Vec<TokenId>) -> Vec<TokenId> {
        match self.begin {
            Some(begin) if tokens.first() != Some(&begin) => {
                std::iter::once(begin).chain(tokens).collect()
            }
            _ => tokens,
        }
    }
}

impl Tokenizer for LlamaTokenizer {
    fn encode(&self, text: &str, parse_special: bool, add_bos: bool) -> Vec<TokenId> {
        let fragments = if parse_special {
            self.specials.split(text)
        } else {
            vec![Fragment::Text(text.into())]
        };
        let tokens = self.encode_fragments(&fragments, add_bos);
        if add_bos {
            self.with_begin(tokens)
        } else {
            tokens
        }
    }

    fn token_bytes(&self, token: TokenId) -> &[u8] {
        match self.starts.get(token as usize..token as usize + 2) {
            Some(&[start, end]) => &self.bytes[start..end],
            _ => &[],
        }
    }

    fn is_special(&self, token: TokenId) -> bool {
        self.special.get(token as usize).copied().unwrap_or(false)
    }

    fn end_tokens(&self) -> &[TokenId] {
        &self.ends
    }

    fn vocab_size(&self) -> u32 {
        self.special.len() as u32
    }

    fn chat(&self, messages: &[ChatMessage]) -> Result<Vec<TokenId>, EngineError> {
        let failed = |reason: String| EngineError::ChatTemplate { reason };
        let template = self
            .template
            .as_ref()
            .map_err(|reason| failed(reason.clone()))?;
        let marker = template::marker(messages)
            .ok_or_else(|| failed("the messages use every marker there is".to_owned()))?;
        let marked: Vec<ChatMessage> = messages
            .iter()
            .map(|message| {
                let content = self.specials.defuse(&message.content, marker);
                ChatMessage::new(message.role, content)
            })
            .collect();
        let text = template.render(&marked).map_err(failed)?;
        let fragments: Vec<Fragment<'_>> = self
            .specials
            .split(&text)
            .into_iter()
            .map(|fragment| fragment.without(marker))
            .collect();
        Ok(self.with_begin(self.encode_fragments(&fragments, true)))
    }
}

fn is_special(model: &LlamaModel, token: LlamaToken) -> bool {
    let attributes = model.vocab().attr(token);
    attributes.intersects(LlamaTokenAttr::Control | LlamaTokenAttr::Unknown)
}

/// Every token that ends a generation, the one the model names first.
fn ends(model: &LlamaModel) -> Vec<TokenId> {
    let vocab = model.vocab();
    let primary = vocab.eos();
    let mut ends: Vec<LlamaToken> = vocab
        .tokens()
        .filter(|&token| vocab.is_eog(token))
        .collect();
    ends.sort_by_key(|&token| (token != primary, token.0));
    ends.into_iter().map(|token| token.0 as TokenId).collect()
}

#[cfg(test)]
mod tests;
