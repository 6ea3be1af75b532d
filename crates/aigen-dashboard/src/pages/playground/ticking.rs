//! What an answer has cost so far, by the model's price: an estimate until its receipt is there.

use crate::api::Asked;
use crate::show::plain;
use aigen_api::openai::{ModelPrice, Tokenized};
use aigen_types::Amount;
use serde_json::{Value, json};

const TOKENS_PER_PRICE: u128 = 1_000_000;

/// A cost that grows with the answer.
pub struct Ticking {
    price: ModelPrice,
    /// Prompt tokens and forced ones, which cost the same.
    read: u64,
    /// Tokens that the model computed, whether they stand or not.
    computed: u64,
}

impl Ticking {
    /// The prompt is counted where the model's own tokenizer is here; otherwise the estimate is
    /// of the answer alone.
    pub async fn begin(api: &Asked<'_>, price: ModelPrice, request: &Value) -> Self {
        let prompt = json!({ "model": request["model"], "messages": request["messages"] });
        let counted = api.post::<Tokenized>("/tokenize", &prompt).await;
        Self {
            price,
            read: counted.map_or(0, |counted| counted.count),
            computed: 0,
        }
    }

    /// Another token of the answer, or some that were taken back: those were counted already.
    pub fn tick(&mut self, told: &Value) {
        match told["kind"].as_str() {
            Some("forced") => self.read += 1,
            Some(_) => self.computed += 1,
            None => {}
        }
    }

    pub fn told(&self) -> Value {
        let so_far = plain(self.cost());
        json!({ "text": format!("about {so_far} AIGEN so far") })
    }

    fn cost(&self) -> Amount {
        let of = |tokens: u64, price: Amount| {
            let product = price.nano().saturating_mul(tokens.into());
            product.div_ceil(TOKENS_PER_PRICE)
        };
        let read = of(self.read, self.price.input);
        let computed = of(self.computed, self.price.output);
        let request = self.price.request.nano();
        Amount::from_nano(request.saturating_add(read).saturating_add(computed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_costs_by_how_it_came_about() {
        let price = ModelPrice {
            input: Amount::from_nano(1_000_000),
            cached_input: Amount::ZERO,
            output: Amount::from_nano(3_000_000),
            request: Amount::from_nano(100),
        };
        let mut ticking = Ticking {
            price,
            read: 20,
            computed: 0,
        };
        for (told, nano) in [
            (json!({ "kind": "forced", "text": "a" }), 121),
            (json!({ "kind": "sampled", "text": "b" }), 124),
            (json!({ "kind": "masked", "text": "c" }), 127),
            (json!({ "removed": 2 }), 127),
            (json!({ "kind": "forked", "text": "d" }), 130),
        ] {
            ticking.tick(&told);
            assert_eq!(ticking.cost().nano(), nano, "{told}");
        }
        assert_eq!(ticking.told()["text"], "about 0.00000013 AIGEN so far");
    }
}
