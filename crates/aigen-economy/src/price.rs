use crate::limits::TOKENS_PER_PRICE;
use aigen_types::{Amount, mul_div_ceil};
use alloc::vec::Vec;
use core::fmt;

/// What a model asks for one call, in nano-AIGEN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Price {
    /// Per 1,000,000 prompt tokens; tokens that a controller forces cost the same.
    pub input: Amount,
    /// Per 1,000,000 prompt tokens that were found in the prefix cache.
    pub cached_input: Amount,
    /// Per 1,000,000 tokens the model computed, kept or not.
    pub output: Amount,
    /// Per request, whatever it computes.
    pub request: Amount,
}

/// What one call used, in tokens. The five counts are disjoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Usage {
    /// Prompt tokens that had to be computed.
    pub prompt_tokens: u64,
    /// Prompt tokens found in the prefix cache; not part of `prompt_tokens`.
    pub cached_prompt_tokens: u64,
    /// Output tokens the model sampled and the answer kept.
    pub sampled_tokens: u64,
    /// Output tokens a controller spliced in or a grammar forced: charged at the input price.
    pub forced_tokens: u64,
    /// Tokens computed and then backtracked, or computed in a branch that was not kept: charged
    /// at the output price, and not usage that earns a controller's developer anything.
    pub discarded_tokens: u64,
}

impl Usage {
    /// Prompt tokens, cached or not; stops at `u64::MAX`.
    #[must_use]
    pub fn all_prompt_tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.cached_prompt_tokens)
    }

    /// Output tokens of every kind: what a hold has to cover. Stops at `u64::MAX`.
    #[must_use]
    pub fn computed_tokens(&self) -> u64 {
        self.sampled_tokens
            .saturating_add(self.forced_tokens)
            .saturating_add(self.discarded_tokens)
    }

    /// Both usages together, or `None` if a count leaves `u64`.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            prompt_tokens: self.prompt_tokens.checked_add(other.prompt_tokens)?,
            cached_prompt_tokens: self
                .cached_prompt_tokens
                .checked_add(other.cached_prompt_tokens)?,
            sampled_tokens: self.sampled_tokens.checked_add(other.sampled_tokens)?,
            forced_tokens: self.forced_tokens.checked_add(other.forced_tokens)?,
            discarded_tokens: self.discarded_tokens.checked_add(other.discarded_tokens)?,
        })
    }
}

/// What a charge line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineKind {
    /// The request itself: its quantity is 1 and its unit one request.
    Request,
    /// Prompt tokens computed.
    Input,
    /// Prompt tokens found in the prefix cache.
    CachedInput,
    /// Tokens sampled and kept.
    Output,
    /// Tokens spliced in or forced, at the input price.
    Forced,
    /// Tokens computed and not kept, at the output price.
    Discarded,
    /// Rows of a dataset.
    DatasetRows,
    /// Rows of a dataset that a search found: beside what they cost as rows.
    DatasetHits,
    /// A dataset as a whole.
    DatasetDownload,
}

/// One line of a charge: a quantity at a unit price, rounded up once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChargeLine {
    /// What the line is for.
    pub kind: LineKind,
    /// Tokens, rows or hits; 1 for the request and for a download.
    pub quantity: u64,
    /// Nano-AIGEN per 1,000,000 tokens; per request, row, hit or download.
    pub unit_price: Amount,
    /// Nano-AIGEN: of tokens `quantity × unit_price / 1,000,000`, rounded up; of anything else
    /// `quantity × unit_price`, exactly.
    pub amount: Amount,
}

/// What a call costs, line by line. A kind with nothing used has no line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Charge {
    /// The lines, in the order of [`LineKind`].
    pub lines: Vec<ChargeLine>,
    /// Their sum.
    pub total: Amount,
}

impl Charge {
    /// The sum of the lines of one kind: zero if there is none.
    #[must_use]
    pub fn amount_of(&self, kind: LineKind) -> Amount {
        let lines = self.lines.iter().filter(|line| line.kind == kind);
        lines.map(|line| line.amount).sum()
    }
}

/// Why a usage has no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatingError {
    /// The charge, or a product on the way to it, leaves `u128` nano-AIGEN.
    Overflow,
}

