//! `locustctl serve --locust-ui`: the requests that pass through to Locust, and our own paths.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use support::cluster::TestCluster;
use support::fake_locust::{FakeLocust, PAGE, Request, default_response, reply};
use support::serving::{Reply, Serving, wait_until};

pub(super) const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";
pub const SCRIPT: &str =
    "<script type=\"module\" src=\"-/locustctl/assets/panel.js\"></script></body>";

/// A server in front of this Locust.
pub(super) fn in_front(cluster: &TestCluster, locust: &FakeLocust, flags: &[&str]) -> Serving {
    in_front_at(cluster, &locust.url(), flags)
}

pub fn in_front_at(cluster: &TestCluster, url: &str, flags: &[&str]) -> Serving {
    let locust = format!("--locust={url}");
    let flags: Vec<_> = flags.iter().copied().chain(["--locust-ui", &locust]).collect();
    let serving = Serving::start(cluster, &flags);
    wait_until(|| serving.get("/-/locustctl/readyz").status == 200, || "readiness".to_owned());
    serving
}

pub(super) fn browse(serving: &Serving, path: &str) -> Reply {
    serving.send(serving.request("GET", path).header("accept", HTML))
}

/// A `PUT` of two replicas with these headers.
pub(super) fn put(serving: &Serving, headers: &[(&str, &str)]) -> Reply {
    let request = serving.request("PUT", "/-/locustctl/api/scale").body(r#"{"replicas": 2}"#);
    let request = request.header("content-type", "application/json");
    serving
        .send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
}

#[test]
fn requests_reach_locust_unchanged() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(|request, stream| match &*request.path {
        "/swarm?x=%2F&y=a+b" => reply(stream, "200 OK\nContent-Type: text/plain\nX-Own: 1", "done"),
        _ => default_response(request, stream),
    });
    let serving = in_front(&cluster, &locust, &[]);
    let form = "user_count=5&spawn_rate=1&host=%C3%A4";
    let request = serving.request("POST", "/swarm?x=%2F&y=a+b").body(form);
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", "session=locusts")
        .header("x-custom", "kept")
        .header("te", "trailers")
        .header("authorization", "Basic bG9jdXN0")
        .header("origin", serving.url())
        .header("sec-fetch-site", "same-origin");
    let answer = serving.send(request);
    assert_eq!((answer.status, &*answer.text), (200, "done"));
    assert_eq!((answer.header("x-own"), answer.header("access-control-allow-origin")), ("1", "*"));
    assert_eq!(answer.header("content-security-policy"), "", "Locust's page has none");
    let [request] = &locust.requests("/swarm?x=%2F&y=a+b")[..] else {
        panic!("not exactly one request")
    };
    assert_eq!((&*request.method, &*request.body), ("POST", form));
    for (name, value) in [
        ("cookie", Some("session=locusts")),
        ("x-custom", Some("kept")),
        ("authorization", Some("Basic bG9jdXN0")),
        ("origin", Some(serving.url())),
        ("host", Some(serving.authority())),
        ("x-forwarded-for", Some("127.0.0.1")),
        ("x-forwarded-proto", Some("http")),
        ("te", None),
        ("accept-encoding", None),
    ] {
        assert_eq!(request.header(name), value, "{name}");
    }
}

#[test]
fn statuses_methods_and_encodings_pass_through() {
    let cluster = TestCluster::start();
    let zipped = b"\x1f\x8b\x08not really";
    let locust =
        FakeLocust::start(move |request, stream| match (&*request.method, &*request.path) {
            ("DELETE", "/custom") => reply(stream, "418 I'M A TEAPOT", "short and stout"),
            ("GET", "/zipped") => {
                reply(stream, "200 OK\nContent-Type: text/html\nContent-Encoding: gzip", zipped);
            }
            _ => default_response(request, stream),
        });
    let serving = in_front(&cluster, &locust, &[]);
    let answer = serving.send(serving.request("DELETE", "/custom"));
    assert_eq!((answer.status, &*answer.text), (418, "short and stout"));
    assert_eq!(serving.get("/nope").text, "<h1>Not Found</h1>");
    let request = serving.request("GET", "/zipped").header("accept-encoding", "gzip");
    let answer = serving.send(request);
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert_eq!(answer.header("content-length"), zipped.len().to_string());
    assert_eq!(locust.requests("/zipped")[0].header("accept-encoding"), Some("gzip"));
}

