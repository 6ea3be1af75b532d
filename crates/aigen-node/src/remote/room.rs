//! How long an answer elsewhere may be, beside a prompt whose tokens nobody here can count. Servers refuse
//! what does not fit their context together, and nobody who does not say how long an answer may be can correct that.

use crate::error::NodeError;
use crate::limits::ANSWER_TOKENS_LEAST;
use aigen_engine::text::{TextInfo, TextRequest};

/// An estimate goes by 4 bytes to a token. 16 have no text that is not all alike: what is longer does not fit,
/// however it is cut.
const LEAST: u64 = 4;

/// Code, and scripts other than Latin, have down to 2 bytes to a token.
const MOST: u64 = 2;

/// Output tokens that the caller wants and the context can hold. Where the estimate leaves hardly any, the
/// upstream is asked for few: it can count, and says what there are too many of.
///
/// # Errors
/// A prompt that cannot fit.
pub(crate) fn room(
    info: &TextInfo,
    request: &TextRequest,
    wanted: Option<u32>,
) -> Result<u32, NodeError> {
    let estimated = request.prompt_tokens_estimated();
    let (least, context) = (estimated / LEAST, u64::from(info.context_tokens));
    if least >= context {
        return Err(NodeError::PromptTooLong { least, context });
    }
    let (wanted, prompt) = match wanted {
        Some(wanted) => (wanted, estimated),
        None => (info.answer_tokens, estimated * MOST),
    };
    let left = context.saturating_sub(prompt);
    let left = left.max(ANSWER_TOKENS_LEAST).min(context);
    Ok(wanted.min(u32::try_from(left).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aigen_engine::ControlLevel;
    use aigen_engine::sampler::Sampling;
    use aigen_engine::text::TextPrompt;
    use aigen_types::Digest;

    /// Bytes of the prompt, of which 4 are a token and whose frame is another; the context; what is wanted;
    /// what is asked for.
    #[test]
    fn an_answer_has_the_room_that_its_prompt_leaves() {
        type Row = (usize, u32, Option<u32>, Result<u32, u64>);
        const ROWS: &[Row] = &[
            (396, 8_192, None, Ok(4_096)),
            // As much again is left for what the estimate may be wrong by.
            (396, 4_096, None, Ok(3_896)),
            (396, 4_096, Some(5), Ok(5)),
            (396, 4_096, Some(3_900), Ok(3_900)),
            (396, 4_096, Some(4_096), Ok(3_996)),
            (396, 4_096, Some(u32::MAX), Ok(3_996)),
            // Who can count says whether they fit.
            (16_000, 4_096, None, Ok(256)),
            (16_000, 4_096, Some(20), Ok(20)),
            (16_000, 4_096, Some(4_096), Ok(256)),
            (65_000, 4_096, Some(5), Ok(5)),
            (65_532, 4_096, Some(5), Err(4_096)),
            (100_000, 4_096, None, Err(6_250)),
            (0, 64, None, Ok(64)),
            (1_020, 64, Some(5), Err(64)),
        ];
        for (bytes, context_tokens, wanted, expected) in ROWS {
            let info = TextInfo {
                digest: Digest([7; 32]),
                context_tokens: *context_tokens,
                answer_tokens: 4_096.min(*context_tokens),
                control: ControlLevel::Text,
                tools: false,
                probabilities: false,
                upstreams: Vec::new(),
            };
            let request = TextRequest {
                prompt: TextPrompt::Plain("x".repeat(*bytes)),
                max_tokens: 0,
                sampling: Sampling::greedy(),
                stops: Vec::new(),
                schema: None,
                tools: None,
                probabilities: false,
                traceparent: None,
            };
            let asked = room(&info, &request, *wanted).map_err(|error| match error {
                NodeError::PromptTooLong { least, .. } => least,
                error => panic!("{error}"),
            });
            assert_eq!(asked, *expected, "{bytes} {context_tokens} {wanted:?}");
        }
    }
}
