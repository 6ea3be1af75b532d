//! A dataset from its file to the money that it earned, over the real binary.

use crate::check;
use crate::support::{Folder, Ran, http};
use std::process::Stdio;

const FAQ: &str = "question,answer,votes\n\
    How do I return a mug?,Send it back within 30 days.,7\n\
    Warranty,\"A mug has none; a kettle, two years.\",\n";

/// A node, its provider's key and its reader's.
fn market() -> (Folder, crate::support::Serving, [String; 2]) {
    let folder = Folder::new();
    let node = folder.serve(&[]);
    let key = |account: &str| {
        let made = folder.json(&["key", "create", account]);
        made["key"].as_str().unwrap().to_owned()
    };
    let keys = [key("org:acme"), key("user:ada")];
    assert_eq!(folder.run(&["fund", "user:ada", "1"]).code, 0);
    folder.write("faq.csv", FAQ);
    (folder, node, keys)
}

fn publish(folder: &Folder, key: &str, more: &[&str]) -> Ran {
    let name = ["dataset", "publish", "faq.csv", "--name", "acme/faq@1.0.0"];
    let said = ["--licence", "MIT", "--price-per-row", "0.01", "--key", key];
    folder.run(&[&name[..], &said, more].concat())
}

#[test]
fn a_row_earns_what_its_receipt_says() {
    let (folder, _node, [acme, ada]) = market();
    let published = publish(&folder, &acme, &[]);
    assert_eq!(published.code, 0, "{published}");
    let read = [
        "dataset", "rows", "acme/faq", "--once", "mine", "--key", &ada,
    ];
    let refused = folder.run(&read);
    assert!(
        refused.stderr.contains("nothing of it is granted"),
        "{refused}"
    );
    let grant = ["dataset", "grant", "acme/faq", "user:ada", "--key", &acme];
    assert_eq!(folder.run(&grant).code, 0);
    let rows = folder.json(&read);
    assert_eq!(rows["data"][0]["values"]["votes"], 7);
    assert_eq!(rows["cost"], "0.02");
    assert_eq!(folder.json(&read), rows, "asked twice, charged once");
    let receipt = rows["receipt"].as_str().unwrap();
    let receipt = folder.json(&["receipt", receipt, "--key", &ada]);
    let read = &receipt["read"];
    assert_eq!(read["dataset"], "acme/faq@1.0.0");
    assert_eq!((&read["rows"], &read["fee"]), (&2.into(), &"0.02".into()));
    let earned = read["earned_nano"].as_str().unwrap();
    assert!(earned.parse::<u64>().unwrap() > 18_000_000, "{receipt}");
    let earnings = |who: &[&str]| folder.json(&[&["earnings", "--by", "purpose"], who].concat());
    let own = earnings(&["--key", &acme]);
    assert_eq!(own["data"][0]["purpose"], "read");
    assert_eq!(own["data"][0]["rows"], 2);
    assert_eq!(own["data"][0]["earned_nano"], read["earned_nano"]);
    assert_eq!(earnings(&["org:acme"]), own, "an operator may look");
    assert_eq!(earnings(&["--key", &ada])["data"], serde_json::json!([]));
    let strange = folder.run(&["earnings", "org:acme", "--key", &ada]);
    assert!(strange.stderr.contains("another account"), "{strange}");
    let table = folder.run(&["earnings", "--key", &acme]).stdout;
    assert!(table.contains("acme/faq@1.0.0"), "{table}");
    let usage = folder.json(&["usage", "--by", "dataset", "--key", &ada]);
    let line = &usage["data"][0];
    assert_eq!(
        (&line["kind"], &line["dataset"]),
        (&"dataset_read".into(), &"acme/faq@1.0.0".into())
    );
    assert_eq!(
        (&line["rows"], &line["charged"]),
        (&2.into(), &"0.02".into())
    );
    quoted(&folder, &ada);
    let verified = folder.run(&["ledger", "verify"]);
    assert_eq!(verified.code, 0, "{verified}");
}

