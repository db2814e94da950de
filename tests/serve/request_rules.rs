//! The rules for every request to `locustctl serve`: host name, origin, media type and size; and the security
//! headers of every answer.

use std::io::{Read, Write};
use std::net::TcpStream;

use support::cluster::TestCluster;
use support::serving::Serving;

use super::auth::{ALICE, get, put, session, with_tokens};

#[test]
fn requests_for_other_host_names_are_refused() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &["--allowed-host=workers.example.com"]);
    for (host, expected) in [
        ("evil.example.com", 421),
        ("localhost.evil.example.com:8088", 421),
        ("workers.example.com", 200),
        ("WORKERS.example.com:443", 200),
        ("localhost:8088", 200),
    ] {
        let reply = get(&serving, "/", &[("host", host)]);
        assert_eq!(reply.status, expected, "{host}");
        assert_eq!(get(&serving, "/healthz", &[("host", host)]).status, 200, "{host}");
    }
    serving.wait_for_log("action=\"GET /\" old=- new=- outcome=refused detail=\"The host name \\\"evil.example.com\\\"");
}

#[test]
fn a_change_from_another_sites_page_is_refused() {
    let cluster = TestCluster::start();
    let serving = with_tokens(&cluster, &[]);
    let cookie = session(&serving);
    let origin = serving.url().to_owned();
    let as_alice = ("cookie", cookie.as_str());
    for (headers, expected) in [
        (vec![as_alice], 403),
        (vec![as_alice, ("sec-fetch-site", "cross-site")], 403),
        (vec![as_alice, ("sec-fetch-site", "same-site")], 403),
        (vec![as_alice, ("origin", "https://evil.example.com")], 403),
        (vec![as_alice, ("origin", "null")], 403),
        (vec![as_alice, ("sec-fetch-site", "cross-site"), ("origin", &origin)], 403),
        (vec![as_alice, ("sec-fetch-site", "same-origin")], 200),
        (vec![as_alice, ("origin", &origin)], 200),
    ] {
        assert_eq!(put(&serving, &headers).status, expected, "{headers:?}");
    }
    serving.wait_for_log(
        "audit who=\"alice\" from=127.0.0.1 action=\"PUT /api/scale\" old=- new=- outcome=refused",
    );
    let bearer = format!("Bearer {ALICE}");
    let headers = [("authorization", &*bearer), ("origin", "https://tools.example.com")];
    assert_eq!(
        put(&serving, &headers).status,
        200,
        "browsers do not add a bearer token to requests"
    );

    let open = Serving::start(&cluster, &[]);
    for (headers, expected) in [
        (vec![("origin", "https://evil.example.com")], 403),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![], 200),
    ] {
        assert_eq!(put(&open, &headers).status, expected, "{headers:?}");
    }
    let form = open.request("POST", "/rescale").body("worker_count=2");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let reply = open.send(form.header("origin", "https://evil.example.com"));
    reply.is_problem(403, "CrossSite", "comes from another site");
}

#[test]
fn cors_admits_no_other_site() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    let request =
        serving.request("OPTIONS", "/api/scale").header("origin", "https://evil.example.com");
    let reply = serving.send(request.header("access-control-request-method", "PUT"));
    assert!(
        reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")),
        "{reply:?}"
    );
    let reply = get(&serving, "/api/scale", &[("origin", "https://evil.example.com")]);
    assert!(
        reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")),
        "{reply:?}"
    );
}

#[test]
fn bodies_have_a_media_type_and_a_maximum_size() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    for media_type in ["text/plain", "multipart/form-data; boundary=x", "application/xml"] {
        let reply = put(&serving, &[("content-type", media_type)]);
        reply.is_problem(415, "UnsupportedMediaType", "must be JSON");
    }
    assert_eq!(put(&serving, &[("content-type", "Application/JSON; charset=utf-8")]).status, 200);
    let padded = |size: usize| format!("{{\"replicas\": 2{}}}", " ".repeat(size - 15));
    assert_eq!(serving.put("", &padded(16 * 1024)).status, 200);
    serving.put("", &padded(16 * 1024 + 1)).is_problem(413, "RequestEntityTooLarge", "16 KB");

    let mut stream = TcpStream::connect(serving.authority()).unwrap();
    let head = "PUT /api/scale HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    // The server may answer and close the connection before everything was sent.
    let _ = (0..5).try_for_each(|_| stream.write_all(chunk.as_bytes()));
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[test]
fn every_answer_has_the_security_headers() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    for (path, host) in [("/", "localhost"), ("/nothing", "localhost"), ("/", "evil.example.com")] {
        let reply = get(&serving, path, &[("host", host)]);
        assert_eq!(reply.status == 200, (path, host) == ("/", "localhost"));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ] {
            assert_eq!(reply.header(name), value, "{path} {host} {name}");
        }
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(
            policy.ends_with("frame-ancestors 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
    }
    let style = serving.get("/assets/style.css");
    assert_eq!(style.header("cache-control"), "no-cache");
    let unchanged = get(&serving, "/assets/style.css", &[("if-none-match", style.header("etag"))]);
    assert_eq!((unchanged.status, &*unchanged.text), (304, ""));
}
