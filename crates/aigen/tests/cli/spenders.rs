//! Teams and apps, as an operator makes and bounds them.

use crate::check;
use crate::support::Folder;

#[test]
fn teams_are_made_bounded_and_shown() {
    let folder = Folder::new();
    let _node = folder.serve(&[]);
    let create = [
        "team",
        "create",
        "org:acme:team:search",
        "--cap",
        "25",
        "--key-name",
        "search",
    ];
    let made = folder.json(&create);
    assert!(
        made["key"].as_str().unwrap().starts_with("aigen_search."),
        "{made}"
    );
    assert_eq!(made["keys"][0], "search");
    let keys = folder.run(&["key", "list"]).stdout;
    assert!(
        keys.contains("search    org:acme  org:acme:team:search"),
        "{keys}"
    );
    check!(folder.run(&["team", "budget", "org:acme:team:search", "2", "--per", "day"]), @r"
    exit code: 0
    ----- stdout
    team    org:acme:team:search
    keys    search
    budget                cap   per  spent  held  left
    org:acme:team:search  2.00  day  0.00   0.00  2.00
    ----- stderr
    ");
    check!(folder.run(&["team", "create", "org:acme:team:search", "--cap", "9"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: org:acme:team:search is there already, with the key search
    hint: `aigen key create org:acme --spender org:acme:team:search --name NAME` makes another key, `aigen team budget` changes its cap
    ");
    check!(folder.run(&["key", "revoke", made["key"].as_str().unwrap()]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: a whole key stands where a name belongs; nothing was sent
    hint: a key's name is what stands between `aigen_` and the dot: `aigen key list` shows them
    ");
    check!(folder.run(&["team", "list"]), @r"
    exit code: 0
    ----- stdout
    team                  keys    budgets  allowances
    org:acme:team:search  search  1        0
    ----- stderr
    ");
    check!(folder.run(&["team", "show", "org:acme:team:sales"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: no key, budget or allowance names the team org:acme:team:sales
    hint: `aigen team list` shows those there are, `aigen team create` makes one
    ");
    check!(folder.run(&["team", "create", "app:tutor"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: app:tutor is not the address of a team
    hint: write it like org:acme:team:search
    ");
}

#[test]
fn apps_are_made_bounded_and_allowed() {
    let folder = Folder::new();
    let _node = folder.serve(&[]);
    let create = [
        "app",
        "create",
        "app:tutor",
        "--cap",
        "100",
        "--each-user",
        "0.50",
        "--key-name",
        "tutor",
    ];
    let tutor = folder.json(&create);
    assert_eq!(tutor["budgets"].as_array().unwrap().len(), 2, "{tutor}");
    let key = folder.json(&["key", "create", "user:ada", "--name", "ada"]);
    let ada = key["key"].as_str().unwrap();
    let grant = [
        "allowance",
        "grant",
        "app:tutor",
        "--cap",
        "2",
        "--per",
        "week",
        "--key",
        ada,
    ];
    assert_eq!(folder.run(&grant).code, 0);
    // Nobody but who pays says yes to a margin.
    let tutors = tutor["key"].as_str().unwrap();
    let refused = folder.run(&["app", "margin", "app:tutor", "90000", "--key", tutors]);
    assert_eq!(refused.code, 1, "{refused}");
    check!(folder.run(&["app", "margin", "app:tutor", "90000", "--key", ada]), @r"
    exit code: 0
    ----- stdout
    app:tutor adds 90000 parts per million to what user:ada is charged
    ----- stderr
    ");
    check!(folder.run(&["app", "show", "app:tutor"]), @r"
    exit code: 0
    ----- stdout
    app     app:tutor
    keys    tutor
    budget            cap     per    spent  held  left
    app:tutor         100.00  month  0.00   0.00  100.00
    app:tutor:user:*  0.50    month  -      -     -
    allowed by  cap   per   margin     left  state
    user:ada    2.00  week  90000 ppm  2.00  live
    ----- stderr
    ");
    assert_eq!(
        folder
            .run(&["allowance", "revoke", "app:tutor", "--key", ada])
            .code,
        0
    );
    check!(folder.run(&["app", "list"]), @r"
    exit code: 0
    ----- stdout
    app        keys   budgets  allowances
    app:tutor  tutor  2        0
    ----- stderr
    ");
}

#[test]
fn keys_have_budgets_of_their_own() {
    let folder = Folder::new();
    let _node = folder.serve(&[]);
    let create = [
        "key", "create", "user:ada", "--name", "laptop", "--budget", "5",
    ];
    let made = folder.json(&create);
    assert_eq!(made["spender"], "user:ada:key:laptop");
    folder.json(&["key", "create", "user:ada", "--name", "plain"]);
    check!(folder.run(&["key", "limit", "laptop", "--requests-per-minute", "9"]), @r"
    exit code: 0
    ----- stdout
    laptop: 9 requests/min, 5.00 left of 5.00 per month
    ----- stderr
    ");
    // Limits that are not named here stay.
    check!(folder.run(&["key", "limit", "laptop", "--budget", "2", "--per", "day"]), @r"
    exit code: 0
    ----- stdout
    laptop: 9 requests/min, 2.00 left of 2.00 per day
    ----- stderr
    ");
    check!(folder.run(&["key", "show", "laptop"]), @r"
    exit code: 0
    ----- stdout
    key      laptop
    account  user:ada
    spender  user:ada:key:laptop
    role     customer
    state    valid
    limits   9 requests/min
    budget               cap   per  spent  held  left
    user:ada:key:laptop  2.00  day  0.00   0.00  2.00
    ----- stderr
    ");
    check!(folder.run(&["key", "list"]), @r"
    exit code: 0
    ----- stdout
    key       account   spender              role      state  cap   per  spent  left  limits
    laptop    user:ada  user:ada:key:laptop  customer  valid  2.00  day  0.00   2.00  9 requests/min
    operator  operator  operator             operator  valid  none  -    -      -     no limits
    plain     user:ada  user:ada             customer  valid  none  -    -      -     no limits
    ----- stderr
    ");
    check!(folder.run(&["key", "limit", "plain", "--budget", "2"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: the key plain spends for user:ada, which is not its own: other keys may spend for it, too
    hint: make a key with a budget, `aigen key create user:ada --budget AMOUNT`, and revoke this one; or bound all of them: aigen budget set user:ada AMOUNT
    ");
    check!(folder.run(&["key", "limit", "laptop", "--no-budget"]), @r"
    exit code: 0
    ----- stdout
    laptop: 9 requests/min
    ----- stderr
    ");
}