/// What an answer with both rows would cost, which nobody is charged for.
fn quoted(folder: &Folder, ada: &str) {
    let before = folder.json(&["ledger", "balance", "user:ada"]);
    let asked = ["price", "aigen-tiny", "--ask", "What about the mug?"];
    let asked = [&asked[..], &["--output", "9", "--key", ada]].concat();
    let plain = folder.json(&asked);
    let asked = [&asked[..], &["--dataset", "acme/faq"]].concat();
    let quote = folder.json(&asked);
    assert_eq!(
        (&quote["fees"], &plain["fees"]),
        (&"0.02".into(), &"0.00".into())
    );
    let tokens = |quote: &serde_json::Value| quote["prompt_tokens"].as_u64().unwrap();
    assert!(tokens(&quote) > tokens(&plain) + 20, "{quote}");
    let told = folder.run(&asked).stdout;
    let first = told.lines().next();
    assert_eq!(
        first,
        Some("2 passages of acme/faq@1.0.0 for 0.02 AIGEN"),
        "{told}"
    );
    assert!(
        told.contains("9 output tokens of aigen-tiny cost at most"),
        "{told}"
    );
    assert_eq!(folder.json(&["ledger", "balance", "user:ada"]), before);
}

#[test]
fn what_comes_down_is_what_went_up() {
    let (folder, _node, [acme, ada]) = market();
    let published = publish(&folder, &acme, &["--open", "--price-per-download", "0.5"]);
    assert_eq!(published.code, 0, "{published}");
    let download = [
        "dataset",
        "download",
        "acme/faq",
        "--to",
        "faq.jsonl",
        "--key",
        &ada,
    ];
    let taken = folder.json(&download);
    assert_eq!(taken["cost"], "0.50");
    let again = folder.run(&download);
    assert!(
        again.stderr.contains("name a file that is not there yet"),
        "{again}"
    );
    // The same rows have the same id, in whatever file.
    let check = |file: &str| folder.json(&["dataset", "check", file])["content"].clone();
    assert_eq!(check("faq.jsonl"), check("faq.csv"));
    assert_eq!(check("faq.jsonl"), taken["content"]);
}

/// What a hint says can be typed, and what cannot be sent is said before it is.
#[test]
fn tabs_and_questions_that_are_too_long() {
    let (folder, _node, [acme, ada]) = market();
    folder.write("tab.csv", "a\tb\n1\t2\n");
    let hinted = folder.run(&["dataset", "check", "tab.csv"]);
    assert!(hinted.stderr.contains(r"`--delimiter '\t'`"), "{hinted}");
    let checked = folder.json(&["dataset", "check", "tab.csv", "--delimiter", r"\t"]);
    assert_eq!(checked["rows"], 1, "{checked}");
    let published = publish(&folder, &acme, &["--open"]);
    assert_eq!(published.code, 0, "{published}");
    let search = |question: &str| {
        let asked = ["dataset", "search", "acme/faq", question, "--key", &ada];
        folder.run(&asked)
    };
    assert_eq!(search(&"mug ".repeat(10_000)).code, 0);
    let long = search(&"ä".repeat(20_000)).stderr;
    assert!(
        long.contains("the question takes 120000 bytes of an address"),
        "{long}"
    );
    let none = folder.run(&["dataset", "rows", "acme/none", "--key", &ada]);
    assert!(
        none.stderr
            .contains("dataset `acme/none` is not published here"),
        "{none}"
    );
    let limit = ["dataset", "rows", "acme/faq", "--limit", "0", "--key", &ada];
    let limit = folder.run(&limit).stderr;
    assert!(
        limit.contains("error: --limit: must be 1 to 1000"),
        "{limit}"
    );
}

#[test]
fn bad_rows_are_said_before_anything_is_sent() {
    let (folder, _node, [acme, _]) = market();
    folder.write("faq.csv", "a,b\n1,2\n3\n\"4,5\n");
    let refused = publish(&folder, &acme, &[]);
    assert_eq!(refused.code, 1, "{refused}");
    for expected in [
        "2 bad rows or more, so nothing was read in",
        "line 3: 1 cells, the header has 2",
        "line 4, column a: a quote that is not closed",
    ] {
        assert!(refused.stderr.contains(expected), "{expected}: {refused}");
    }
    assert_eq!(
        folder.json(&["dataset", "list"])["data"],
        serde_json::json!([])
    );
}

