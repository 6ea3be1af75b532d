//! The tables of datasets: what is offered, how far imports are, what was earned and granted.

use super::{Browser, HOSTILE, api};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

fn offered(reference: &str, changes: &Value) -> Value {
    let mut dataset = json!({
        "reference": reference, "content": "07".repeat(32), "rows": 12_345, "bytes": 9_000_000,
        "columns": [{"name": "question", "type": "text"}, {"name": "votes", "type": "integer?"}],
        "description": "", "licence": "MIT", "uses": ["read", "completion"], "open": false, "here": true,
        "price": {"per_row_nano": "2000000", "per_hit_nano": "500", "per_download_nano": "0"},
        "provider": "org:acme", "by": "org:acme", "published_at": 1_700_000_000_000_000_000_u64, "journal_seq": 9,
    });
    let fields = changes.as_object().unwrap().clone();
    dataset.as_object_mut().unwrap().extend(fields);
    dataset
}

/// `datasets`, `imports` and `earnings` answer with these.
fn before(datasets: Value, imports: Value, earnings: Value) -> Router {
    let list = |data: Value| get(async move || Json(json!({"data": data})));
    let one = get(async || Json(offered("acme/faq@1.0.0", &json!({"here": false}))));
    let grants = json!([
        {"to": "user:ada", "columns": ["question"], "uses": ["read"], "until": 9_000_000_000_000_000_000_u64},
        {"to": "user:eve", "columns": [], "uses": []},
    ]);
    api()
        .route("/v1/aigen/datasets", list(datasets))
        .route("/v1/aigen/datasets/acme/{name}", one)
        .route("/v1/aigen/datasets/acme/{name}/grants", list(grants))
        .route("/v1/aigen/imports", list(imports))
        .route("/v1/aigen/earnings", list(earnings))
}

/// The text of each row of a table, its cells beside one another.
pub(super) fn rows(page: &str, label: &str) -> Vec<String> {
    let from = format!("aria-label=\"{label}\"");
    let Some((_, table)) = page.split_once(&from) else {
        return Vec::new();
    };
    let (_, body) = table.split_once("<tbody>").unwrap();
    let (body, _) = body.split_once("</tbody>").unwrap();
    let rows = body.split("<tr>").skip(1);
    rows.map(|row| {
        let cells = row.split("<td").skip(1).map(text);
        cells.collect::<Vec<_>>().join(" | ")
    })
    .collect()
}

/// What is left of a cell without its tags; thin spaces as plain ones.
fn text(cell: &str) -> String {
    let parts = cell.split('<').filter_map(|part| part.split_once('>'));
    let text: String = parts.map(|(_, text)| text).collect();
    text.replace('\u{202f}', " ")
}

pub(super) async fn page(api: Router, path: &str) -> String {
    let mut browser = Browser::before(api, false);
    browser.sign_in("sk-ada").await;
    let seen = browser.get(path).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    seen.text
}

#[tokio::test]
async fn imports_say_how_far_they_are() {
    let stages = [
        ("waiting", 0, 0, 0),
        ("fetching", 0, 1_000_000, 4_000_000),
        ("checking", 0, 2_000_000, 4_000_000),
        ("reading", 12_345, 3_000_000, 4_000_000),
        ("indexing", 99, 4_000_000, 4_000_000),
    ];
    let imports = stages.map(|(stage, rows, bytes, total)| {
        let reference = format!("acme/{stage}@1.0.0");
        json!({"reference": reference, "stage": stage, "rows": rows, "bytes": bytes, "bytes_total": total})
    });
    let page = page(before(json!([]), json!(imports), json!([])), "/datasets").await;
    let told = [
        "acme/waiting@1.0.0 | waits for others | 0 | – | –",
        "acme/fetching@1.0.0 | comes from another node | 0 | 1 000 000 of 4 000 000 | 25.0 %",
        "acme/checking@1.0.0 | is looked through | 0 | 2 000 000 of 4 000 000 | 50.0 %",
        "acme/reading@1.0.0 | is read in | 12 345 | 3 000 000 of 4 000 000 | 75.0 %",
        "acme/indexing@1.0.0 | is indexed | 99 | 4 000 000 of 4 000 000 | 100.0 %",
    ];
    assert_eq!(rows(&page, "Being read in"), told);
    assert!(
        page.contains("Nobody has published a dataset yet"),
        "{page}"
    );
}

#[tokio::test]
async fn earnings_are_told_apart_by_dataset_and_by_use() {
    let earned = |reference: &str, purpose: &str, fees: &str, given_back: &str| {
        json!({
            "account": "user:ada", "dataset": reference, "purpose": purpose, "reads": 1_234, "rows": 50_000,
            "fees_nano": fees, "earned_nano": "940000000", "given_back_nano": given_back,
        })
    };
    let earnings = json!([
        earned("acme/faq@1.0.0", "read", "1000000000", "0"),
        earned("acme/faq@1.0.0", "controller", "7", "1000"),
        earned("acme/faq@1.1.0", "download", "1000000000", "0"),
    ]);
    let page = page(before(json!([]), json!([]), earnings), "/datasets").await;
    let told = [
        "acme/faq@1.0.0 | read | 1 234 | 50 000 | 1 | 0.94 | 0",
        "acme/faq@1.0.0 | controller | 1 234 | 50 000 | 0.000000007 | 0.94 | 0.000001",
        "acme/faq@1.1.0 | download | 1 234 | 50 000 | 1 | 0.94 | 0",
    ];
    assert_eq!(rows(&page, "What yours earned"), told);
    assert!(page.contains("href=\"/datasets/acme/faq@1.1.0\""), "{page}");
}

#[tokio::test]
async fn what_is_offered_says_its_price_and_who_may_read() {
    let datasets = json!([
        offered("acme/faq@1.0.0", &json!({"description": HOSTILE})),
        offered("acme/open@1.0.0", &json!({"open": true})),
        offered(
            "acme/old@1.0.0",
            &json!({"open": true, "withdrawn": "replaced"})
        ),
    ]);
    let page = page(before(datasets, json!([]), json!([])), "/datasets").await;
    let told = [
        "acme/faq@1.0.0 | &lt;script&gt;alert(1)&lt;/script&gt;&quot;'&amp; | 12 345 | 0.002 | 0.0000005 | MIT | by grant",
        "acme/open@1.0.0 |  | 12 345 | 0.002 | 0.0000005 | MIT | everybody",
        "acme/old@1.0.0 |  | 12 345 | 0.002 | 0.0000005 | MIT | nobody: withdrawn",
    ];
    assert_eq!(rows(&page, "Datasets"), told);
    for nothing in ["Being read in", "What yours earned"] {
        assert!(!page.contains(nothing), "{nothing}: {page}");
    }
}

#[tokio::test]
async fn one_dataset_says_its_columns_and_grants() {
    let api = before(json!([]), json!([]), json!([]));
    let page = page(api, "/datasets/acme/faq@1.0.0").await;
    assert!(page.contains("Its rows are on another node"), "{page}");
    let columns = [
        "question | text | in every row",
        "votes | integer | in some rows",
    ];
    assert_eq!(rows(&page, "Columns"), columns);
    assert!(page.contains("<dd>not offered</dd>"), "{page}");
    let granted = rows(&page, "Grants");
    // How long it holds is told from now.
    let [ada, eve] = &granted[..] else {
        panic!("{granted:?}");
    };
    assert!(ada.starts_with("user:ada | question | read | in "), "{ada}");
    assert_eq!(eve, "user:eve | all | all | until revoked");
}
