use aigen_api::openai::{TokenLogprob, TopLogprob};
use aigen_node::{TokenId, TokenLogprobs, Tokenizer};

/// What JSON, which has no infinity, says of a token that cannot occur. OpenAI's own number.
const IMPOSSIBLE: f64 = -9999.0;

/// The sampled tokens of a piece. One that ends the answer is not part of it and has no entry.
/// Without a tokenizer there are none to spell.
pub(super) fn logprobs(
    tokens: Vec<TokenLogprobs>,
    tokenizer: Option<&dyn Tokenizer>,
) -> Vec<TokenLogprob> {
    let Some(tokenizer) = tokenizer else {
        return Vec::new();
    };
    let tokens = tokens.into_iter();
    tokens
        .filter(|token| !tokenizer.is_special(token.token))
        .map(|token| entry(&token, tokenizer))
        .collect()
}

fn entry(token: &TokenLogprobs, tokenizer: &dyn Tokenizer) -> TokenLogprob {
    let (text, bytes) = spelled(token.token, tokenizer);
    let top = token.top.iter().map(|top| {
        let (token, bytes) = spelled(top.token, tokenizer);
        TopLogprob {
            token,
            logprob: finite(top.logprob),
            bytes: Some(bytes),
        }
    });
    TokenLogprob {
        token: text,
        logprob: finite(token.logprob),
        bytes: Some(bytes),
        top_logprobs: top.collect(),
    }
}

fn spelled(token: TokenId, tokenizer: &dyn Tokenizer) -> (String, Vec<u8>) {
    let bytes = tokenizer.token_bytes(token);
    (String::from_utf8_lossy(bytes).into_owned(), bytes.to_vec())
}

fn finite(logprob: f32) -> f64 {
    f64::from(logprob).max(IMPOSSIBLE)
}
