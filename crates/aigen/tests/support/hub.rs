//! A model hub on the loopback address: one file behind a redirect that names its checksum.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What it does; may be changed between downloads.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    /// The file.
    pub contents: Vec<u8>,
    /// What the redirect calls the file's SHA-256.
    pub sha256: Option<String>,
    /// Hang up after this many bytes of the body.
    pub breaks_off_after: Option<usize>,
}

/// Answers `/OWNER/REPO/resolve/main/FILE.gguf`, and 404 to everything else.
pub struct Hub {
    pub url: String,
    pub manners: Arc<Mutex<Manners>>,
    /// The `Range` of every request for the file itself.
    pub ranges: Arc<Mutex<Vec<Option<String>>>>,
}

impl Hub {
    pub fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hub = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            manners: Arc::new(Mutex::new(manners)),
            ranges: Arc::default(),
        };
        let (manners, ranges) = (Arc::clone(&hub.manners), Arc::clone(&hub.ranges));
        thread::spawn(move || {
            for connection in listener.incoming() {
                let manners = manners.lock().unwrap().clone();
                // A client that hangs up early is part of some tests.
                let _ = answer(connection.unwrap(), &manners, &ranges);
            }
        });
        hub
    }
}

fn answer(
    mut connection: TcpStream,
    manners: &Manners,
    ranges: &Mutex<Vec<Option<String>>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let request = lines.next().unwrap()?;
    let path = request.split(' ').nth(1).unwrap();
    let headers = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty());
    let mut range = None;
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        if name.eq_ignore_ascii_case("range") {
            range = Some(value.to_owned());
        }
    }
    match path {
        "/OWNER/REPO/resolve/main/FILE.gguf" => {
            let linked = manners
                .sha256
                .iter()
                .map(|sha256| format!("x-linked-etag: \"{sha256}\"\r\n"));
            let linked: String = linked.collect();
            write!(
                connection,
                "HTTP/1.1 302 Found\r\nlocation: /blob\r\n{linked}content-length: 0\r\nconnection: close\r\n\r\n"
            )
        }
        "/blob" => {
            ranges.lock().unwrap().push(range.clone());
            blob(&mut connection, manners, range.as_deref())
        }
        _ => write!(
            connection,
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ),
    }
}

fn blob(connection: &mut TcpStream, manners: &Manners, range: Option<&str>) -> std::io::Result<()> {
    let all = &manners.contents;
    let from = range.map(|range| {
        let from = range
            .strip_prefix("bytes=")
            .unwrap()
            .strip_suffix('-')
            .unwrap();
        from.parse::<usize>().unwrap()
    });
    let (status, body) = match from {
        Some(from) => ("206 Partial Content", &all[from..]),
        None => ("200 OK", &all[..]),
    };
    write!(
        connection,
        "HTTP/1.1 {status}\r\netag: \"v1\"\r\nconnection: close\r\n"
    )?;
    if let Some(from) = from {
        write!(
            connection,
            "content-range: bytes {from}-{}/{}\r\n",
            all.len() - 1,
            all.len()
        )?;
    }
    write!(connection, "content-length: {}\r\n\r\n", body.len())?;
    let sent = manners
        .breaks_off_after
        .unwrap_or(body.len())
        .min(body.len());
    connection.write_all(&body[..sent])
}