#[test]
fn only_locusts_page_gets_the_panel() {
    let cluster = TestCluster::start();
    let login = PAGE.replace("templateArgs", "authArgs");
    let locust = FakeLocust::start(move |request, stream| {
        let html = "200 OK\nContent-Type: text/html; charset=utf-8\nETag: \"1\"";
        match &*request.path {
            "/login" => reply(stream, html, &login),
            "/stats/report?download=1" | "/extend" => reply(stream, html, PAGE),
            "/gone" => reply(stream, &html.replace("200 OK", "404 NOT FOUND"), PAGE),
            "/text" => reply(stream, "200 OK\nContent-Type: text/plain", PAGE),
            _ => default_response(request, stream),
        }
    });
    let serving = in_front(&cluster, &locust, &[]);
    let with_panel = PAGE.replace("</body>", SCRIPT);
    for path in ["/", "/extend"] {
        let answer = browse(&serving, path);
        assert_eq!((&*answer.text, answer.header("etag")), (&*with_panel, ""), "{path}");
        assert_eq!(answer.header("content-length"), with_panel.len().to_string());
    }
    assert_eq!(serving.get("/").text, with_panel, "every client gets the panel");
    let head = serving.send(serving.request("HEAD", "/"));
    assert_eq!(head.header("content-length"), with_panel.len().to_string());
    let request = serving.request("GET", "/").header("accept", HTML);
    serving.send(request.header("accept-encoding", "gzip, br"));
    let browsers = locust.requests("/");
    let browsers = browsers.iter().filter(|request| request.header("x-forwarded-for").is_some());
    let encodings: Vec<_> = browsers.map(|request| request.header("accept-encoding")).collect();
    assert_eq!(encodings, [None; 4]);
    for path in ["/login", "/stats/report?download=1", "/gone", "/text"] {
        let answer = browse(&serving, path);
        assert!(!answer.text.contains("locustctl"), "{path}: {}", answer.text);
    }
    assert_eq!(browse(&serving, "/login").header("etag"), "\"1\"");
}

#[test]
fn a_base_path_is_kept_and_redirects_lead_to_serve() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(|request, stream| match &*request.path {
        "/locust/old" => {
            let host = request.header("host").unwrap();
            let head = format!("308 PERMANENT REDIRECT\nLocation: http://{host}/locust/?a=b");
            reply(stream, &head, "");
        }
        "/locust/away" => reply(stream, "302 FOUND\nLocation: https://sign-in.example.com/x", ""),
        _ => default_response(request, stream),
    });
    let serving = in_front_at(&cluster, &format!("{}/locust", locust.url()), &[]);
    let answer = browse(&serving, "/?done=3");
    assert_eq!((answer.status, answer.header("location")), (307, "locust/?done=3"));
    assert_eq!(browse(&serving, "/locust/old").header("location"), "/locust/?a=b");
    let page = browse(&serving, "/locust/");
    assert!(page.text.contains("src=\"../-/locustctl/assets/panel.js\""), "{}", page.text);
    assert_eq!(browse(&serving, "/-/locustctl/assets/panel.js").status, 200);
    assert_eq!(
        browse(&serving, "/locust/away").header("location"),
        "https://sign-in.example.com/x"
    );
    assert_eq!(browse(&serving, "/locust").header("location"), "locust/");
    assert_eq!(
        browse(&serving, "/elsewhere").status,
        404,
        "serve does not relay paths outside the base path"
    );
    assert!(locust.requests("/elsewhere").is_empty());
}

#[test]
fn downloads_are_streamed() {
    let cluster = TestCluster::start();
    let (go_on, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let locust = FakeLocust::start(move |request, stream| match &*request.path {
        "/stats/requests_full_history/csv" => {
            let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Disposition: attachment\r\nConnection: close\r\n\r\nfirst,line\n";
            stream.write_all(head).unwrap();
            wait.lock().unwrap().recv().unwrap();
            for _ in 0..1024 {
                let _ = stream.write_all(&[b'x'; 64 * 1024]);
            }
        }
        _ => default_response(request, stream),
    });
    let serving = in_front(&cluster, &locust, &[]);
    let mut stream = TcpStream::connect(serving.authority()).unwrap();
    let request = "GET /stats/requests_full_history/csv HTTP/1.0\r\nHost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut received = Vec::new();
    let mut buffer = vec![0; 256 * 1024];
    while !received.ends_with(b"first,line\n") {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the download ended early");
        received.extend_from_slice(&buffer[..count]);
    }
    let before = memory(&serving);
    go_on.send(()).unwrap();
    let mut most = 0;
    let mut length = 0;
    loop {
        let count = stream.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        length += count;
        most = most.max(memory(&serving));
    }
    assert_eq!(length, 64 * 1024 * 1024);
    assert!(most < before + 8 * 1024, "from {before} KB to {most} KB");
}

/// The resident memory in KB.
fn memory(serving: &Serving) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serving.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn our_paths_have_one_prefix_and_the_form_keeps_its_path() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(default_response);
    let serving = in_front(&cluster, &locust, &[]);
    for (path, to) in [("/rescale-form", "-/locustctl/"), ("/-/locustctl", "locustctl/")] {
        let answer = browse(&serving, path);
        assert_eq!((answer.status, answer.header("location")), (307, to), "{path}");
    }
    let page = browse(&serving, "/-/locustctl/");
    assert!(page.text.contains("name=\"worker_count\"") && page.text.contains("href=\"assets/"));
    for path in ["healthz", "readyz", "metrics", "api/scale", "api/openapi.json", "assets/panel.js"]
    {
        let answer = serving.get(&format!("/-/locustctl/{path}"));
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (200, ""),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
    let answer = serving.post("worker_count=2");
    assert_eq!((answer.status, answer.header("location")), (303, "./?done=1"));
    assert_eq!(cluster.workers(), 2);
    let answer = serving.post("worker_count=many");
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("href=\"-/locustctl/assets/style.css\""), "{}", answer.text);
    assert!(answer.text.contains("action=\"-/locustctl/rescale\""), "{}", answer.text);
    assert!(locust.requests("/rescale").is_empty() && locust.requests("/rescale-form").is_empty());
}

