//! The page that users look refusals up on says what the enums say.

use crate::{AccountRefusal, TransferRefusal};
use std::{format, string::String};

const PAGE: &str = include_str!("../../../../docs/refusals.md");

fn row(code: &str, transient: bool, meaning: &dyn core::fmt::Display) -> String {
    let transient = if transient { "yes" } else { "no" };
    format!("| `{code}` | {transient} | {meaning} |\n")
}

#[test]
fn the_page_of_refusals_lists_each_in_order_of_precedence() {
    let accounts = AccountRefusal::ALL.iter();
    let accounts: String = accounts
        .map(|refusal| row(refusal.code(), refusal.transient(), refusal))
        .collect();
    let transfers = TransferRefusal::ALL.iter();
    let transfers: String = transfers
        .map(|refusal| row(refusal.code(), refusal.transient(), refusal))
        .collect();
    let head = "| refusal | transient | meaning, and what to do |\n|---|---|---|\n";
    for (title, rows) in [("Accounts", accounts), ("Transfers", transfers)] {
        let table = format!("## {title}\n\n{head}{rows}");
        assert!(
            PAGE.contains(&table),
            "docs/refusals.md should read:\n{table}"
        );
    }
}
