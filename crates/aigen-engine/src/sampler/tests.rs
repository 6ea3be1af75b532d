use proptest::prelude::*;

use super::*;

const MASKED: f32 = f32::NEG_INFINITY;

fn draw(position: u32) -> Draw {
    Draw {
        position,
        ..Draw::default()
    }
}

/// The tokens 2,000 draws bring, in ascending order.
fn reachable(sampling: Sampling, logits: &[f32]) -> Vec<TokenId> {
    let sampler = Sampler::new(sampling);
    let sampled = (0..2000).map(|at| sampler.sample(&mut logits.to_vec(), draw(at)));
    let mut tokens: Vec<TokenId> = sampled
        .map(|token| token.expect("something is allowed"))
        .collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

#[test]
fn parameters_bound_what_can_be_sampled() {
    let any = Sampling::default;
    // Probabilities 64, 24, 9 and 3 in a hundred: each logit is 1 below the last.
    let logits = [4.0, 3.0, 2.0, 1.0];
    let rows: [(&str, Sampling, &[f32], &[TokenId]); 13] = [
        ("all", any(), &logits, &[0, 1, 2, 3]),
        ("greedy", Sampling::greedy(), &logits, &[0]),
        ("greedy, equals", Sampling::greedy(), &[1.0, 2.0, 2.0], &[1]),
        (
            "greedy, NaN and mask",
            Sampling::greedy(),
            &[f32::NAN, MASKED, 0.0],
            &[2],
        ),
        (
            "NaN and mask",
            any(),
            &[f32::NAN, 1.0, MASKED, 1.0],
            &[1, 3],
        ),
        (
            "infinite",
            any(),
            &[1.0, f32::INFINITY, f32::INFINITY],
            &[1, 2],
        ),
        ("top-k", Sampling { top_k: 2, ..any() }, &logits, &[0, 1]),
        (
            "top-p",
            Sampling {
                top_p: 0.7,
                ..any()
            },
            &logits,
            &[0, 1],
        ),
        (
            "top-p 0",
            Sampling {
                top_p: 0.0,
                ..any()
            },
            &logits,
            &[0],
        ),
        (
            "min-p",
            Sampling {
                min_p: 0.1,
                ..any()
            },
            &logits,
            &[0, 1, 2],
        ),
        (
            "min-p too large",
            Sampling {
                min_p: 7.0,
                ..any()
            },
            &logits,
            &[0],
        ),
        (
            "cold",
            Sampling {
                temperature: 0.01,
                ..any()
            },
            &logits,
            &[0],
        ),
        (
            "bias",
            Sampling {
                bias: vec![(3, 100.0), (9, 1.0)],
                ..any()
            },
            &logits,
            &[3],
        ),
    ];
    for (name, sampling, logits, expected) in rows {
        assert_eq!(reachable(sampling, logits), expected, "{name}");
    }
}

#[test]
fn an_empty_mask_is_an_error() {
    for logits in [&[MASKED, f32::NAN][..], &[]] {
        for sampling in [Sampling::default(), Sampling::greedy()] {
            let sampled = Sampler::new(sampling).sample(&mut logits.to_vec(), draw(0));
            assert_eq!(sampled, Err(NothingAllowed));
        }
    }
}

#[test]
fn penalties_count_what_was_sampled() {
    let penal = |repetition, presence, frequency| Sampling {
        repetition_penalty: repetition,
        presence_penalty: presence,
        frequency_penalty: frequency,
        ..Sampling::greedy()
    };
    // Tokens 0 (twice) and 1 (once) were sampled.
    let rows = [
        ("none", penal(1.0, 0.0, 0.0), [4.0, -4.0, 1.0]),
        ("repetition", penal(2.0, 0.0, 0.0), [2.0, -8.0, 1.0]),
        ("presence", penal(1.0, 0.5, 0.0), [3.5, -4.5, 1.0]),
        ("frequency", penal(1.0, 0.0, 0.5), [3.0, -4.5, 1.0]),
    ];
    for (name, sampling, expected) in rows {
        let mut sampler = Sampler::new(sampling);
        [0, 1, 0, 2]
            .into_iter()
            .for_each(|token| sampler.accept(token));
        sampler.retract(2);
        let mut logits = [4.0, -4.0, 1.0];
        sampler
            .sample(&mut logits, draw(0))
            .expect("all are allowed");
        assert_eq!(logits, expected, "{name}");
    }
}

#[test]
fn frequencies_follow_the_probabilities() {
    let sampler = Sampler::new(Sampling {
        seed: 7,
        ..Sampling::default()
    });
    let logits = [0.5_f32.ln(), 0.3_f32.ln(), 0.2_f32.ln()];
    let mut counts = [0_u32; 3];
    for position in 0..20_000 {
        let token = sampler
            .sample(&mut logits.clone(), draw(position))
            .expect("all allowed");
        counts[token as usize] += 1;
    }
    // Four standard deviations of 20,000 draws are at most 283.
    for (count, expected) in counts.into_iter().zip([10_000, 6_000, 4_000]) {
        assert!(count.abs_diff(expected) < 283, "{counts:?}");
    }
}

#[test]
fn every_part_of_the_key_counts() {
    let at = |branch, attempt, position| Draw {
        branch,
        attempt,
        position,
    };
    let draws = [at(0, 0, 0), at(1, 0, 0), at(0, 1, 0), at(0, 0, 1)];
    let mut bits: Vec<u64> = draws.iter().map(|draw| draw.bits(0)).collect();
    bits.extend(draws.iter().map(|draw| draw.bits(1)));
    bits.sort_unstable();
    bits.dedup();
    assert_eq!(bits.len(), 8);
    // Computed by another implementation; a change here changes every recorded run.
    assert_eq!(at(1, 2, 3).bits(4), 12_143_183_066_818_990_634);
}

#[test]
fn logprobs_are_the_models_own() {
    let logits = [0.0, 2.0_f32.ln(), f32::NAN, MASKED, 0.0];
    let (own, top) = logprobs(&logits, 1, 3);
    assert!((own.logprob - 0.5_f32.ln()).abs() < 1e-6);
    assert_eq!(top.iter().map(|t| t.token).collect::<Vec<_>>(), [1, 0, 4]);
    assert_eq!(logprobs(&logits, 2, 0).0.logprob, MASKED);
    assert_eq!(logprobs(&logits, 3, 9).1.len(), 4);
    assert_eq!(logprobs(&logits, 99, 0).0.logprob, MASKED);
}

/// The nucleus by its definition: sort all, add up until it is enough.
fn nucleus(candidates: &[Candidate], top_p: f64) -> Vec<Candidate> {
    let mut sorted = candidates.to_vec();
    sorted.sort_by(likelier);
    let enough = top_p * total(candidates);
    let mut sum = 0.0;
    let before = sorted.iter().take_while(|candidate| {
        let more = sum < enough;
        sum += f64::from(candidate.1);
        more
    });
    let count = before.count().max(1);
    sorted.truncate(count);
    sorted
}

proptest! {
    #[test]
    fn the_nucleus_is_found_without_sorting_all(
        weights in proptest::collection::vec(0.001_f32..1.0, 1..700),
        top_p in 0.0_f64..1.0,
    ) {
        let mut candidates: Vec<Candidate> = (0..).zip(weights).collect();
        let expected = nucleus(&candidates, top_p);
        keep_nucleus(&mut candidates, top_p);
        prop_assert_eq!(candidates, expected);
    }

    #[test]
    fn whatever_the_logits_the_choice_is_allowed_and_repeatable(
        mut logits in proptest::collection::vec(proptest::num::f32::ANY, 1..50),
        temperature in 0.0_f32..3.0,
        top_k in 0_u32..10,
        top_p in 0.0_f32..1.2,
        seed: u64,
    ) {
        let sampling = Sampling { temperature, top_k, top_p, seed, ..Sampling::default() };
        let sampler = Sampler::new(sampling);
        let original = logits.clone();
        let first = sampler.sample(&mut logits.clone(), draw(1));
        prop_assert_eq!(first, sampler.sample(&mut logits, draw(1)));
        match first {
            Ok(token) => prop_assert!(original[token as usize] > MASKED),
            Err(NothingAllowed) => {
                prop_assert!(original.iter().all(|logit| logit.is_nan() || *logit == MASKED));
            }
        }
    }
}
