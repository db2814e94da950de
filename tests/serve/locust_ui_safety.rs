//! `locustctl serve --locust-ui` with a Locust, or a locustfile, that cannot be trusted.

use std::io::{Read, Write};
use std::net::TcpStream;

use support::cluster::TestCluster;
use support::fake_locust::{FakeLocust, PAGE, default_response, reply};
use support::serving::{Reply, Serving};

use super::locust_ui::{browse, in_front, put};

const TOKEN: &str = "alice-s-token-0123456789";

fn send(serving: &Serving, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request = serving.request(method, path);
    serving
        .send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
}

/// The answer to a request line that no HTTP client would send.
fn raw(serving: &Serving, line: &str) -> String {
    let mut stream = TcpStream::connect(serving.authority()).unwrap();
    let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn locusts_page_cannot_install_a_service_worker() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(|request, stream| match &*request.path {
        "/worker.js" => {
            let head = "200 OK\nContent-Type: text/javascript\nService-Worker-Allowed: /";
            reply(stream, head, "self.onfetch = steal");
        }
        _ => default_response(request, stream),
    });
    let serving = in_front(&cluster, &locust, &[]);
    let refused = send(&serving, "GET", "/worker.js", &[("service-worker", "script")]);
    refused.is_problem(403, "ServiceWorker", "not allowed");
    assert!(locust.requests("/worker.js").is_empty());
    let script = serving.get("/worker.js");
    assert_eq!((script.status, script.header("service-worker-allowed")), (200, ""));
    serving.wait_for_log("action=\"GET /worker.js\" old=- new=- outcome=refused");
}

#[test]
fn other_sites_cannot_show_a_page_with_the_panel_in_a_frame() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(|request, stream| {
        let html = "200 OK\nContent-Type: text/html";
        match &*request.path {
            "/policy" => {
                let rule = "Content-Security-Policy: frame-ancestors https://grafana.example.com";
                reply(stream, &format!("{html}\n{rule}"), PAGE);
            }
            "/option" => reply(stream, &format!("{html}\nX-Frame-Options: DENY"), PAGE),
            "/other" => reply(stream, html, "<p>a page without the panel</p>"),
            _ => default_response(request, stream),
        }
    });
    let serving = in_front(&cluster, &locust, &[]);
    let rules = |path: &str| {
        let page = browse(&serving, path);
        assert_eq!(page.text.contains("panel.js"), path != "/other", "{path}");
        ["content-security-policy", "x-frame-options"].map(|name| page.header(name).to_owned())
    };
    assert_eq!(rules("/"), ["frame-ancestors 'self'", "SAMEORIGIN"]);
    assert_eq!(rules("/policy"), ["frame-ancestors https://grafana.example.com", ""]);
    assert_eq!(rules("/option"), ["", "DENY"]);
    assert_eq!(rules("/other"), ["", ""]);
}

#[test]
fn other_sites_cannot_start_or_stop_a_test() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(|request, stream| reply(stream, "200 OK", &request.path));
    let serving = in_front(&cluster, &locust, &[]);
    let own = serving.url().to_owned();
    let browser = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)");
    let referer = format!("{own}/");
    for (method, path) in [
        ("POST", "/swarm"),
        ("POST", "/stop"),
        ("GET", "/stop"),
        ("HEAD", "/stop"),
        ("GET", "/%73top"),
        ("GET", "/stats/reset"),
        ("DELETE", "/custom"),
    ] {
        for headers in [
            vec![("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "same-site"), ("origin", &*own)],
            vec![("origin", "http://evil.example.com")],
            vec![("origin", "null")],
        ] {
            let reply = send(&serving, method, path, &headers);
            assert_eq!(reply.status, 403, "{method} {path} {headers:?}");
            assert_eq!(reply.header("access-control-allow-origin"), "");
        }
        let relayed = locust.requests(path);
        assert!(!relayed.iter().any(|request| request.method == method), "{method} {path}");
        for headers in [
            vec![("sec-fetch-site", "same-origin"), ("origin", &*own), browser],
            vec![("origin", &*own), browser],
            vec![("referer", &*referer), ("origin", &*own)],
            vec![("user-agent", "curl/8.9")],
        ] {
            let reply = send(&serving, method, path, &headers);
            assert_eq!(reply.status, 200, "{method} {path} {headers:?}");
        }
    }
    // An image of a page without TLS: the browser sends neither Fetch Metadata nor the origin.
    for headers in [vec![browser], vec![browser, ("referer", "http://evil.example.com/")]] {
        let reply = send(&serving, "GET", "/stop", &headers);
        reply.is_problem(403, "CrossSite", "--allow-cross-site");
    }
    assert_eq!(send(&serving, "GET", "/stop", &[browser, ("referer", &referer)]).status, 200);
    assert_eq!(send(&serving, "GET", "/", &[("sec-fetch-site", "cross-site")]).status, 200);
    serving.wait_for_log("action=\"POST /swarm\" old=- new=- outcome=refused");
}

#[test]
fn changes_from_other_sites_can_be_allowed_for_locust_alone() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(|request, stream| reply(stream, "200 OK", &request.path));
    let serving = in_front(&cluster, &locust, &["--allow-cross-site"]);
    let evil = [("origin", "http://tools.example.com"), ("sec-fetch-site", "cross-site")];
    assert_eq!(send(&serving, "POST", "/swarm", &evil).status, 200);
    assert_eq!(send(&serving, "GET", "/stop", &evil).status, 200);
    assert_eq!(put(&serving, &evil).status, 403);
    assert_eq!(cluster.workers(), 1);
    let worker = [("service-worker", "script")];
    assert_eq!(send(&serving, "GET", "/worker.js", &worker).status, 403);

    let line = "serve --allow-cross-site --listen=127.0.0.1:0";
    let outcome = support::locustctl(line).kubeconfig(cluster.kubeconfig()).run();
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("--allow-cross-site needs --locust-ui"), "{outcome:?}");
}

