//! The wire: OpenAI-compatible and AiGen's own request and response shapes.
