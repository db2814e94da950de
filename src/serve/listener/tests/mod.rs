//! Slow clients, many clients and vanished clients, over real sockets and with short limits.

use std::net::Ipv4Addr;

use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;

mod http2;

/// Time limit for every wait in these tests.
const PATIENCE: Duration = Duration::from_secs(20);

const SHORT: Duration = Duration::from_millis(200);

struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<()>,
}

async fn run(limits: Limits) -> Running {
    run_with(limits, None).await
}

async fn run_with(limits: Limits, tls: Option<TlsFiles>) -> Running {
    let app = Router::new()
        .route("/", get(async || "hello"))
        .route(
            "/echo",
            post(async |body: Body| match axum::body::to_bytes(body, 1024).await {
                Ok(body) => body,
                Err(_) => Bytes::from_static(b"too slow"),
            }),
        )
        .route(
            "/slow",
            get(async || {
                sleep(SHORT).await;
                "late"
            }),
        )
        .route(
            "/endless",
            get(async || {
                let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
                let chunks = stream::repeat(chunk).map(Ok::<_, std::convert::Infallible>);
                Body::from_stream(chunks)
            }),
        )
        .route(
            "/later",
            get(async || {
                sleep(SHORT * 10).await;
                "late"
            }),
        )
        .route(
            "/quiet",
            get(async || {
                let late = stream::once(async {
                    sleep(SHORT * 4).await;
                    Ok::<_, std::convert::Infallible>(Bytes::from_static(b"late"))
                });
                Body::from_stream(late)
            }),
        )
        .route("/panic", get(async || -> &'static str { panic!("a bug in a handler") }));
    let mut listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into(), tls).await.unwrap();
    listener.limits = limits;
    let address = listener.local_addr();
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(listener.run(app, async {
        let _ = stopped.await;
    }));
    Running { address, stop: Some(stop), ended }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn asked(&self, request: &str) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }
}

/// Reads until the server closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut text)).await.expect("it is closed");
    drop(read);
    String::from_utf8_lossy(&text).into_owned()
}

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn slow_headers_and_silence_end_the_connection() {
    let server = run(Limits { head: SHORT, ..LIMITS }).await;
    for begun in ["", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut stream = server.asked(begun).await;
        let answer = rest(&mut stream).await;
        assert!(!answer.contains("200"), "{begun:?} {answer}");
    }
    let mut kept = server.asked("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(rest(&mut kept).await.ends_with("hello"), "an idle connection is also closed");
}

#[tokio::test]
async fn a_body_must_arrive_in_time() {
    let server = run(Limits { body: SHORT, ..LIMITS }).await;
    let head = "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\n";
    let mut whole = server.asked(&format!("{head}hello")).await;
    assert!(rest(&mut whole).await.ends_with("hello"));
    let mut slow = server.asked(&format!("{head}he")).await;
    assert!(rest(&mut slow).await.ends_with("too slow"));
}

#[tokio::test]
async fn the_size_of_headers_is_limited() {
    let server = run(LIMITS).await;
    let large = "x".repeat(64 * 1024);
    let mut stream = server.connect().await;
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Large: {large}\r\n\r\n");
    // The server may close the connection before all was sent.
    let _ = stream.write_all(request.as_bytes()).await;
    let answer = rest(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_dropped_and_others_are_still_served() {
    let server = run(Limits { stalled: SHORT, connections: 2, ..LIMITS }).await;
    let stalled = server.asked("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut other = server.asked(GET).await;
    assert!(rest(&mut other).await.ends_with("hello"));
    // Its permit is free only after it was dropped.
    let _second = server.connect().await;
    timeout(PATIENCE, async {
        loop {
            let mut third = server.asked(GET).await;
            if rest(&mut third).await.ends_with("hello") {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("the stalled one is dropped");
    drop(stalled);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused_while_all_have_open_requests() {
    let server = run(Limits { per_address: 1, ..LIMITS }).await;
    let mut first = server.asked("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut part = vec![0; 1024 * 1024];
    first.read_exact(&mut part).await.unwrap();
    let mut second = server.asked("").await;
    assert_eq!(rest(&mut second).await, "");
    first.read_exact(&mut part).await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_makes_room_for_another_one() {
    let server = run(Limits { per_address: 1, ..LIMITS }).await;
    let mut first = server.asked("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        assert!(first.read_buf(&mut answer).await.unwrap() > 0, "{answer:?}");
    }
    let mut second = server.asked(GET).await;
    assert!(rest(&mut second).await.ends_with("hello"));
    assert_eq!(rest(&mut first).await, "");
}

#[tokio::test]
async fn a_panic_ends_only_its_own_connection() {
    let server = run(LIMITS).await;
    let mut broken = server.asked("GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(rest(&mut broken).await, "");
    let mut next = server.asked(GET).await;
    assert!(rest(&mut next).await.ends_with("hello"));
}

#[tokio::test]
async fn on_shutdown_running_answers_finish_and_idle_connections_cause_no_delay() {
    let mut server = run(LIMITS).await;
    let mut idle = server.asked("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut buffer = [0; 1024];
    assert!(idle.read(&mut buffer).await.unwrap() > 0);
    let mut slow = server.asked("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await;
    // Connections are accepted in order: when this one is answered, the one before was accepted.
    let mut heard = server.asked(GET).await;
    rest(&mut heard).await;
    server.stop.take().unwrap().send(()).unwrap();
    assert!(rest(&mut slow).await.ends_with("late"));
    assert_eq!(rest(&mut idle).await, "");
    timeout(PATIENCE, server.ended).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_on_shutdown() {
    let mut server = run(Limits { shutdown: SHORT, ..LIMITS }).await;
    let mut endless = server.asked("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut buffer = [0; 1024];
    assert!(endless.read(&mut buffer).await.unwrap() > 0);
    server.stop.take().unwrap().send(()).unwrap();
    timeout(PATIENCE, server.ended).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn the_error_names_an_address_that_is_in_use() {
    let first = Listener::bind((Ipv4Addr::LOCALHOST, 0).into(), None).await.unwrap();
    let error = Listener::bind(first.local_addr(), None).await.unwrap_err();
    let expected = format!("listening on {} (use --listen=", first.local_addr());
    assert!(error.to_string().starts_with(&expected), "{error}");
}
