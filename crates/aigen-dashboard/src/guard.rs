//! What stands between a browser and a page: headers, sessions, forms that are ours.

use crate::Face;
use crate::api::{Asked, Trouble};
use crate::layout::trouble;
use crate::sessions::Session;
use axum::extract::{ConnectInfo, Form, FromRequest, FromRequestParts, Request};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// No other site may frame a page, read it, or have anything of its own run in it; and nothing
/// of it stays in a cache.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let opener = HeaderName::from_static("cross-origin-opener-policy");
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (opener, "same-origin"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// By TLS a browser takes it from this very host alone.
pub fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-aigen" } else { "aigen" }
}

/// The session's name that a browser sent.
pub fn cookie(headers: &HeaderMap, secure: bool) -> Option<&str> {
    let lines = headers.get_all(COOKIE).into_iter();
    let pairs = lines.filter_map(|line| line.to_str().ok());
    let mut pairs = pairs.flat_map(|line| line.split(';'));
    pairs.find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == cookie_name(secure)).then_some(value)
    })
}

/// A page that is only for who is signed in.
#[derive(Clone)]
pub struct SignedIn {
    pub session: Arc<Session>,
    face: Face,
}

impl SignedIn {
    /// The API with the key of whoever is signed in.
    pub fn api(&self) -> Asked<'_> {
        self.face.api.with(&self.session.key)
    }
}

impl FromRequestParts<Face> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, face: &Face) -> Result<Self, Response> {
        let name = cookie(&parts.headers, face.secure);
        let session = name.and_then(|name| face.sessions.get(name, Instant::now()));
        match session {
            Some(session) => Ok(Self {
                session,
                face: face.clone(),
            }),
            None => Err(Redirect::to(&sign_in(&parts.uri)).into_response()),
        }
    }
}

/// Where to sign in, to come back here.
fn sign_in(from: &Uri) -> String {
    match from.path() {
        "/" => "/sign-in".to_owned(),
        path => format!("/sign-in?next={path}"),
    }
}

/// What a form of ours sent.
pub struct Posted {
    pub who: SignedIn,
    fields: HashMap<String, String>,
}

impl Posted {
    /// A field; empty when it was not sent.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |value| value.trim())
    }
}

impl FromRequest<Face> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, face: &Face) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let who = SignedIn::from_request_parts(&mut parts, face).await?;
        if !from_here(&parts.headers) {
            return Err(foreign());
        }
        let request = Request::from_parts(parts, body);
        let fields = Form::<HashMap<String, String>>::from_request(request, face).await;
        let Form(fields) = fields.map_err(|error| error.into_response())?;
        let token = fields.get("token").map_or("", String::as_str);
        if !who.session.sent(token) {
            return Err(foreign());
        }
        Ok(Self { who, fields })
    }
}

/// Browsers say where a request began; one that another site began is not ours.
pub fn from_here(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_none_or(|site| site == "same-origin" || site == "none")
}

pub fn foreign() -> Response {
    let trouble_met = Trouble {
        status: StatusCode::FORBIDDEN,
        message:
            "this form was not sent from this dashboard, or the session it belonged to is over"
                .to_owned(),
        hint: "go back, reload the page, and send it again".to_owned(),
    };
    trouble(None, &trouble_met)
}

/// The other end of the connection; one that nobody named counts as this machine's.
pub struct From(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let peer: Option<&ConnectInfo<SocketAddr>> = parts.extensions.get();
        let address = peer.map(|peer| peer.0.ip());
        Ok(Self(address.unwrap_or(Ipv4Addr::LOCALHOST.into())))
    }
}
