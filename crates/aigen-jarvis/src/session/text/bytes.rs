use aigen_engine::{ChatMessage, EngineError, TokenId, Tokenizer};

/// The vocabulary of a model whose own is not seen: every byte is a token, and one more ends the
/// turn.
pub struct Bytes {
    bytes: [u8; 256],
    end: [TokenId; 1],
}

impl Default for Bytes {
    fn default() -> Self {
        let mut bytes = [0; 256];
        for (byte, at) in (0..=u8::MAX).zip(&mut bytes) {
            *at = byte;
        }
        Self { bytes, end: [256] }
    }
}

impl Tokenizer for Bytes {
    fn encode(&self, text: &str, _: bool, _: bool) -> Vec<TokenId> {
        text.bytes().map(TokenId::from).collect()
    }

    fn token_bytes(&self, token: TokenId) -> &[u8] {
        let at = usize::try_from(token).ok();
        at.and_then(|at| self.bytes.get(at..=at)).unwrap_or(&[])
    }

    fn is_special(&self, token: TokenId) -> bool {
        self.end.contains(&token)
    }

    fn end_tokens(&self) -> &[TokenId] {
        &self.end
    }

    fn vocab_size(&self) -> u32 {
        257
    }

    /// As one text after the other: what the server makes of them is its own business.
    fn chat(&self, messages: &[ChatMessage]) -> Result<Vec<TokenId>, EngineError> {
        let texts = messages.iter().map(|message| message.content.as_str());
        let texts: Vec<_> = texts.collect();
        Ok(self.encode(&texts.join("\n"), false, false))
    }
}
