//! Sessions, forms and headers, before a small API. Whole pages are looked at in a real browser,
//! before a real node: `cargo test -p aigen --test dashboard`.

mod datasets;
mod tables;

use crate::router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{COOKIE, HOST, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::net::SocketAddr;
use tower::ServiceExt;

const HOSTILE: &str = "<script>alert(1)</script>\"'&";

/// It knows the keys `sk-ada` and `sk-operator`, and one controller with a hostile description.
fn api() -> Router {
    let account = |headers: HeaderMap| async move {
        let address = match headers["authorization"].to_str().unwrap() {
            "Bearer sk-ada" => "user:ada",
            "Bearer sk-operator" => "operator",
            _ => {
                let error = json!({"error": {"message": "the API key is missing or wrong; check the key", "hint": "check the key"}});
                return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
            }
        };
        let amounts = json!({
            "address": address, "available": "1.00", "available_nano": "1000000000",
            "held": "0.00", "held_nano": "0", "posted": "1.00", "posted_nano": "1000000000",
        });
        Json(amounts).into_response()
    };
    let keys = |headers: HeaderMap| async move {
        match headers["authorization"].to_str().unwrap() {
            "Bearer sk-operator" => Json(json!({"data": []})).into_response(),
            _ => StatusCode::FORBIDDEN.into_response(),
        }
    };
    let controllers = || async {
        Json(json!({"data": [{
            "reference": "eve/evil@1.0.0", "digest": "11".repeat(32), "description": HOSTILE,
            "published_at": 0, "score": null, "standing": "current", "reason": "", "tags": [],
        }]}))
    };
    Router::new()
        .route("/v1/aigen/account", get(account))
        .route("/v1/aigen/keys", get(keys))
        .route("/v1/aigen/controllers", get(controllers))
        .route("/v1/models", get(|| async { "the API itself" }))
}

struct Browser {
    router: Router,
    cookie: Option<String>,
}

struct Seen {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Browser {
    fn new(secure: bool) -> Self {
        Self::before(api(), secure)
    }

    fn before(api: Router, secure: bool) -> Self {
        let (router, cookie) = (router(api, secure), None);
        Self { router, cookie }
    }

    async fn send(&self, request: axum::http::request::Builder, body: &str) -> Seen {
        let mut request = request.header(HOST, "node");
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let reply = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = reply.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        Seen {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Seen {
        self.send(Request::get(path), "").await
    }

    async fn post(&self, path: &str, body: &str) -> Seen {
        let kind = "application/x-www-form-urlencoded";
        self.send(Request::post(path).header("content-type", kind), body)
            .await
    }

    /// Signs in, and keeps the cookie like a browser.
    async fn sign_in(&mut self, key: &str) -> Seen {
        let seen = self
            .post("/sign-in", &format!("key={key}&next=/controllers"))
            .await;
        if let Some(cookie) = seen.headers.get(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(pair.to_owned());
        }
        seen
    }
}

#[tokio::test]
async fn a_session_is_opened_by_a_key_and_closed() {
    let mut browser = Browser::new(false);
    let asked = browser.get("/controllers").await;
    assert_eq!(asked.headers[LOCATION], "/sign-in?next=/controllers");
    let seen = browser.sign_in("sk-ada").await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
    assert_eq!(seen.headers[LOCATION], "/controllers");
    let cookie = seen.headers[SET_COOKIE].to_str().unwrap();
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );
    assert!(!cookie.contains("sk-ada"), "the key stays here: {cookie}");
    let page = browser.get("/controllers").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains("sk-ada"), "{}", page.text);
    assert!(
        !page.text.contains("href=\"/keys\""),
        "for operators: {}",
        page.text
    );

    let token = page.text.split("name=\"token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap().to_owned();
    let stolen = browser.post("/sign-out", "token=0000").await;
    assert_eq!(stolen.status, StatusCode::FORBIDDEN, "{}", stolen.text);
    assert_eq!(browser.get("/controllers").await.status, StatusCode::OK);
    let out = browser.post("/sign-out", &format!("token={token}")).await;
    assert_eq!(out.status, StatusCode::SEE_OTHER, "{}", out.text);
    assert_eq!(
        browser.get("/controllers").await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn by_tls_the_cookie_is_bound_to_it() {
    let mut browser = Browser::new(true);
    let seen = browser.sign_in("sk-operator").await;
    let cookie = seen.headers[SET_COOKIE].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-aigen=") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
    let page = browser.get("/controllers").await;
    assert!(page.text.contains("href=\"/keys\""), "{}", page.text);
}

#[tokio::test]
async fn a_session_is_never_one_that_somebody_else_chose() {
    let mut browser = Browser::new(false);
    browser.cookie = Some("aigen=chosen-by-somebody".to_owned());
    browser.sign_in("sk-ada").await;
    let first = browser.cookie.clone().unwrap();
    assert_ne!(first, "aigen=chosen-by-somebody");
    browser.sign_in("sk-ada").await;
    assert_ne!(browser.cookie.clone().unwrap(), first);
    browser.cookie = Some(first);
    let old = browser.get("/controllers").await;
    assert_eq!(
        old.status,
        StatusCode::SEE_OTHER,
        "signing in again ended it"
    );
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let mut browser = Browser::new(false);
    browser.sign_in("sk-ada").await;
    for (path, body) in [("/sign-out", "token=x"), ("/sign-in", "key=sk-ada")] {
        let kind = "application/x-www-form-urlencoded";
        let request = Request::post(path)
            .header("content-type", kind)
            .header("sec-fetch-site", "cross-site");
        let seen = browser.send(request, body).await;
        assert_eq!(seen.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn wrong_keys_are_counted_by_address() {
    let browser = Browser::new(false);
    let guess = async |peer: [u8; 4]| {
        let request = Request::post("/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .extension(ConnectInfo(SocketAddr::from((peer, 4000))));
        browser.send(request, "key=sk-wrong").await
    };
    for _ in 0..10 {
        assert_eq!(guess([10, 0, 0, 1]).await.status, StatusCode::UNAUTHORIZED);
    }
    let once = guess([10, 0, 0, 3]).await.text;
    assert_eq!(once.matches("check the key").count(), 1, "{once}");
    let seen = guess([10, 0, 0, 1]).await;
    assert_eq!(seen.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(seen.text.contains("Wait a minute"), "{}", seen.text);
    assert_eq!(guess([10, 0, 0, 2]).await.status, StatusCode::UNAUTHORIZED);
    for nonsense in ["key=", "key=a%0Ab", "key=%FF"] {
        let seen = browser.post("/sign-in", nonsense).await;
        assert_eq!(seen.status, StatusCode::BAD_REQUEST, "{nonsense}");
    }
}

#[tokio::test]
async fn pages_can_be_framed_scripted_and_cached_by_nobody() {
    let mut browser = Browser::new(false);
    browser.sign_in("sk-ada").await;
    for path in ["/sign-in", "/controllers", "/glossary", "/receipts"] {
        let seen = browser.get(path).await;
        let policy = seen.headers["content-security-policy"].to_str().unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(seen.headers["x-frame-options"], "DENY");
        assert_eq!(seen.headers["cache-control"], "no-store");
        assert!(
            !seen.text.contains(" style=") && !seen.text.contains("<style"),
            "{path}"
        );
        assert!(!seen.text.contains(" onclick="), "{path}");
    }
}

#[tokio::test]
async fn what_strangers_wrote_is_text() {
    let mut browser = Browser::new(false);
    browser.sign_in("sk-ada").await;
    let page = browser.get("/controllers").await;
    assert!(!page.text.contains("<script>alert"), "{}", page.text);
    assert!(
        page.text.contains("&lt;script&gt;alert(1)"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn the_api_is_where_it_was() {
    let browser = Browser::new(false);
    let seen = browser.get("/v1/models").await;
    assert_eq!(
        (seen.status, seen.text.as_str()),
        (StatusCode::OK, "the API itself")
    );
    assert_eq!(
        browser.get("/v1/nothing").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn what_the_api_refuses_is_said_with_a_way_out() {
    let mut browser = Browser::new(false);
    browser.sign_in("sk-ada").await;
    let seen = browser.get("/keys").await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    assert!(seen.text.contains("That did not work"), "{}", seen.text);
}
