//! What every page has: the way to the others, the account, the end.

use crate::api::Trouble;
use crate::sessions::{Role, Session};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Pages in the order of their links.
const PLACES: [(&str, &str, Who); 14] = [
    ("/", "Overview", Who::Everyone),
    ("/playground", "Playground", Who::Everyone),
    ("/money", "Money", Who::Everyone),
    ("/receipts", "Receipts", Who::Everyone),
    ("/spending", "Budgets", Who::Everyone),
    ("/models", "Models", Who::Everyone),
    ("/controllers", "Controllers", Who::Everyone),
    ("/datasets", "Datasets", Who::Everyone),
    ("/validators", "Validators", Who::Everyone),
    ("/epochs", "Epochs", Who::Everyone),
    ("/ledger", "Ledger", Who::Everyone),
    ("/keys", "Keys", Who::Operator),
    ("/settings", "Settings", Who::Everyone),
    ("/glossary", "Glossary", Who::Everyone),
];

/// Columns for which a phone has room.
const COLUMNS_ON_A_PHONE: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Everyone,
    Operator,
}

/// A page of somebody who is signed in.
pub fn page(session: &Session, here: &str, title: &str, main: Markup) -> Response {
    html(StatusCode::OK, Some(session), here, title, main)
}

/// A page for who is not.
pub fn public(status: StatusCode, title: &str, main: Markup) -> Response {
    html(status, None, "", title, main)
}

/// What went wrong, in place of a page.
pub fn trouble(session: Option<&Session>, trouble: &Trouble) -> Response {
    let main = html! {
        h1 { "That did not work" }
        p.notice role="alert" { (trouble.message) }
        @if !trouble.hint.is_empty() { p { "What to do: " (trouble.hint) } }
        p { a href="/" { "To the overview" } }
    };
    html(trouble.status, session, "", "That did not work", main)
}

fn html(
    status: StatusCode,
    session: Option<&Session>,
    here: &str,
    title: &str,
    main: Markup,
) -> Response {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · AiGen" }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/style.css";
                script src="/assets/app.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to the page" }
                header.top {
                    a.brand href="/" { "AiGen" }
                    @if let Some(session) = session { (account(session)) }
                }
                @if let Some(session) = session { (places(session, here)) }
                main #main { (main) }
            }
        }
    };
    (status, Html(document.into_string())).into_response()
}

fn account(session: &Session) -> Markup {
    html! {
        div.account {
            span title="the account that your key spends from" { (session.account) }
            form method="post" action="/sign-out" {
                (token(session))
                button.plain type="submit" { "Sign out" }
            }
        }
    }
}

fn places(session: &Session, here: &str) -> Markup {
    let seen = PLACES
        .iter()
        .filter(|(_, _, who)| *who == Who::Everyone || session.role == Role::Operator);
    html! {
        nav aria-label="Pages" {
            ul {
                @for (path, name, _) in seen {
                    li { a href=(path) aria-current=[(here == *path).then_some("page")] { (name) } }
                }
            }
        }
    }
}

/// What every form carries.
pub fn token(session: &Session) -> Markup {
    html! { input type="hidden" name="token" value=(session.token()); }
}

/// A table that scrolls by itself where the window is narrow. On a phone each row of a wide one is a card, whose
/// lines the style sheet names by the headings.
pub fn table(label: &str, headings: &[&str], rows: &[Markup]) -> Markup {
    let wide = headings.len() > COLUMNS_ON_A_PHONE;
    html! {
        div.scroll.cards[wide] role="region" aria-label=(label) tabindex="0" {
            table {
                thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
                tbody {
                    @for row in rows {
                        tr { @if wide { (labelled(headings, row)) } @else { (row) } }
                    }
                }
            }
        }
    }
}

/// A row whose cells know their headings. `<td` can be nothing else: what is shown is escaped.
fn labelled(headings: &[&str], row: &Markup) -> Markup {
    let mut headings = headings.iter();
    let mut cells = row.0.split("<td");
    let mut told = cells.next().unwrap_or_default().to_owned();
    for cell in cells {
        let heading = headings.next().copied().unwrap_or_default();
        let heading = html! { (heading) }.into_string();
        told.push_str(&format!("<td data-label=\"{heading}\"{cell}"));
    }
    PreEscaped(told)
}

/// A table, or what to do so that there is something in it.
pub fn table_or(label: &str, headings: &[&str], rows: &[Markup], nothing: Markup) -> Markup {
    if rows.is_empty() {
        return html! { div.empty { (nothing) } };
    }
    table(label, headings, rows)
}

/// The way to the rows after these.
pub fn more(path: &str, next: Option<&str>) -> Markup {
    let join = if path.contains('?') { '&' } else { '?' };
    html! { @if let Some(next) = next { p { a rel="next" href={ (path) (join) "after=" (next) } { "Older" } } } }
}

/// One number with its name.
pub fn tile(name: &str, value: Markup, note: Markup) -> Markup {
    html! { div.tile { h2 { (name) } p.value { (value) } p.note { (note) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_a_wide_table_know_their_headings() {
        let row = html! { td { "1" } td.number { "<td>" } td {} };
        let told = labelled(&["a", "b & c"], &row).into_string();
        assert_eq!(
            told,
            "<td data-label=\"a\">1</td><td data-label=\"b &amp; c\" class=\"number\">&lt;td&gt;</td><td data-label=\"\"></td>"
        );
    }

    #[test]
    fn a_table_for_which_a_phone_has_room_is_one_there() {
        for (columns, cards) in [(4, false), (5, true)] {
            let rows = [html! { td { "1" } }];
            let told = table("x", &["a"; 5][..columns], &rows).into_string();
            assert_eq!(told.contains("cards"), cards, "{told}");
            assert_eq!(told.contains("data-label"), cards, "{told}");
        }
    }
}
