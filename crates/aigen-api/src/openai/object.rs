//! The `object` field of each reply: one constant per shape.

use serde::{Deserialize, Serialize};

macro_rules! object {
    ($($name:ident, $text:literal;)*) => {
        $(
            #[doc = concat!("The constant `\"", $text, "\"`.")]
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
            pub enum $name {
                #[doc = concat!("`\"", $text, "\"`.")]
                #[default]
                #[serde(rename = $text)]
                Is,
            }
        )*
    };
}

object! {
    ChatObject, "chat.completion";
    ChatChunkObject, "chat.completion.chunk";
    CompletionObject, "text_completion";
    EmbeddingObject, "embedding";
    ListObject, "list";
    ModelObject, "model";
    ResponsesObject, "response";
}