#[test]
fn a_token_is_not_something_that_another_site_can_send() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(|request, stream| reply(stream, "200 OK", &request.path));
    let tokens = cluster.file("tokens", &format!("alice {TOKEN}"));
    let flag = format!("--auth-token-file={}", tokens.display());
    let serving = in_front(&cluster, &locust, &[&flag]);
    let (bearer, evil) = (format!("Bearer {TOKEN}"), ("origin", "http://evil.example.com"));
    let with_token = [("authorization", &*bearer), evil];
    assert_eq!(send(&serving, "POST", "/swarm", &with_token).status, 200);
    let form = serving.request("POST", "/-/locustctl/login").body(format!("token={TOKEN}"));
    let reply = serving.send(form.header("content-type", "application/x-www-form-urlencoded"));
    let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
    let as_alice = ("cookie", &*cookie);
    for headers in [vec![as_alice, evil], vec![as_alice]] {
        for (method, path) in [("POST", "/swarm"), ("GET", "/stop")] {
            let reply = send(&serving, method, path, &headers);
            assert_eq!(reply.status, 403, "{method} {path} {headers:?}");
        }
    }
    serving.wait_for_log("who=\"alice\" from=127.0.0.1 action=\"POST /swarm\"");
    let same = [as_alice, ("sec-fetch-site", "same-origin")];
    assert_eq!(send(&serving, "POST", "/swarm", &same).status, 200);
}

#[test]
fn locust_cannot_set_our_session_cookie_in_any_form() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(|request, stream| {
        let Some(port) = request.path.strip_prefix("/forge/") else {
            return default_response(request, stream);
        };
        let name = format!("locustctl-session-{port}=forged");
        let cookies = [
            name.clone().into_bytes(),
            [name.as_bytes(), b"\xff; Path=/"].concat(),
            format!("={name}").into_bytes(),
            format!("__Host-{name}; Secure; Path=/").into_bytes(),
            b"caf\xe9=kept".to_vec(),
            b"session=kept".to_vec(),
        ];
        let mut head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n".to_vec();
        for cookie in cookies {
            head.extend([b"Set-Cookie: ", &*cookie, b"\r\n"].concat());
        }
        head.extend(b"\r\n");
        let _ = stream.write_all(&head);
    });
    let serving = in_front(&cluster, &locust, &[]);
    let (_, port) = serving.authority().rsplit_once(':').unwrap();
    let answer = serving.get(&format!("/forge/{port}"));
    let kept: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    let kept: Vec<_> = kept.iter().map(|cookie| cookie.as_bytes()).collect();
    assert_eq!(kept, [&b"caf\xe9=kept"[..], b"session=kept"]);
}

#[test]
fn an_answer_that_switches_the_protocol_is_a_bad_gateway() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(|request, stream| match &*request.path {
        "/socket" => {
            let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\
                        Upgrade: websocket\r\n\r\n\x01smuggled";
            let _ = stream.write_all(head.as_bytes());
        }
        _ => default_response(request, stream),
    });
    let serving = in_front(&cluster, &locust, &[]);
    let headers = [("connection", "upgrade"), ("upgrade", "websocket")];
    for headers in [&headers[..], &[]] {
        let reply = send(&serving, "GET", "/socket", headers);
        reply.is_problem(502, "LocustSilent", "another protocol");
    }
}

#[test]
fn a_backslash_in_a_path_is_refused() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(|request, stream| reply(stream, "200 OK", &request.path));
    let serving = in_front(&cluster, &locust, &[]);
    for path in ["/\\evil.example.com", "/a\\..\\stop", "/\\"] {
        let answer = raw(&serving, &format!("GET {path}"));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{path}: {answer}");
        assert!(locust.requests(path).is_empty());
    }
    assert!(raw(&serving, "GET /a%5Cb?c\\d").starts_with("HTTP/1.1 200 "));
}
