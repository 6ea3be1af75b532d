//! Tables of commands, and the answers to them.

use crate::apply;
use crate::check;
use crate::support::Folder;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

#[test]
fn holds_limits_and_queries() {
    check!(apply(r#"
{"create_account":{"id":"1","ledger":1,"code":1,"flags":["debits_must_not_exceed_credits"],"limit":"10"}}
{"create_account":{"id":2,"ledger":"1","code":"1"}}
{"commit":true}
{"create_transfer":{"id":"1","debit_account_id":"1","credit_account_id":"2","amount":"8","timeout":5,"ledger":1,"code":7,"flags":["pending"]}}
{"create_transfer":{"id":"2","debit_account_id":"1","credit_account_id":"2","amount":"3","ledger":1,"code":7}}
{"create_transfer":{"id":"3","pending_id":"1","amount":"6","flags":["post_pending_transfer"],"user_data_128":"340282366920938463463374607431768211455"}}
{"lookup_transfer":"3"}
{"create_transfer":{"id":"4","debit_account_id":"1","credit_account_id":"2","amount":"4","timeout":"5","ledger":1,"code":8,"flags":["pending"]}}
{"lookup_account":"1"}
{"tick_seconds":"5"}
{"lookup_account":"1"}
{"lookup_account":"9"}
{"get_account_transfers":{"account_id":"2","limit":8,"flags":["credits","reversed"],"code":7}}
{"query_accounts":{"limit":1}}
{"query_transfers":{"limit":0}}
"#), @r#"
    exit code: 0
    ----- stdout
    {"status":"created"}
    {"status":"created"}
    {"status":"committed"}
    {"status":"created"}
    {"status":"exceeds_credits"}
    {"status":"created"}
    {"id":"3","debit_account_id":"1","credit_account_id":"2","amount":"6","pending_id":"1","user_data_128":"340282366920938463463374607431768211455","user_data_64":"0","user_data_32":"0","timeout":"0","ledger":"1","code":"7","flags":["post_pending_transfer"],"timestamp":"2"}
    {"status":"created"}
    {"id":"1","debits_pending":"4","debits_posted":"6","credits_pending":"0","credits_posted":"0","user_data_128":"0","user_data_64":"0","user_data_32":"0","ledger":"1","code":"1","flags":["debits_must_not_exceed_credits"],"timestamp":"1","limit":"10"}
    {"status":"ticked","expired":["4"]}
    {"id":"1","debits_pending":"0","debits_posted":"6","credits_pending":"0","credits_posted":"0","user_data_128":"0","user_data_64":"0","user_data_32":"0","ledger":"1","code":"1","flags":["debits_must_not_exceed_credits"],"timestamp":"1","limit":"10"}
    null
    [{"id":"3","debit_account_id":"1","credit_account_id":"2","amount":"6","pending_id":"1","user_data_128":"340282366920938463463374607431768211455","user_data_64":"0","user_data_32":"0","timeout":"0","ledger":"1","code":"7","flags":["post_pending_transfer"],"timestamp":"2"},{"id":"1","debit_account_id":"1","credit_account_id":"2","amount":"8","pending_id":"0","user_data_128":"0","user_data_64":"0","user_data_32":"0","timeout":"5","ledger":"1","code":"7","flags":["pending"],"timestamp":"2"}]
    [{"id":"1","debits_pending":"0","debits_posted":"6","credits_pending":"0","credits_posted":"0","user_data_128":"0","user_data_64":"0","user_data_32":"0","ledger":"1","code":"1","flags":["debits_must_not_exceed_credits"],"timestamp":"1","limit":"10"}]
    []
    ----- stderr
    "#);
}

#[test]
fn a_chain_is_answered_when_it_is_complete_and_refused_where_the_batch_ends() {
    check!(apply(r#"{"create_account":{"id":"1","ledger":1,"code":1,"flags":["linked"]}}
{"create_account":{"id":"2","ledger":1,"code":1}}
{"create_account":{"id":"3","ledger":1,"code":1,"flags":["linked"]}}
{"create_account":{"id":"1","ledger":2,"code":1}}
{"create_account":{"id":"4","ledger":1,"code":1,"flags":["linked"]}}
{"commit":true}
{"create_account":{"id":"5","ledger":1,"code":1,"flags":["linked"]}}
{"create_transfer":{"id":"1","debit_account_id":"2","credit_account_id":"3","ledger":1,"code":1}}
{"create_account":{"id":"6","ledger":1,"code":1,"flags":["linked"]}}
{"lookup_account":"6"}
{"create_account":{"id":"7","ledger":1,"code":1,"flags":["linked"]}}
"#), @r#"
    exit code: 0
    ----- stdout
    {"status":"created"}
    {"status":"created"}
    {"status":"linked_event_failed"}
    {"status":"exists_with_different_flags"}
    {"status":"linked_event_chain_open"}
    {"status":"committed"}
    {"status":"linked_event_chain_open"}
    {"status":"credit_account_not_found"}
    {"status":"linked_event_chain_open"}
    null
    {"status":"linked_event_chain_open"}
    ----- stderr
    "#);
}

/// Of each line: what is wrong with it, and where.
#[test]
fn what_is_no_command_is_named() {
    let lines = [
        r#"{"create_account":{"id":"1","ledger":1,"code":"12x"}}"#,
        r#"{"create_account":{"id":"1","ledger":1,"code":65536}}"#,
        r#"{"create_account":{"id":-1}}"#,
        r#"{"create_account":{"id":1.5}}"#,
        r#"{"create_account":{"id":340282366920938463463374607431768211455}}"#,
        r#"{"create_account":{"id":"340282366920938463463374607431768211456"}}"#,
        r#"{"create_account":{"id":""}}"#,
        r#"{"create_account":{"id":"1","flags":["history"]}}"#,
        r#"{"create_account":{"id":"1","flags":"linked"}}"#,
        r#"{"create_account":{"id":"1","id":"2"}}"#,
        r#"{"create_transfer":{"id":"1","debit":"2"}}"#,
        r#"{"get_account_transfers":{"account_id":"1","ledger":1}}"#,
        r#"{"commit":false}"#,
        r#"{"commit":true,"tick_seconds":1}"#,
        r#"{"commit":true} {"commit":true}"#,
        r#"{"rollback":true}"#,
        r#"{"tick_seconds":18446744074}"#,
        r#"{"create_account":{"id":"#,
        "commit",
        "[]",
    ];
    let mut told = String::new();
    for line in lines {
        let ran = apply(&format!(
            "{{\"commit\":true}}\n\n{line}\n{{\"commit\":true}}\n"
        ));
        assert_eq!(ran.code, 2, "{line}\n{ran}");
        assert_eq!(ran.stdout, "{\"status\":\"committed\"}\n", "{line}");
        assert!(ran.stderr.contains("\nhint: "), "{line}\n{ran}");
        let error = ran.stderr.split("\nhint: ").next().unwrap();
        told += &format!("{line}\n    {}\n", error.replace('\n', "\n    "));
    }
    insta::assert_snapshot!(told, @r#"
    {"create_account":{"id":"1","ledger":1,"code":"12x"}}
        error: standard input, line 3, column 51: create_account.code: "12x" is not a whole number of digits
    {"create_account":{"id":"1","ledger":1,"code":65536}}
        error: standard input, line 3, column 51: create_account.code: 65536 is more than 65535
    {"create_account":{"id":-1}}
        error: standard input, line 3, column 26: create_account.id: -1 is less than zero
    {"create_account":{"id":1.5}}
        error: standard input, line 3, column 27: create_account.id: not a whole number up to 2^64 - 1; write larger ones as decimal strings
    {"create_account":{"id":340282366920938463463374607431768211455}}
        error: standard input, line 3, column 63: create_account.id: not a whole number up to 2^64 - 1; write larger ones as decimal strings
    {"create_account":{"id":"340282366920938463463374607431768211456"}}
        error: standard input, line 3, column 65: create_account.id: 340282366920938463463374607431768211456 is more than 340282366920938463463374607431768211455
    {"create_account":{"id":""}}
        error: standard input, line 3, column 26: create_account.id: "" is not a whole number of digits
    {"create_account":{"id":"1","flags":["history"]}}
        error: standard input, line 3, column 48: create_account.flags: "history" is not a flag here; there are linked, debits_must_not_exceed_credits, credits_must_not_exceed_debits, closed
    {"create_account":{"id":"1","flags":"linked"}}
        error: standard input, line 3, column 44: create_account.flags: invalid type: string "linked", expected a sequence
    {"create_account":{"id":"1","id":"2"}}
        error: standard input, line 3, column 32: create_account: duplicate field `id`
    {"create_transfer":{"id":"1","debit":"2"}}
        error: standard input, line 3, column 36: create_transfer.debit: unknown field `debit`, expected one of `id`, `debit_account_id`, `credit_account_id`, `amount`, `pending_id`, `user_data_128`, `user_data_64`, `user_data_32`, `timeout`, `ledger`, `code`, `flags`, `timestamp`
    {"get_account_transfers":{"account_id":"1","ledger":1}}
        error: standard input, line 3, column 51: get_account_transfers.ledger: unknown field `ledger`, expected one of `account_id`, `user_data_128`, `user_data_64`, `user_data_32`, `code`, `timestamp_min`, `timestamp_max`, `limit`, `flags`
    {"commit":false}
        error: standard input, line 3: commit: only true means something here
    {"commit":true,"tick_seconds":1}
        error: standard input, line 3, column 14: expected value
    {"commit":true} {"commit":true}
        error: standard input, line 3, column 17: trailing characters
    {"rollback":true}
        error: standard input, line 3, column 11: unknown variant `rollback`, expected one of `create_account`, `create_transfer`, `commit`, `tick_seconds`, `lookup_account`, `lookup_transfer`, `get_account_transfers`, `query_transfers`, `query_accounts`
    {"tick_seconds":18446744074}
        error: standard input, line 3
          because: tick_seconds: ledger time would pass 2^64 - 1 nanoseconds
    {"create_account":{"id":
        error: standard input, line 3, column 24: create_account.id: EOF while parsing a value
    commit
        error: standard input, line 3, column 1: expected value
    []
        error: standard input, line 3, column 1: expected value
    "#);
}

#[test]
fn what_came_before_a_bad_line_is_answered() {
    check!(apply(r#"{"create_account":{"id":"1","ledger":1,"code":1}}
{"create_account":{"id":"2","ledger":1,"code":1,"flags":["linked"]}}
{"create_account":{"id":"3","ledger":1,"colour":"red"}}
{"commit":true}
"#), @r#"
    exit code: 2
    ----- stdout
    {"status":"created"}
    {"status":"linked_event_chain_open"}
    ----- stderr
    error: standard input, line 3, column 47: create_account.colour: unknown field `colour`, expected one of `id`, `debits_pending`, `debits_posted`, `credits_pending`, `credits_posted`, `limit`, `user_data_128`, `user_data_64`, `user_data_32`, `ledger`, `code`, `flags`, `timestamp`
    hint: a number is a decimal string like "100" or a JSON integer, flags are a list of names; `aigen ledger apply --help` shows every command
    "#);
}

#[test]
fn a_file_that_is_not_there() {
    let folder = Folder::new();
    check!(folder.run(&["ledger", "apply", "missing.jsonl"]), @r"
    exit code: 1
    ----- stdout
    ----- stderr
    error: cannot read missing.jsonl
      because: No such file or directory (os error 2)
    hint: name a file of commands, or `-` for standard input
    ");
}

#[test]
fn a_table_from_a_file() {
    let folder = Folder::new();
    folder.write("table.jsonl", "{\"commit\":true}\n{\"lookup_transfer\":1}");
    check!(folder.run(&["ledger", "apply", "table.jsonl"]), @r#"
    exit code: 0
    ----- stdout
    {"status":"committed"}
    null
    ----- stderr
    "#);
}

/// The example of the help, pasted, prints what the help says.
#[test]
fn the_example_of_the_help_is_true() {
    let help = Folder::new().run(&["ledger", "apply", "--help"]).stdout;
    let (_, example) = help.split_once("<<'END'\n").unwrap();
    let (commands, answers) = example.split_once("END\n").unwrap();
    let (answers, _) = answers.split_once("\n\n").unwrap();
    let unindent = |text: &str| {
        text.lines()
            .map(|line| line.trim_start().to_owned() + "\n")
            .collect::<String>()
    };
    assert_eq!(apply(&unindent(commands)).stdout, unindent(answers));
    assert_eq!(answers.lines().count(), 3, "{help}");
}

/// Each answer before the next question, through pipes that stay open.
#[test]
fn who_waits_for_an_answer_is_not_kept_waiting() {
    let folder = Folder::new();
    let mut child = folder
        .command(&["ledger", "apply", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    let account = r#"{"create_account":{"id":"1","ledger":1,"code":1}}"#;
    for (question, answer) in [
        (account, r#"{"status":"created"}"#),
        (account, r#"{"status":"exists"}"#),
        (r#"{"commit":true}"#, r#"{"status":"committed"}"#),
    ] {
        writeln!(questions, "{question}").unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), answer);
    }
    drop(questions);
    assert!(child.wait().unwrap().success());
}