/// While the node indexes what was sent it says so; killed then, it has nothing of it afterwards, and
/// takes the same file again.
#[test]
fn a_killed_import_leaves_nothing() {
    let (folder, mut node, [acme, ada]) = market();
    let rows: String = (0..200_000)
        .map(|n| format!("question {n},answer {n},{n}\n"))
        .collect();
    folder.write("faq.csv", format!("question,answer,votes\n{rows}"));
    let said = [
        "--name",
        "acme/faq@1.0.0",
        "--licence",
        "MIT",
        "--key",
        &acme,
    ];
    let publish = [&["dataset", "publish", "faq.csv"][..], &said].concat();
    let mut sending = folder.command(&publish);
    let sending = sending.stdout(Stdio::null()).stderr(Stdio::null());
    let mut sending = sending.spawn().unwrap();
    let imports = |key: &str| http::send(node.url(), "GET", "/v1/aigen/imports", key, "").json();
    loop {
        assert!(
            sending.try_wait().unwrap().is_none(),
            "it was published before it was seen"
        );
        let seen = imports(&acme);
        let import = &seen["data"][0];
        if import["stage"] == "indexing" && import["rows"].as_u64() > Some(0) {
            assert_eq!(import["reference"], "acme/faq@1.0.0");
            assert!(
                import["bytes"].as_u64() <= import["bytes_total"].as_u64(),
                "{seen}"
            );
            assert_eq!(
                imports(&ada)["data"],
                serde_json::json!([]),
                "it is not hers"
            );
            break;
        }
    }
    node.kill();
    assert!(!sending.wait().unwrap().success());
    let _node = folder.serve(&[]);
    assert_eq!(
        folder.json(&["dataset", "list"])["data"],
        serde_json::json!([])
    );
    let again = folder.json(&publish);
    assert_eq!(
        (&again["rows"], &again["here"]),
        (&200_000.into(), &true.into())
    );
}