impl fmt::Display for RatingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the charge is larger than any amount of money can be")
    }
}

impl core::error::Error for RatingError {}

/// Prices a usage: every line is rounded up once, by less than one nano-AIGEN.
///
/// # Errors
/// [`RatingError::Overflow`] when the charge leaves `u128` nano-AIGEN.
pub fn rate(price: &Price, usage: &Usage) -> Result<Charge, RatingError> {
    let used = [
        (LineKind::Request, 1, price.request),
        (LineKind::Input, usage.prompt_tokens, price.input),
        (
            LineKind::CachedInput,
            usage.cached_prompt_tokens,
            price.cached_input,
        ),
        (LineKind::Output, usage.sampled_tokens, price.output),
        (LineKind::Forced, usage.forced_tokens, price.input),
        (LineKind::Discarded, usage.discarded_tokens, price.output),
    ];
    let mut charge = Charge::default();
    for (kind, quantity, unit_price) in used.into_iter().filter(|line| line.1 > 0) {
        let amount = match kind {
            LineKind::Request => unit_price,
            _ => tokens_ceil(quantity, unit_price)?,
        };
        charge.total = add(charge.total, amount)?;
        charge.lines.push(ChargeLine {
            kind,
            quantity,
            unit_price,
            amount,
        });
    }
    Ok(charge)
}

/// The most that [`rate`] can come to for `prompt_tokens` (cached or not) and at most
/// `output_tokens` of any kind (sampled, forced and discarded together).
///
/// Every token is taken at the dearest price it may have, and every line beyond the first that
/// may round up adds one nano-AIGEN. With prices that are whole per token (multiples of
/// 1,000,000) nothing rounds and the bound is met exactly; otherwise it is at most 3 nano-AIGEN
/// above what any usage costs at the dearest price.
///
/// # Errors
/// [`RatingError::Overflow`] when the bound leaves `u128` nano-AIGEN.
pub fn cover(price: &Price, prompt_tokens: u64, output_tokens: u64) -> Result<Amount, RatingError> {
    let prompt = dearest(prompt_tokens, &[price.input, price.cached_input])?;
    let output = dearest(output_tokens, &[price.output, price.input, price.output])?;
    add(price.request, add(prompt, output)?)
}

/// The most output tokens that `amount` covers after the request and its prompt: the largest `n`
/// with `cover(price, prompt_tokens, n) <= amount`.
///
/// Zero also when the prompt alone is not covered; `u64::MAX` when output is free.
#[must_use]
pub fn affordable_output(price: &Price, prompt_tokens: u64, amount: Amount) -> u64 {
    let covered = |tokens| cover(price, prompt_tokens, tokens).is_ok_and(|most| most <= amount);
    // `cover` never falls when tokens are added, so the answer is built from its highest bit.
    let bits = (0..u64::BITS).rev().map(|shift| 1_u64 << shift);
    bits.fold(0, |tokens, bit| {
        let more = tokens | bit;
        if covered(more) { more } else { tokens }
    })
}

/// The most that `tokens` can cost on lines with these prices, however they are shared out.
///
/// `ceil(a) + ceil(b) <= ceil(a + b) + 1`, and a line whose price is whole per token is not rounded.
fn dearest(tokens: u64, prices: &[Amount]) -> Result<Amount, RatingError> {
    let highest = prices.iter().copied().max().unwrap_or(Amount::ZERO);
    let rounded = prices
        .iter()
        .filter(|price| price.nano().rem_euclid(TOKENS_PER_PRICE) != 0)
        .fold(0_u64, |lines, _| lines.saturating_add(1));
    let extra = rounded.min(tokens).saturating_sub(1);
    add(
        tokens_ceil(tokens, highest)?,
        Amount::from_nano(u128::from(extra)),
    )
}

fn tokens_ceil(tokens: u64, per_million: Amount) -> Result<Amount, RatingError> {
    mul_div_ceil(u128::from(tokens), per_million.nano(), TOKENS_PER_PRICE)
        .map(Amount::from_nano)
        .ok_or(RatingError::Overflow)
}

fn add(a: Amount, b: Amount) -> Result<Amount, RatingError> {
    a.checked_add(b).ok_or(RatingError::Overflow)
}

#[cfg(test)]
mod tests;
