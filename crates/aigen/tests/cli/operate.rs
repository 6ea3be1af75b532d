//! What an operator does with a running node.

use crate::check;
use crate::support::Folder;

#[test]
fn money_and_keys() {
    let folder = Folder::new();
    let _node = folder.serve(&[]);
    check!(folder.run(&["fund", "user:ada", "5"]), @"");
    let once = "000000000000000000000000000000a1";
    for _ in 0..2 {
        assert_eq!(folder.run(&["fund", "user:eve", "1", "--id", once]).code, 0);
    }
    let key = folder.json(&["key", "create", "user:ada", "--name", "ada"]);
    let key = key["key"].as_str().unwrap();
    check!(folder.run(&["pay", "developer:bob", "1.25", "--key", key]), @"");
    check!(folder.run(&["pay", "developer:bob", "100", "--key", key]), @"");
    check!(folder.run(&["ledger", "balance"]), @"");
    check!(folder.run(&["ledger", "balance", "user:nobody"]), @"");
    check!(folder.run(&["ledger", "transfers", "--account", "user:ada"]), @"");
    check!(folder.run(&["key", "list"]), @"");
    check!(folder.run(&["key", "revoke", "ada"]), @"");
    check!(folder.run(&["pay", "developer:bob", "1", "--key", key]), @"");
}

#[test]
fn models_and_prices() {
    let folder = Folder::new();
    let _node = folder.serve(&[]);
    check!(folder.run(&["models"]), @"");
    check!(folder.run(&["price"]), @"");
    check!(folder.run(&["price", "aigen-tiny", "--prompt", "100", "--output", "200"]), @"");
    check!(folder.run(&["price", "gpt-7"]), @"");
}

#[test]
fn controllers() {
    let folder = Folder::new();
    let _node = folder.serve(&[]);
    folder.write("yes.lark", "start: \"yes\" | \"no\"\n");
    folder.write("broken.lark", "start: \"yes\" |\n");
    let publish = |file, version: &str| {
        folder.run(&[
            "controller",
            "publish",
            file,
            version,
            "--description",
            "Yes or no",
        ])
    };
    check!(publish("yes.lark", "ada/yes@1.0.0"), @"");
    check!(publish("broken.lark", "ada/yes@1.0.1"), @"");
    check!(publish("missing.lark", "ada/yes@1.0.1"), @"");
    check!(folder.run(&["controller", "list"]), @"");
    check!(folder.run(&["controller", "show", "ada/yes@1.0.0"]), @"");
    check!(folder.run(&["controller", "show", "ada/yes@2.0.0"]), @"");
}
