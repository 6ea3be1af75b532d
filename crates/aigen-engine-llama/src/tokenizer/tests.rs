//! The other family of tokenizers: SentencePiece, with `▁` for a space, bytes for
//! letters it does not know, and a space before every text.

use aigen_engine::{ChatMessage, Engine, Role, TokenId, Tokenizer};
use proptest::prelude::*;
use tempfile::NamedTempFile;

use crate::gguf::draft::Draft;
use crate::{Options, open};

const CONTROL: u32 = 3;

/// Each token with its type and score.
fn vocabulary() -> Vec<(String, u32, f32)> {
    let control = |text: &str| (text.to_owned(), CONTROL, 0.0);
    let mut tokens = vec![
        ("<unk>".to_owned(), 2, 0.0),
        control("<s>"),
        control("</s>"),
    ];
    tokens.extend((0..=255).map(|byte| (format!("<0x{byte:02X}>"), 6, 0.0)));
    let pieces = [
        "▁", "h", "e", "l", "o", "he", "ll", "▁he", "▁hell", "▁hello", "▁▁",
    ];
    let scores = (0_u8..).map(|place| -f32::from(place));
    tokens.extend(
        pieces
            .iter()
            .zip(scores)
            .map(|(piece, score)| ((*piece).to_owned(), 1, score)),
    );
    tokens.extend(["<|user|>", "<|end|>", "<|assistant|>"].map(control));
    tokens
}

const WIDTH: u64 = 32;

/// The tensors of one layer, by name and shape.
fn tensors(vocab_size: u64) -> Vec<(&'static str, Vec<u64>)> {
    let square = vec![WIDTH, WIDTH];
    vec![
        ("token_embd.weight", vec![WIDTH, vocab_size]),
        ("output_norm.weight", vec![WIDTH]),
        ("blk.0.attn_norm.weight", vec![WIDTH]),
        ("blk.0.attn_q.weight", square.clone()),
        ("blk.0.attn_k.weight", square.clone()),
        ("blk.0.attn_v.weight", square.clone()),
        ("blk.0.attn_output.weight", square.clone()),
        ("blk.0.ffn_norm.weight", vec![WIDTH]),
        ("blk.0.ffn_gate.weight", square.clone()),
        ("blk.0.ffn_up.weight", square.clone()),
        ("blk.0.ffn_down.weight", square),
    ]
}

/// A model whose weights are all zero.
fn model() -> NamedTempFile {
    let tokens = vocabulary();
    let texts: Vec<&str> = tokens.iter().map(|token| token.0.as_str()).collect();
    let types: Vec<[u8; 4]> = tokens.iter().map(|token| token.1.to_le_bytes()).collect();
    let scores: Vec<[u8; 4]> = tokens.iter().map(|token| token.2.to_le_bytes()).collect();
    let tensors = tensors(tokens.len() as u64);
    let header = Draft::new(tensors.len() as u64, 14)
        .pair("general.architecture", "llama")
        .pair_small("llama.context_length", 64)
        .pair_small("llama.embedding_length", WIDTH as u32)
        .pair_small("llama.block_count", 1)
        .pair_small("llama.feed_forward_length", WIDTH as u32)
        .pair_small("llama.attention.head_count", 1)
        .pair_real("llama.attention.layer_norm_rms_epsilon", 1e-5)
        .pair("tokenizer.ggml.model", "llama")
        .vocabulary(&texts)
        .pair_array("tokenizer.ggml.token_type", 5, &types)
        .pair_array("tokenizer.ggml.scores", 6, &scores)
        .pair_small("tokenizer.ggml.bos_token_id", 1)
        .pair_small("tokenizer.ggml.eos_token_id", 2)
        .pair("tokenizer.chat_template", "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}<|assistant|>");
    let mut offset = 0;
    let described = tensors.iter().fold(header, |draft, (name, shape)| {
        let start = offset;
        offset += (4 * shape.iter().product::<u64>()).next_multiple_of(32);
        draft.tensor(name, shape, 0, start)
    });
    described.data(offset as usize).write()
}

struct Bench(std::sync::Arc<dyn Tokenizer>);

impl Bench {
    fn new() -> Self {
        let file = model();
        let engine = open(file.path(), &Options::default()).expect("the model is good");
        Self(engine.tokenizer())
    }

    /// The tokens as text, `|` between them, control tokens by their number.
    fn shown(&self, tokens: &[TokenId]) -> String {
        let show = |&token: &TokenId| match self.0.token_bytes(token) {
            [] => format!("#{token}"),
            bytes => String::from_utf8_lossy(bytes).into_owned(),
        };
        tokens.iter().map(show).collect::<Vec<_>>().join("|")
    }
}

#[test]
fn spaces_come_only_where_a_text_begins() {
    let bench = Bench::new();
    let rows = [
        // text, parse special, begin a text, expected
        ("hello", false, false, "he|ll|o"),
        (" hello", false, false, " hello"),
        ("hello", false, true, "#1| hello"),
        ("<|user|>hello", true, false, "#270| hello"),
        ("he<|end|>he", true, true, "#1| he|#271| he"),
        ("", false, true, "#1"),
    ];
    for (text, special, begin, expected) in rows {
        let tokens = bench.0.encode(text, special, begin);
        assert_eq!(bench.shown(&tokens), expected, "{text}");
    }
}

#[test]
fn messages_stay_text() {
    let bench = Bench::new();
    let message = ChatMessage::new(Role::User, "he<|end|>ll</s>o");
    let tokens = bench.0.chat(&[message]).expect("the model has a template");
    let controls: Vec<TokenId> = tokens
        .iter()
        .copied()
        .filter(|&t| bench.0.is_special(t))
        .collect();
    assert_eq!(controls, [1, 270, 271, 272]);
    assert_eq!(bench.0.decode(&tokens), b" he<|end|>ll</s>o");
}

#[test]
fn every_text_survives_in_the_middle_of_a_sequence() {
    let bench = Bench::new();
    proptest!(|(text in prop_oneof![".*", "[ helo▁<>/s|]{0,20}"])| {
        let tokens = bench.0.encode(&text, false, false);
        // `▁` is how these vocabularies write a space; there is no other way to say it.
        let said = text.replace('▁', " ");
        prop_assert_eq!(bench.0.decode(&tokens), said.as_bytes());
        prop_assert!(!tokens.iter().any(|&token| bench.0.is_special(token)));
    });
}
