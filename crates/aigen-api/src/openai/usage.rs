use serde::{Deserialize, Serialize};

/// What a call used, in tokens. Counted whether asked for or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub prompt_tokens: u64,
    /// Tokens of the output: sampled, forced and discarded ones.
    pub completion_tokens: u64,
    /// `prompt_tokens + completion_tokens`.
    pub total_tokens: u64,
    /// Of the prompt tokens.
    #[serde(default)]
    pub prompt_tokens_details: PromptTokensDetails,
    /// Of the completion tokens.
    #[serde(default)]
    pub completion_tokens_details: CompletionTokensDetails,
}

impl Usage {
    /// The usage of a call with these totals, saturating at `u64::MAX`.
    #[must_use]
    pub fn new(
        prompt_tokens: u64,
        prompt_tokens_details: PromptTokensDetails,
        completion_tokens: u64,
        completion_tokens_details: CompletionTokensDetails,
    ) -> Self {
        Self {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens.saturating_add(completion_tokens),
            prompt_tokens_details,
            completion_tokens_details,
        }
    }
}

/// Parts of `prompt_tokens`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromptTokensDetails {
    /// Prompt tokens whose computation was reused.
    pub cached_tokens: u64,
}

/// Parts of `completion_tokens`. OpenAI's own key first, then what controllers do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CompletionTokensDetails {
    /// Tokens of reasoning that the answer does not show.
    pub reasoning_tokens: u64,
    /// Tokens a controller spliced in or a grammar forced: charged at the input price.
    pub forced_tokens: u64,
    /// Tokens computed and then given up, by backtracking or in a branch that was not kept.
    pub discarded_tokens: u64,
}
