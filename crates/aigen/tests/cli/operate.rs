//! What an operator does with a running node.

use crate::check;
use crate::support::Folder;

#[test]
fn money_and_keys() {
    let folder = Folder::new();
    let _node = folder.serve(&[]);
    check!(folder.run(&["fund", "user:ada", "5"]), @r"
    exit code: 0
    ----- stdout
    issued 5.00 AIGEN from issuance to user:ada (transfer [ID])
    ----- stderr
    ");
    let once = "000000000000000000000000000000a1";
    for _ in 0..2 {
        assert_eq!(folder.run(&["fund", "user:eve", "1", "--id", once]).code, 0);
    }
    let key = folder.json(&["key", "create", "user:ada", "--name", "ada"]);
    let key = key["key"].as_str().unwrap();
    check!(folder.run(&["pay", "developer:bob", "1.25", "--key", key]), @r"
    exit code: 0
    ----- stdout
    paid 1.25 AIGEN from user:ada to developer:bob (transfer [ID])
    ----- stderr
    ");
    check!(folder.run(&["pay", "developer:bob", "100", "--key", key]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the debit account has too little available; fund it or ask for less, under a new id
    hint: ask the operator: aigen fund user:ada AMOUNT
    ");
    check!(folder.run(&["ledger", "balance"]), @r"
    exit code: 0
    ----- stdout
    address        available  held  posted
    developer:bob  1.25       0.00  1.25
    user:ada       3.75       0.00  3.75
    user:eve       1.00       0.00  1.00
    ----- stderr
    ");
    check!(folder.run(&["ledger", "balance", "user:nobody"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: user:nobody has no account: nothing was ever paid to it
    hint: `aigen ledger balance` lists every address
    ");
    check!(folder.run(&["ledger", "transfers", "--account", "user:ada"]), @r"
    exit code: 0
    ----- stdout
    when                 why    from      to             amount
    YYYY-MM-DD HH:MM:SS  pay    user:ada  developer:bob  1.25
    YYYY-MM-DD HH:MM:SS  issue  issuance  user:ada       5.00
    ----- stderr
    ");
    check!(folder.run(&["key", "list"]), @r"
    exit code: 0
    ----- stdout
    key       account   spender   role      state  cap   per  spent  left  limits
    ada       user:ada  user:ada  customer  valid  none  -    -      -     no limits
    operator  operator  operator  operator  valid  none  -    -      -     no limits
    ----- stderr
    ");
    check!(folder.run(&["key", "revoke", "ada"]), @r"
    exit code: 0
    ----- stdout
    revoked ada
    ----- stderr
    ");
    check!(folder.run(&["pay", "developer:bob", "1", "--key", key]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the key was revoked
    hint: ask the operator for a new key
    ");
}

#[test]
fn models_and_prices() {
    let folder = Folder::new();
    let _node = folder.serve(&[]);
    check!(folder.run(&["models"]), @r"
    exit code: 0
    ----- stdout
    model       provider  context      control  engine
    aigen-tiny  aigen     1024 tokens  token    llama
    ----- stderr
    ");
    check!(folder.run(&["price"]), @r"
    exit code: 0
    ----- stdout
    model       input  cached input  output  request
    aigen-tiny  20.00  2.00          60.00   0.0001
    In AIGEN: per 1,000,000 tokens of input, cached input and output; per request.
    ----- stderr
    ");
    check!(folder.run(&["price", "aigen-tiny", "--prompt", "100", "--output", "200"]), @r"
    exit code: 0
    ----- stdout
    100 prompt tokens and 200 output tokens of aigen-tiny cost at most 0.0141 AIGEN
    ----- stderr
    ");
    check!(folder.run(&["price", "gpt-7"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the price book has no model `gpt-7`
    hint: `aigen price` shows the whole price book
    ");
}

#[test]
fn controllers() {
    let folder = Folder::new();
    let _node = folder.serve(&[]);
    folder.write("yes.lark", "start: \"yes\" | \"no\"\n");
    folder.write("broken.lark", "start: (\"yes\"\n");
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
    check!(publish("yes.lark", "ada/yes@1.0.0"), @r"
    exit code: 0
    ----- stdout
    published ada/yes@1.0.0, digest [DIGEST]
    ----- stderr
    ");
    check!(publish("broken.lark", "ada/yes@1.0.1"), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: broken.lark was not published
      because: 1(14): Expected token ')', found '\n' (at "\n\n" ('\n'))
    hint: correct the controller, its parameters or the schema
    "#);
    check!(publish("missing.lark", "ada/yes@1.0.1"), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot read the controller missing.lark
      because: No such file or directory (os error 2)
    hint: give the path of a Lark grammar (.lark), a script (.json) or a component (.wasm)
    ");
    check!(folder.run(&["controller", "list"]), @r"
    exit code: 0
    ----- stdout
    controller     kind     standing  score           description
    ada/yes@1.0.0  grammar  current   not scored yet  Yes or no
    ----- stderr
    ");
    check!(folder.run(&["controller", "show", "yes"]), @r#"
    exit code: 2
    ----- stdout
    ----- stderr
    error: invalid value 'yes' for '<REFERENCE>': "yes" is not a controller version: write it as owner/name, owner/name@1.2.3, @1.2, @1 or @tag

    For more information, try '--help'.
    "#);
    check!(folder.run(&["chat", "Yes?", "--controller", "yes"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: controller `yes` is not published here: write it as owner/name, owner/name@1.2.3, @1.2, @1 or @tag; built in are json-schema, regex, lark, choice, quote
    hint: `aigen controller list` lists what is published here
    ");
    check!(folder.run(&["controller", "show", "ada/yes@1.0.0"]), @r#"
    exit code: 0
    ----- stdout
    controller   ada/yes@1.0.0
    digest       [DIGEST]
    score        not scored yet
    description  Yes or no
    content      [DIGEST]
    publisher    [DIGEST]
    manifest:
    description = "Yes or no"
    licence = "unspecified"
    source:
    start: "yes" | "no"
    ----- stderr
    "#);
    check!(folder.run(&["controller", "show", "ada/yes@2.0.0"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: controller `ada/yes@2.0.0` is not published here
    hint: `aigen controller list` lists what is published here
    ");
}

#[test]
fn releases_of_a_controller() {
    let folder = Folder::new();
    let _node = folder.serve(&[]);
    folder.write("yes.lark", "start: @choice(answers)\n");
    folder.write(
        "yes.toml",
        "description = \"One of these\"\nlicence = \"MIT\"\n\n[parameters]\nrequired = [\"answers\"]\nproperties.answers = { type = \"array\", minItems = 2 }\n",
    );
    let publish = |version: &str| {
        let args = ["controller", "publish", "yes.lark", version];
        folder.run(&[args.as_slice(), &["--manifest", "yes.toml"]].concat())
    };
    for version in ["ada/yes@1.2.0", "ada/yes@1.2.1", "ada/yes@1.10.0"] {
        assert_eq!(publish(version).code, 0);
    }
    check!(folder.run(&["controller", "tag", "ada/yes@1.2.0", "stable"]), @r#"
    exit code: 0
    ----- stdout
    ada/yes@stable is ada/yes@1.2.0
    ----- stderr
    "#);
    check!(folder.run(&["controller", "yank", "ada/yes@1.2.1", "--reason", "says maybe"]), @r#"
    exit code: 0
    ----- stdout
    ada/yes@1.2.1 is yanked: says maybe
    ----- stderr
    "#);
    check!(folder.run(&["controller", "deprecate", "ada/yes@1.10.0"]), @r#"
    exit code: 0
    ----- stdout
    ada/yes@1.10.0 is deprecated
    ----- stderr
    "#);
    check!(folder.run(&["controller", "versions", "ada/yes"]), @r#"
    exit code: 0
    ----- stdout
    version         standing            tags    score           digest
    ada/yes@1.2.0   current             stable  not scored yet  4318d7f733f1
    ada/yes@1.2.1   yanked: says maybe          not scored yet  dcef06402d32
    ada/yes@1.10.0  deprecated                  not scored yet  f266b7687af3
    ----- stderr
    "#);
    check!(folder.run(&["controller", "show", "ada/yes@1.2"]), @r#"
    exit code: 0
    ----- stdout
    controller   ada/yes@1.2.0
    digest       [DIGEST]
    score        not scored yet
    description  One of these
    tags         stable
    content      [DIGEST]
    publisher    [DIGEST]
    manifest:
    description = "One of these"
    licence = "MIT"

    [parameters]
    required = ["answers"]
    properties.answers = { type = "array", minItems = 2 }
    source:
    start: @choice(answers)
    ----- stderr
    "#);
    let ask = |selector: &str, params: &str| {
        let chat = ["chat", "Yes?", "--controller", selector, "--param", params];
        folder.run(&chat)
    };
    check!(ask("ada/yes@1.2.1", r#"answers=["yes","no"]"#), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: this version was yanked by its publisher
    hint: use another version: GET /v1/aigen/controllers/{owner}/{name}/versions lists them
    "#);
    check!(ask("ada/yes@stable", r#"answers=["yes"]"#), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: aigen.params.answers: ["yes"] has less than 2 items
    hint: `aigen controller show` shows the manifest, which says what it takes
    "#);
    check!(folder.run(&["controller", "yank", "ada/no@1.0.0"]), @r#"
    exit code: 1
    ----- stdout
    ----- stderr
    error: no such controller version
    hint: check the name
    "#);
}
