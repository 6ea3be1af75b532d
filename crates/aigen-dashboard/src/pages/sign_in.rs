//! Signing in with a key, and out.

use crate::Face;
use crate::guard::{From, Posted, cookie, cookie_name, foreign, from_here};
use crate::layout::public;
use crate::sessions::{Role, Session};
use aigen_api::resources::{Account, Key, List};
use axum::extract::{Form, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use std::net::IpAddr;
use std::time::Instant;

#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub struct Entered {
    #[serde(default)]
    key: String,
    #[serde(default)]
    next: String,
}

pub async fn form(Query(Next { next }): Query<Next>) -> Response {
    public(StatusCode::OK, "Sign in", sign_in_page(&next, None))
}

pub async fn sign_in(
    State(face): State<Face>,
    From(peer): From,
    headers: HeaderMap,
    Form(entered): Form<Entered>,
) -> Response {
    if !from_here(&headers) {
        return foreign();
    }
    if !face.sessions.tries.may(peer, Instant::now()) {
        let said = "Too many wrong keys from here. Wait a minute, then try again.";
        return refused(StatusCode::TOO_MANY_REQUESTS, &entered.next, said);
    }
    match session(&face, entered.key.trim(), peer).await {
        Ok(session) => {
            // Whoever had a session here before is signed out of it.
            if let Some(old) = cookie(&headers, face.secure) {
                face.sessions.close(old);
            }
            let name = face.sessions.open(session, Instant::now());
            let cookie = AppendHeaders([(SET_COOKIE, set_cookie(&name, face.secure))]);
            (cookie, Redirect::to(local(&entered.next))).into_response()
        }
        Err((status, said)) => refused(status, &entered.next, &said),
    }
}

pub async fn sign_out(State(face): State<Face>, headers: HeaderMap, _: Posted) -> Response {
    if let Some(name) = cookie(&headers, face.secure) {
        face.sessions.close(name);
    }
    let gone = format!("{}; Max-Age=0", set_cookie("", face.secure));
    let cookie = AppendHeaders([(SET_COOKIE, gone)]);
    (cookie, Redirect::to("/sign-in")).into_response()
}

/// The session that a key opens.
async fn session(face: &Face, key: &str, peer: IpAddr) -> Result<Session, (StatusCode, String)> {
    // What cannot stand in a header is no key.
    let plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain {
        return Err((StatusCode::BAD_REQUEST, "That is not a key.".to_owned()));
    }
    let api = face.api.with(key);
    let account: Account = api.get("/v1/aigen/account").await.map_err(|trouble| {
        if trouble.status == StatusCode::UNAUTHORIZED {
            face.sessions.tries.wrong(peer, Instant::now());
        }
        (
            trouble.status,
            format!("{}. {}", trouble.message, trouble.hint),
        )
    })?;
    // Only an operator sees everyone's keys.
    let role = match api.get::<List<Key>>("/v1/aigen/keys").await {
        Ok(_) => Role::Operator,
        Err(_) => Role::Customer,
    };
    Ok(Session::new(key.to_owned(), account.address, role))
}

fn set_cookie(name: &str, secure: bool) -> String {
    let cookie = cookie_name(secure);
    let only_tls = if secure { "; Secure" } else { "" };
    format!("{cookie}={name}; Path=/; HttpOnly; SameSite=Strict{only_tls}")
}

/// Where to go after signing in: a page of ours, whatever was asked for. `//host` and `/\host`
/// are taken by browsers for another site.
fn local(next: &str) -> &str {
    let second = next.as_bytes().get(1);
    let ours = next.starts_with('/') && !matches!(second, Some(b'/' | b'\\'));
    if ours { next } else { "/" }
}

fn refused(status: StatusCode, next: &str, said: &str) -> Response {
    public(status, "Sign in", sign_in_page(next, Some(said)))
}

fn sign_in_page(next: &str, said: Option<&str>) -> Markup {
    html! {
        h1 { "Language models you can steer, and everyone who made the answer is paid" }
        p.lead {
            "This is an AiGen node. Apps call its models through the API they know; controllers steer every token; "
            "validators score the controllers; and the money of each call is split by a formula that anyone can "
            "compute again. Sign in to see where the money, the load and the quality are."
        }
        @if let Some(said) = said { p.notice role="alert" { (said) } }
        form.stack method="post" action="/sign-in" {
            input type="hidden" name="next" value=(next);
            label {
                "API key"
                span.quiet { "The one your app uses. Pages show what that key may see." }
                input type="password" name="key" autocomplete="current-password" required;
            }
            div { button type="submit" { "Sign in" } }
        }
        h2 { "No key yet?" }
        p { "Where the node runs, its operator makes one:" }
        pre { code { "aigen key create user:ada" } }
        p { "The operator's own key is in the node's data folder, in the file " code { "operator.key" } "." }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for (next, goes) in [
            ("/receipts?after=1", "/receipts?after=1"),
            ("", "/"),
            ("https://evil.example/", "/"),
            ("//evil.example/", "/"),
            ("/\\evil.example/", "/"),
            ("javascript:alert(1)", "/"),
        ] {
            assert_eq!(local(next), goes, "{next}");
        }
    }
}
