use wasmtime::Result;

use crate::bindings::aigen::controller::tokenizer::Host;
use crate::state::State;

impl Host for State {
    fn fingerprint(&mut self) -> Result<String> {
        let size = self.tokenizer.vocab_size();
        self.spend(usize::try_from(size).unwrap_or(usize::MAX))?;
        let mut hasher = blake3::Hasher::new_derive_key("aigen vocabulary 1");
        for token in 0..size {
            let bytes = self.tokenizer.token_bytes(token);
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            hasher.update(&length.to_le_bytes()).update(bytes);
            hasher.update(&[u8::from(self.tokenizer.is_special(token))]);
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    fn vocab_size(&mut self) -> Result<u32> {
        self.spend(0)?;
        Ok(self.tokenizer.vocab_size())
    }

    fn eos_tokens(&mut self) -> Result<Vec<u32>> {
        self.spend(0)?;
        Ok(self.tokenizer.end_tokens().to_vec())
    }

    fn special(&mut self, name: String) -> Result<Option<u32>> {
        self.spend(name.len() * COST_OF_ENCODING)?;
        match self.tokenizer.encode(&name, true, false)[..] {
            [token] if self.tokenizer.is_special(token) => Ok(Some(token)),
            _ => Ok(None),
        }
    }

    fn encode(&mut self, text: Vec<u8>, parse_special: bool) -> Result<Vec<u32>> {
        self.spend(text.len() * COST_OF_ENCODING)?;
        let text = String::from_utf8_lossy(&text);
        Ok(self.tokenizer.encode(&text, parse_special, false))
    }

    fn decode(&mut self, tokens: Vec<u32>) -> Result<Vec<u8>> {
        self.spend(tokens.len())?;
        Ok(self.tokenizer.decode(&tokens))
    }
}

/// Fuel for a byte of text: some 50 ns.
const COST_OF_ENCODING: usize = 100;