#[test]
fn locusts_cors_headers_do_not_apply_to_our_paths() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(default_response);
    let serving = in_front(&cluster, &locust, &[]);
    let evil = [("origin", "http://evil.example.com")];
    put(&serving, &evil).is_problem(403, "CrossSite", "another site");
    let request = serving.request("OPTIONS", "/-/locustctl/api/scale");
    let request = request.header("origin", "http://evil.example.com");
    let answer = serving.send(request.header("access-control-request-method", "PUT"));
    assert_eq!(answer.header("access-control-allow-origin"), "");
    assert_eq!(cluster.workers(), 1);
    let request = serving.request("GET", "/").header("host", "evil.example.com");
    serving.send(request).is_problem(421, "Misdirected", "--allowed-host");
}

/// A Locust with a login that accepts one cookie.
pub(super) fn with_login(request: &Request, stream: &mut TcpStream) {
    match request.has_cookie("session=good") || request.path.starts_with("/login") {
        true => default_response(request, stream),
        false => reply(stream, "302 FOUND\nLocation: /login?next=%2F", ""),
    }
}

#[test]
fn without_locust_the_page_reports_it_and_the_workers_can_be_scaled() {
    let cluster = TestCluster::start();
    let serving = in_front_at(&cluster, "http://127.0.0.1:9", &[]);
    let page = browse(&serving, "/");
    assert_eq!((page.status, page.header("retry-after")), (502, "5"));
    assert!(page.text.contains("<h1>Locust does not answer</h1>"), "{}", page.text);
    assert!(page.text.contains("connection refused"), "{}", page.text);
    assert!(page.text.contains("src=\"-/locustctl/assets/panel.js\""), "{}", page.text);
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    serving.get("/stats/requests").is_problem(502, "LocustSilent", "connection refused");
    assert_eq!(put(&serving, &[]).status, 200);
    assert_eq!(cluster.workers(), 2);
}

#[test]
fn through_the_api_server_only_a_kubeconfig_is_needed() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &["--locust-ui"]);
    serving.wait_for_log("Watching Locust at service/locust-master");
    assert!(browse(&serving, "/").text.contains(SCRIPT));
    let request = serving.request("POST", "/swarm").body("user_count=5&spawn_rate=5");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request =
        request.header("impersonate-user", "system:admin").header("x-remote-user", "root");
    assert_eq!(serving.send(request).json()["message"], "Swarming started");
    let requests = cluster.handle().requests();
    let request =
        requests.iter().find(|request| request.path_and_query.ends_with("/proxy/swarm")).unwrap();
    assert_eq!((request.header("impersonate-user"), request.header("x-remote-user")), (None, None));
    assert_eq!(browse(&serving, "/nope").status, 404, "Locust's own");

    let secrets = "/%2e%2e/%2e%2e/%2e%2e/secrets";
    let mut stream = TcpStream::connect(serving.authority()).unwrap();
    let request = format!("GET {secrets} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 502") && answer.contains("it could leave"), "{answer}");
    assert!(
        !cluster
            .handle()
            .requests()
            .iter()
            .any(|request| request.path_and_query.contains("secrets"))
    );

    cluster.handle().delete_object("/api/v1/namespaces/default/services/locust-master");
    let page = browse(&serving, "/");
    assert_eq!(page.status, 502);
    assert!(page.text.contains("services &#34;locust-master&#34; not found"), "{}", page.text);
}

#[test]
fn locust_ui_without_locust_is_refused() {
    let cluster = TestCluster::start();
    let line = "serve --locust-ui --locust=none --listen=127.0.0.1:0";
    let outcome = support::locustctl(line).kubeconfig(cluster.kubeconfig()).run();
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome.stderr.contains("--locust-ui and --locust=none cannot be used together"),
        "{outcome:?}"
    );
}