/// By its commands: made for one dataset, limited to another, and to none any more.
#[test]
fn a_key_is_for_some_datasets() {
    let (folder, _node, [acme, _]) = market();
    assert_eq!(publish(&folder, &acme, &["--open"]).code, 0);
    let made = [
        "key",
        "create",
        "user:ada",
        "--name",
        "narrow",
        "--dataset",
        "acme/poems",
    ];
    let narrow = folder.json(&made)["key"].as_str().unwrap().to_owned();
    let read = || folder.run(&["dataset", "rows", "acme/faq", "--key", &narrow]);
    let refused = read();
    assert!(
        refused.code != 0 && refused.stderr.contains("the key may not read this dataset"),
        "{refused}"
    );
    let listed = folder.run(&["key", "list"]).stdout;
    assert!(listed.contains("dataset acme/poems"), "{listed}");
    let limits = ["key", "limit", "narrow", "--dataset", "acme/poems"];
    let both = folder.run(&[&limits[..], &["--dataset", "acme/faq"]].concat());
    assert!(both.stdout.contains("dataset acme/faq"), "{both}");
    assert_eq!(read().code, 0);
    assert_eq!(folder.run(&limits).code, 0);
    assert_ne!(read().code, 0);
    assert_eq!(folder.run(&["key", "limit", "narrow"]).code, 0);
    assert_eq!(read().code, 0);
    let verified = folder.json(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

/// Whoever gives a read back is told that it happened: who is not would do it again.
#[test]
fn a_read_is_given_back_like_a_call() {
    let (folder, _node, [acme, ada]) = market();
    assert_eq!(publish(&folder, &acme, &["--open"]).code, 0);
    assert_eq!(folder.run(&["fund", "treasury", "1"]).code, 0);
    let rows = folder.json(&["dataset", "rows", "acme/faq", "--key", &ada]);
    let receipt = rows["receipt"].as_str().unwrap();
    let refunded = folder.run(&["refund", receipt, "0.005", "--because", "quality"]);
    assert_eq!(refunded.code, 0, "{refunded}");
    let said = format!("gave back 0.005 AIGEN of read {receipt} to user:ada");
    assert!(refunded.stdout.contains(&said), "{refunded}");
    let shown = folder.run(&["receipt", receipt, "--key", &ada]).stdout;
    for line in [
        "2 rows of acme/faq@1.0.0, for read: 0–1.",
        "dataset_rows  2         0.01 per row  0.02",
        "0.005 AIGEN were refunded in journal record",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let other = folder.json(&["dataset", "rows", "acme/faq", "--key", &ada]);
    let reversed = folder.json(&["reverse", other["receipt"].as_str().unwrap()]);
    assert_eq!(reversed["kind"], "dataset_read", "{reversed}");
    assert_eq!(reversed["corrections"][0]["kind"], "reversal");
}

/// Nothing is given away because a flag was forgotten.
#[test]
fn what_is_not_named_does_not_become_free() {
    let (folder, _node, [acme, ada]) = market();
    let price = |more: &[&str]| {
        let name = ["dataset", "price", "acme/faq@1.0.0", "--key", &acme];
        folder.run(&[&name[..], more].concat())
    };
    let prices = |ran: Ran| {
        let line = ran.stdout.lines().find(|line| line.starts_with("price"));
        line.unwrap_or_else(|| panic!("{ran}")).to_owned()
    };
    let undecided = publish(&folder, &acme, &["--use", "read,download"]);
    check!(undecided, @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: rows have a price, and nothing is said of what all of them together cost
    hint: name --price-per-download, also 0, or leave `--use download` out
    "#);
    let published = publish(&folder, &acme, &["--open", "--price-per-hit", "0.002"]);
    assert!(
        published
            .stdout
            .contains("for       read, completion, controller\n"),
        "{published}"
    );
    assert!(
        published
            .stderr
            .contains("It cannot be downloaded as a whole"),
        "{published}"
    );
    let download = [
        "dataset", "download", "acme/faq", "--to", "a.jsonl", "--key", &ada,
    ];
    let refused = folder.run(&download);
    assert!(refused.stderr.contains("hint: "), "{refused}");
    assert!(!folder.file("a.jsonl").exists());
    check!(price(&[]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: no price is named
    hint: name one, also 0: --price-per-row, --price-per-hit or --price-per-download
    "#);
    let changed = prices(price(&["--price-per-row", "0.003"]));
    assert_eq!(changed, "price     0.003 per row, 0.002 per hit");
    assert_eq!(
        prices(price(&["--price-per-hit", "0"])),
        "price     0.003 per row"
    );

    // What was free and gets a price by row is not left to be downloaded for nothing.
    let free = [
        "dataset",
        "publish",
        "faq.csv",
        "--licence",
        "MIT",
        "--open",
        "--key",
        &acme,
    ];
    let free = |name: &str, more: &[&str]| {
        let ran = folder.run(&[&free[..], &["--name", name], more].concat());
        assert_eq!(ran.code, 0, "{ran}");
        prices(ran)
    };
    assert_eq!(free("acme/faq@1.1.0", &[]), "price     free");
    let by_row = [
        "dataset",
        "price",
        "acme/faq@1.1.0",
        "--price-per-row",
        "0.1",
        "--key",
        &acme,
    ];
    check!(folder.run(&by_row), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: acme/faq@1.1.0 would have a price by row and still be downloaded for nothing
    hint: say what a download costs, too, also 0: --price-per-download
    "#);
    let named = [&by_row[..], &["--price-per-download", "0"]].concat();
    assert_eq!(
        prices(folder.run(&named)),
        "price     0.10 per row, download free"
    );
    let given = ["--price-per-row", "0.1", "--price-per-download", "0"];
    assert_eq!(
        free("acme/faq@1.2.0", &given),
        "price     0.10 per row, download free"
    );
}

#[test]
fn what_is_wrong_with_a_file_is_said_in_its_own_words() {
    let folder = Folder::new();
    folder.write(
        "big.jsonl",
        "{\"a\":123456789012345678901}\n{\"b\":nope}\n{\"\":1}\n",
    );
    check!(folder.run(&["dataset", "check", "big.jsonl"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: big.jsonl: 3 bad rows, so nothing was read in
      line 1: 123456789012345678901 is more than an integer of 64 bits holds (hint: write it as text, in quotes)
      line 2: a word that is none of JSON at byte 7 (hint: true, false and null are the only ones; a text stands in quotes)
      line 3, column ``: a column without a name (hint: name it)
    hint: correct them, or take them out; `aigen dataset check` looks again
    ");
    folder.write("one.csv", "a\n1\n");
    let one = folder.run(&["dataset", "check", "one.csv"]);
    assert!(one.stdout.starts_with("1 row, "), "{one}");
    check!(folder.run(&["dataset", "check", "none.csv"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot read none.csv: No such file or directory (os error 2)
    hint: give the path of a CSV, JSONL or Parquet file, a text, or a folder of texts
    "#);
    std::fs::create_dir(folder.file("empty")).unwrap();
    check!(folder.run(&["dataset", "check", "empty"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: empty is no dataset
      because: there is no row in it
    hint: a row is a paragraph of a .txt or .md file; files whose names begin with a dot are left out
    ");
}
