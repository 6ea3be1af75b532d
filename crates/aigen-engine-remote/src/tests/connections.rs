//! Connections to an upstream: they are used again, and one that the upstream has closed is no fault.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Gives so many answers on each connection, then closes it; one connection after the other.
async fn closing_after(each: usize, answer: String) -> (Scripted, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let (asked, opened) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&asked), Arc::clone(&opened));
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counts.1.fetch_add(1, Ordering::SeqCst);
            for _ in 0..each {
                read_request(&mut stream).await;
                counts.0.fetch_add(1, Ordering::SeqCst);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (Scripted { url, asked }, opened)
}

/// One request: its head, and as many bytes as that says.
async fn read_request(stream: &mut TcpStream) {
    let mut read = Vec::new();
    let head = loop {
        read.push(stream.read_u8().await.unwrap());
        if read.ends_with(b"\r\n\r\n") {
            break String::from_utf8_lossy(&read).to_lowercase();
        }
    };
    let length = head.split("content-length: ").nth(1).unwrap();
    let length = length.split("\r\n").next().unwrap().parse().unwrap();
    stream.read_exact(&mut vec![0; length]).await.unwrap();
}

fn whole() -> String {
    let choice = json!({"message": {"content": "Hello"}, "finish_reason": "stop"});
    let body = json!({"choices": [choice]}).to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// The end of the body comes with the last event, which is where reading stops.
fn streamed() -> String {
    let body = [part("Hel"), part("lo"), STOP.to_owned(), usage("9", "3")].concat();
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
    )
}

#[tokio::test]
async fn a_connection_is_used_again_and_one_that_was_closed_is_replaced() {
    for (answer, each, opened) in [
        (whole(), 5, 1),
        (whole(), 2, 3),
        (whole(), 1, 5),
        (streamed(), 5, 1),
        (streamed(), 2, 3),
    ] {
        let (upstream, connections) = closing_after(each, answer).await;
        let engine = RemoteEngine::open(options(&[&upstream])).unwrap();
        for _ in 0..5 {
            let (text, finish, _) = ask(&engine, request()).await;
            assert_eq!((text.as_str(), finish), ("Hello", Ok(TextFinish::Stop)));
        }
        let counted = (upstream.asked(), connections.load(Ordering::SeqCst));
        assert_eq!(counted, (5, opened), "{each} on each connection");
    }
}

/// Connections that come to be kept at the same time.
const KEPT: usize = 8;

/// Answers one request on each connection, and closes it for the second. The first connections wait for each other.
async fn closing_at_the_second() -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let (counts, together) = (
        Arc::clone(&asked),
        Arc::new(tokio::sync::Barrier::new(KEPT)),
    );
    tokio::spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (counts, together) = (Arc::clone(&counts), Arc::clone(&together));
            tokio::spawn(async move {
                read_request(&mut stream).await;
                counts.fetch_add(1, Ordering::SeqCst);
                if number < KEPT {
                    together.wait().await;
                }
                stream.write_all(whole().as_bytes()).await.unwrap();
                read_request(&mut stream).await;
                counts.fetch_add(1, Ordering::SeqCst);
            });
        }
    });
    Scripted { url, asked }
}

/// What was sent may have been computed: not every connection that was kept is tried.
#[tokio::test]
async fn a_request_is_sent_on_one_kept_connection_and_then_on_a_new_one() {
    let upstream = closing_at_the_second().await;
    let engine = RemoteEngine::open(options(&[&upstream])).unwrap();
    let all = (0..KEPT).map(|_| ask(&engine, request()));
    for (text, finish, _) in futures::future::join_all(all).await {
        assert_eq!((text.as_str(), finish), ("Hello", Ok(TextFinish::Stop)));
    }
    assert_eq!(upstream.asked(), KEPT);
    let (text, finish, _) = ask(&engine, request()).await;
    assert_eq!((text.as_str(), finish), ("Hello", Ok(TextFinish::Stop)));
    assert_eq!(upstream.asked(), KEPT + 2);
}

/// Answers one request with a stream, of which each part is sent for a word of `more`; the last ends it.
async fn part_by_part(parts: usize) -> (Scripted, mpsc::UnboundedSender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let (more, mut wanted) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        read_request(&mut stream).await;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let last = [STOP.to_owned(), usage("9", "3")].concat();
        for body in std::iter::repeat_n(part("x"), parts).chain([last]) {
            wanted.recv().await.unwrap();
            let chunk = format!("{:x}\r\n{body}\r\n", body.len());
            stream.write_all(chunk.as_bytes()).await.unwrap();
        }
    });
    let asked = Arc::default();
    (Scripted { url, asked }, more)
}

/// Each poll of whoever reads is one of all that is done for its client, so that a part has to be worth one.
#[tokio::test]
async fn a_part_has_its_reader_polled_once() {
    const PARTS: usize = 20;
    let (upstream, more) = part_by_part(PARTS).await;
    let engine = RemoteEngine::open(options(&[&upstream])).unwrap();
    let (tell, mut heard) = mpsc::unbounded_channel();
    let mut asked = engine.start(request(), Box::new(move |event| drop(tell.send(event))));
    let polls = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&polls);
    tokio::spawn(std::future::poll_fn(move |context| {
        counted.fetch_add(1, Ordering::SeqCst);
        asked.answering.as_mut().poll(context)
    }));
    let mut polls_before = 0;
    for part in 0..PARTS {
        more.send(()).unwrap();
        while !matches!(heard.recv().await, Some(TextEvent::Text(_))) {}
        // Connecting and reading the head are polls of their own.
        if part == 0 {
            polls_before = polls.load(Ordering::SeqCst);
        }
    }
    let polls_of_parts = polls.load(Ordering::SeqCst) - polls_before;
    assert_eq!(polls_of_parts, PARTS - 1);
    more.send(()).unwrap();
    while !matches!(heard.recv().await, Some(TextEvent::Finished(_))) {}
}

/// What is not plain HTTP goes another way.
#[test]
fn only_plain_http_is_spoken_directly() {
    for (url, base) in [
        ("http://10.0.0.7:8000/v1/", Some("/v1")),
        ("http://gpu/", Some("")),
        ("http://[::1]:8000/v1", Some("/v1")),
        ("https://api.example/v1", None),
        ("http://name:word@gpu/v1", None),
        ("http://gpu/v1?version=1", None),
    ] {
        let direct = crate::direct::Direct::to(&url.parse().unwrap(), None);
        assert_eq!(
            direct.as_ref().map(|direct| direct.base.as_str()),
            base,
            "{url}"
        );
    }
}

/// All of it is written for each request, and read again from afar where many are under way.
#[tokio::test]
async fn an_answer_takes_little_room() {
    let upstream = closing_after(1, String::new()).await.0;
    let engine = RemoteEngine::open(options(&[&upstream])).unwrap();
    let asked = engine.start(request(), Box::new(drop));
    let bytes = size_of_val(&*asked.answering);
    assert!(bytes <= 3_072, "{bytes}");
}
