//! The engine port: tokens in, logits out; scheduler, sampler and capabilities.
