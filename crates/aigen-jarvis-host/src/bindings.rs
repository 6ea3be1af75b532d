//! What wasmtime makes of `wit/controller.wit`.
#![allow(missing_docs, clippy::all, reason = "generated")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "token-controller",
    imports: {
        "aigen:controller/constraints.[static]grammar.json-schema": async | trappable,
        "aigen:controller/constraints.[static]grammar.regex": async | trappable,
        "aigen:controller/constraints.[static]grammar.lark": async | trappable,
        "aigen:controller/constraints.[static]grammar.choice": async | trappable,
        "aigen:controller/constraints.[static]grammar.quote": async | trappable,
        "aigen:controller/outside.call-tool": async | trappable,
        "aigen:controller/outside.http-get": async | trappable,
        "aigen:controller/outside.query-dataset": async | trappable,
        "aigen:controller/outside.complete": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    with: {
        "aigen:controller/constraints.grammar": crate::state::Grammar,
        "aigen:controller/constraints.matcher": aigen_jarvis::Matcher,
        "aigen:controller/constraints.token-set": crate::state::TokenSet,
    },
});
