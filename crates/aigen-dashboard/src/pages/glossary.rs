//! The words on these pages.

use super::answer;
use crate::guard::SignedIn;
use axum::response::Response;
use maud::html;

const WORDS: [(&str, &str); 15] = [
    (
        "AIGEN",
        "The network's currency. Amounts are whole billionths of one, so nothing is ever rounded away unseen.",
    ),
    (
        "Account",
        "Who can have money: a user, an app, a developer, a validator, a provider, the treasury.",
    ),
    (
        "Hold",
        "Money set aside before a call begins, for the most that it may cost. What was not used is free again when it ends.",
    ),
    (
        "Receipt",
        "What a call used, what it cost, and who was paid out of it.",
    ),
    (
        "Controller",
        "A program of a third party that steers a model at every token: allows, forbids, takes back, splits.",
    ),
    (
        "Sampled token",
        "A token that the model chose among those that were allowed.",
    ),
    (
        "Forced token",
        "A token that followed from the controller's decision; the model was not asked.",
    ),
    (
        "Discarded token",
        "A token that was computed and taken back, or belonged to a branch that was given up.",
    ),
    (
        "Usage of a controller",
        "The money spent on the platform through it.",
    ),
    (
        "Score",
        "How good a controller is, from 0 to 100 %: a weighted sum of parameters like quality and safety.",
    ),
    (
        "Escrow",
        "The developer's share of what was spent through a controller, kept until the epoch is settled. Payout = escrow × score.",
    ),
    (
        "Validator",
        "Evaluates controllers, with a stake to lose, and is paid for being right.",
    ),
    (
        "Skill",
        "How much better a validator's answers are than the best constant answer, on controllers whose quality is known.",
    ),
    (
        "Epoch",
        "The time between two settlements: calls, questions, commitments, reveals, payouts.",
    ),
    (
        "Journal",
        "The record of every command, each chained to the one before by its hash. Everything else follows from it.",
    ),
];

pub async fn show(who: SignedIn) -> Response {
    let main = html! {
        h1 { "Glossary" }
        dl.facts { @for (word, meaning) in WORDS { dt { (word) } dd { (meaning) } } }
    };
    answer(&who, "/glossary", "Glossary", Ok(main))
}
