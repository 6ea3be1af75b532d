//! Requests as plain as they come: HTTP/1.0, so that the end of a reply is the end of its connection.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

/// A reply, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and code of an error.
    #[track_caller]
    pub fn error(&self) -> (u16, String) {
        let body = self.json();
        let code = body["error"]["code"].as_str().unwrap_or_default();
        (self.status, code.to_owned())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Sends a request and reads its reply to the end.
pub fn send(url: &str, method: &str, path: &str, key: &str, body: &str) -> Reply {
    finish(begin(url, method, path, key, body))
}

/// Reads a reply to its end.
pub fn finish(mut connection: TcpStream) -> Reply {
    let mut text = Vec::new();
    connection.read_to_end(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    Reply {
        status: status
            .parse()
            .unwrap_or_else(|_| panic!("no reply: {text:?}")),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// Sends a request with these header lines and no others, and reads its reply to the end.
pub fn raw(url: &str, method: &str, path: &str, headers: &str, body: &str) -> Reply {
    let host = url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        connection,
        "{method} {path} HTTP/1.0\r\nhost: {host}\r\n{headers}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    finish(connection)
}

/// Sends a request and leaves the rest to the caller.
pub fn begin(url: &str, method: &str, path: &str, key: &str, body: &str) -> TcpStream {
    let host = url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        connection,
        "{method} {path} HTTP/1.0\r\nhost: {host}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    connection
}
