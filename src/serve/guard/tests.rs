//! The middleware around a route that reads any body.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, RETRY_AFTER};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::any;
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use tokio::time::advance;
use tower_service::Service;

use super::super::caller::Peer;
use super::body::MAX_BODY;
use super::*;

const ALICE: &str = "alice-s-token-0123456789";
const PEER: &str = "203.0.113.7:50000";

/// A guard with a token file, and the directory that holds it.
fn with_tokens() -> (Arc<Guard>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    std::fs::write(&path, format!("alice {ALICE}")).unwrap();
    (Arc::new(Guard::new(AccessOptions { token_file: Some(path), ..open() }).unwrap()), directory)
}

fn open() -> AccessOptions {
    AccessOptions {
        listen: "127.0.0.1:8088".parse().unwrap(),
        is_tls: false,
        token_file: None,
        session_key_file: None,
        proxy_header: None,
        trusted_proxies: Vec::new(),
        is_open: false,
        mount: "",
        allowed_hosts: Vec::new(),
        cross_site: CrossSite::Refused,
    }
}

async fn read_all(body: Body) -> StatusCode {
    match to_bytes(body, usize::MAX).await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE,
    }
}

async fn send(guard: &Arc<Guard>, mut request: Request) -> Response {
    let peer = Peer { address: PEER.parse::<SocketAddr>().unwrap(), is_tls: false };
    request.extensions_mut().insert(peer);
    let guarded = from_fn_with_state(Arc::clone(guard), super::guard);
    let mut router = Router::new().route("/", any(read_all)).layer(guarded);
    router.call(request).await.unwrap()
}

fn request(
    method: &str,
    uri: &str,
    headers: &[(HeaderName, &'static str)],
    body: impl Into<Body>,
) -> Request {
    let builder = Request::builder().method(method).uri(uri);
    let add = |builder: axum::http::request::Builder,
               (name, value): &(HeaderName, &'static str)| {
        builder.header(name, *value)
    };
    headers.iter().fold(builder, add).body(body.into()).unwrap()
}

#[tokio::test]
async fn exactly_one_host_is_required_and_the_uri_takes_precedence() {
    let guard = Arc::new(Guard::new(open()).unwrap());
    let (own, evil) = ((HOST, "localhost:8088"), (HOST, "evil.example.com"));
    for (uri, headers, expected) in [
        ("/", vec![own.clone()], 200),
        ("/", vec![], 400),
        ("/", vec![own.clone(), own.clone()], 400),
        ("/", vec![own.clone(), evil.clone()], 400),
        ("/", vec![(HOST, "")], 421),
        ("http://localhost:8088/", vec![], 200),
        ("http://localhost:8088/", vec![own.clone()], 200),
        ("http://evil.example.com/", vec![], 421),
        ("http://evil.example.com/", vec![own.clone()], 421),
        ("http://localhost:8088@evil.example.com/", vec![own], 421),
    ] {
        let response = send(&guard, request("GET", uri, &headers, "")).await;
        assert_eq!(response.status().as_u16(), expected, "{uri} {headers:?}");
    }
}

#[tokio::test]
async fn a_body_needs_an_allowed_media_type() {
    let guard = Arc::new(Guard::new(open()).unwrap());
    let host = (HOST, "localhost");
    for (headers, body, expected) in [
        (vec![host.clone()], "", 200),
        (vec![host.clone()], "{}", 415),
        (vec![host.clone(), (CONTENT_TYPE, "")], "{}", 415),
        (vec![host.clone(), (CONTENT_TYPE, "text/plain")], "", 415),
        (vec![host.clone(), (CONTENT_TYPE, "application/json")], "{}", 200),
        (vec![host, (CONTENT_TYPE, "application/x-www-form-urlencoded")], "a=b", 200),
    ] {
        let response = send(&guard, request("POST", "/", &headers, body)).await;
        assert_eq!(response.status().as_u16(), expected, "{headers:?} {body:?}");
    }
}

#[tokio::test]
async fn routes_never_get_a_body_beyond_the_limit() {
    let guard = Arc::new(Guard::new(open()).unwrap());
    let headers = [(HOST, "localhost"), (CONTENT_TYPE, "application/json")];
    let largest = usize::try_from(MAX_BODY).unwrap();
    for (size, expected) in [(largest, 200), (largest + 1, 413)] {
        // In chunks, without a Content-Length.
        let pieces = vec![b'x'; size];
        let pieces: Vec<_> = pieces
            .chunks(1000)
            .map(|piece| Ok::<_, std::io::Error>(Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        let body = Body::new(StreamBody::new(futures_util::stream::iter(pieces)));
        let response = send(&guard, request("POST", "/", &headers, body)).await;
        assert_eq!(response.status().as_u16(), expected, "{size}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_waits_for_retry_after_is_accepted() {
    let (guard, _directory) = with_tokens();
    let right = format!("Bearer {ALICE}").leak();
    let attempt = |token: &'static str| {
        send(&guard, request("GET", "/", &[(HOST, "localhost"), (AUTHORIZATION, token)], ""))
    };
    for _ in 0..6 {
        assert_eq!(attempt("Bearer wrong").await.status(), 401);
    }
    advance(Duration::from_secs(1)).await;
    assert_eq!(attempt("Bearer wrong").await.status(), 401);
    advance(Duration::from_millis(100)).await;
    let response = attempt(right).await;
    assert_eq!(response.status(), 429);
    let pause: u64 = response.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    advance(Duration::from_secs(pause)).await;
    assert_eq!(attempt(right).await.status(), 200, "after {pause} seconds");
}

#[test]
fn debug_shows_neither_tokens_nor_session_ids() {
    let (guard, _directory) = with_tokens();
    let id = guard.sessions.begin(ALICE.to_owned().into()).unwrap();
    let text = format!("{guard:?}");
    assert!(!text.contains(&id) && !text.contains(ALICE), "{text}");
}
