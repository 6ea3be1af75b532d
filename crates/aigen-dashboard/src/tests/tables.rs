//! The tables of what is used: models and functions apart, and each spender in one line.

use super::api;
use super::datasets::{page, rows};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

/// The API, and these lists of it.
fn with(lists: &[(&str, Value)]) -> Router {
    let each = lists.iter().cloned();
    each.fold(api(), |router, (path, data)| {
        router.route(path, get(async move || Json(json!({"data": data}))))
    })
}

#[tokio::test]
async fn what_a_spender_called_and_read_is_one_line() {
    let used = |spender: &str, calls: u64, rows: u64, charged: &str| {
        let tokens = json!({
            "prompt_tokens": calls * 10, "cached_prompt_tokens": 0, "sampled_tokens": calls, "forced_tokens": calls,
            "discarded_tokens": 0,
        });
        json!({
            "account": "org:acme", "spender": spender, "calls": calls, "rows": rows, "usage": tokens,
            "charged_nano": charged, "given_back_nano": "0",
        })
    };
    let usage = json!([
        used("org:acme:app:a", 2, 0, "20"),
        used("org:acme:app:a", 0, 3, "5"),
        used("org:acme:app:b", 0, 1, "1"),
    ]);
    let api = with(&[
        ("/v1/aigen/usage", usage),
        ("/v1/aigen/budgets", json!([])),
        ("/v1/aigen/allowances", json!([])),
    ]);
    let told = [
        "org:acme:app:a | org:acme | 2 | 20 | 4 | 3 | 0.000000025",
        "org:acme:app:b | org:acme | 0 | 0 | 0 | 1 | 0.000000001",
    ];
    assert_eq!(rows(&page(api, "/spending").await, "Who spent what"), told);
}

#[tokio::test]
async fn reads_of_datasets_have_receipts_too() {
    let read = json!({
        "id": "0a".repeat(16), "kind": "dataset_read", "total_nano": "20", "margin_nano": "0",
        "read": {
            "dataset": "acme/faq@1.0.0", "purpose": "read", "columns": [], "rows": 3, "hits": 0, "ranges": [],
            "fee_nano": "20", "provider": "org:acme", "earned_nano": "19",
        },
        "lines": [], "payer": "user:ada", "spender": "user:ada", "budgets": [], "corrections": [], "split": [],
        "created": 0, "journal_seq": 9,
    });
    let api = with(&[
        ("/v1/aigen/receipts", json!([])),
        ("/v1/aigen/reads", json!([read])),
    ]);
    let page = page(api, "/receipts").await;
    let told = rows(&page, "Reads of datasets");
    let [told] = &told[..] else {
        panic!("{told:?}")
    };
    let ends = " | acme/faq@1.0.0 | read | user:ada | 3 | 0.00000002";
    assert!(told.ends_with(ends), "{told}");
    let link = format!("href=\"/receipts/{}\"", "0a".repeat(16));
    assert!(page.contains(&link), "{page}");
}
