//! `deploy/locust_plugin.py` in a real Locust: the panel in its page, and the requests that the
//! plugin passes on to serve.

use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use support::cluster::TestCluster;
use support::secrets;
use support::serving::{Http, PATIENCE, Reply, Serving, wait_until};

use crate::locust_process::{RELEASES, RealLocust};

const PLUGIN: &str = include_str!("../../deploy/locust_plugin.py");
const SCRIPT: &str = "<script type=\"module\" src=\"-/locustctl/assets/panel.js\"></script></body>";
const ORDER: &str = r#"{"replicas": 3}"#;
const TOKEN: &str = "plugin-s-token-0123456789abcdef";

/// The header of a browser for a request from Locust's own page.
const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");
const ELSEWHERE: (&str, &str) = ("sec-fetch-site", "cross-site");

/// The settings of a Locust.
struct Setting<'a> {
    release: &'a str,
    /// The name of the locustfile in the fixtures.
    locustfile: &'a str,
    flags: &'a [&'a str],
    /// Further environment variables of the plugin.
    environment: &'a [(&'a str, &'a str)],
}

struct Locust {
    process: RealLocust,
    http: Http,
}

impl Setting<'_> {
    fn of(release: &str) -> Setting<'_> {
        Setting { release, locustfile: "locustfile", flags: &[], environment: &[] }
    }

    fn start(&self, cluster: &TestCluster, serving: &Serving) -> Locust {
        let root = env!("CARGO_MANIFEST_DIR");
        let environment = [&[("LOCUSTCTL_URL", serving.url())], self.environment].concat();
        let settings: String = environment
            .iter()
            .map(|(name, value)| format!("os.environ[{name:?}] = {value:?}\n"))
            .collect();
        let text = format!(
            "import os\nimport sys\n{settings}sys.dont_write_bytecode = True\nsys.path += \
             ['{root}/deploy', '{root}/tests/fixtures/locust']\nimport locust_plugin\n\
             from {} import U\n",
            self.locustfile
        );
        let file = cluster.file("with_panel.py", &text);
        let process =
            RealLocust::start_with(self.release, cluster, file.to_str().unwrap(), self.flags);
        Locust { process, http: Http::new() }
    }
}

impl Locust {
    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> RequestBuilder {
        let request = self.http.request(method, &format!("{}{path}", self.process.url()));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.http.send(self.request("GET", path, headers))
    }

    fn order(&self, headers: &[(&str, &str)], body: &str) -> RequestBuilder {
        let request = self.request("PUT", "/-/locustctl/api/scale", headers);
        request.header("content-type", "application/json").body(body.to_owned())
    }

    fn put(&self, headers: &[(&str, &str)], body: &str) -> Reply {
        self.http.send(self.order(headers, body))
    }
}

fn start(release: &str) -> (TestCluster, Serving, Locust) {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    let locust = Setting::of(release).start(&cluster, &serving);
    (cluster, serving, locust)
}

#[track_caller]
fn is_refused(reply: &Reply) {
    assert_eq!(reply.status, 403, "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.json()["detail"], "A change must come from Locust's page.");
    assert_hidden_from_other_pages(reply);
}

#[track_caller]
fn assert_hidden_from_other_pages(reply: &Reply) {
    let mut names = reply.headers.keys().map(|name| name.as_str());
    assert!(!names.any(|name| name.starts_with("access-control-")), "{reply:?}");
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn locusts_page_has_the_panel_once_and_its_report_does_not() {
    for release in RELEASES {
        let (_cluster, _serving, locust) = start(release);
        let page = locust.get("/", &[]).text;
        assert_eq!((page.matches("panel.js").count(), page.matches(SCRIPT).count()), (1, 1));
        let report = locust.get("/stats/report", &[]);
        assert!(report.status == 200 && !report.text.contains("panel.js"), "{release}");
        assert!(locust.get("/-/locustctl/", &[]).text.contains("<title>locust-slave"));
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn other_sites_cannot_show_the_page_in_a_frame_unless_locust_allows_it() {
    let rules = |locust: &Locust| {
        let page = locust.get("/", &[]);
        assert!(page.text.contains(SCRIPT), "{page:?}");
        let all = page.headers.get_all("content-security-policy").iter();
        all.map(|rule| rule.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for release in RELEASES {
        let (cluster, serving, locust) = start(release);
        assert_eq!(rules(&locust), ["frame-ancestors 'self'"], "{release}");
        assert_eq!(locust.get("/", &[]).header("x-frame-options"), "SAMEORIGIN");
        assert_eq!(locust.get("/stats/requests", &[]).header("x-frame-options"), "");
        drop(locust);
        let setting = Setting { locustfile: "framed", ..Setting::of(release) };
        let own = rules(&setting.start(&cluster, &serving));
        assert_eq!(own, ["frame-ancestors https://grafana.example.com"], "{release}");
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn serves_answers_are_passed_on_unchanged() {
    for release in RELEASES {
        let (_cluster, serving, locust) = start(release);
        let asset = locust.get("/-/locustctl/assets/panel.js", &[]);
        assert_eq!(asset.text, serving.get("/assets/panel.js").text);
        assert!(asset.header("content-type").starts_with("text/javascript"), "{asset:?}");
        let headers = [("if-none-match", asset.header("etag"))];
        assert_eq!(locust.get("/-/locustctl/assets/panel.js", &headers).status, 304);
        let count = locust.get("/-/locustctl/api/scale", &[]);
        assert_eq!(count.json(), serving.get("/api/scale").json());
        locust.put(&[OWN], r#"{"replicas": -1}"#).is_problem(422, "Invalid", "-1 is not a number");
        locust.get("/-/locustctl/gone", &[]).is_problem(404, "NotFound", "no page at this address");
        let form = locust.request("POST", "/-/locustctl/rescale", &[OWN]).body("worker_count=x");
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(locust.http.send(form).status, 422);
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn other_sites_cannot_read_serves_answers() {
    let other = [("origin", "http://evil.example.com")];
    let preflight = [other[0], ("access-control-request-method", "PUT")];
    for release in RELEASES {
        let (_cluster, _serving, locust) = start(release);
        for path in ["", "api/scale", "assets/panel.js", "gone"] {
            for headers in [&[][..], &other] {
                assert_hidden_from_other_pages(
                    &locust.get(&format!("/-/locustctl/{path}"), headers),
                );
            }
        }
        let options = locust.request("OPTIONS", "/-/locustctl/api/scale", &preflight);
        assert_hidden_from_other_pages(&locust.http.send(options));
        assert_hidden_from_other_pages(&locust.put(&[OWN, other[0]], ORDER));
        let answer = locust.get("/stats/requests", &other);
        assert_eq!(answer.header("access-control-allow-origin"), other[0].1, "{release}");
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_change_by_locusts_page_is_made_and_reported_immediately() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for release in RELEASES {
        let (cluster, _serving, locust) = start(release);
        runtime.block_on(async {
            let events = locust.request("GET", "/-/locustctl/api/events", &[]).send();
            let mut events = events.await.unwrap();
            assert_eq!(events.headers()["content-type"], "text/event-stream; charset=utf-8");
            let codings = events.headers().get_all("transfer-encoding").iter();
            assert_eq!(codings.collect::<Vec<_>>(), ["chunked"], "{release}");
            wait_for_event(&mut events, r#""replicas":{"desired":1,"#).await;
            let changed = locust.order(&[OWN], ORDER).send().await.unwrap();
            assert_eq!(changed.status(), 200);
            wait_for_event(&mut events, r#""replicas":{"desired":3,"#).await;
        });
        assert_eq!(cluster.workers(), 3, "{release}");
    }
}

async fn wait_for_event(events: &mut reqwest::Response, part: &str) {
    let mut text = String::new();
    while !text.contains(part) {
        let chunk = tokio::time::timeout(PATIENCE, events.chunk())
            .await
            .expect("the event arrives in time");
        text.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("the stream goes on")));
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn a_change_by_another_page_is_refused() {
    for release in RELEASES {
        let (cluster, _serving, locust) = start(release);
        let own = locust.process.url().to_owned();
        let longer = format!("{own}.evil.example.com");
        for headers in [
            &[][..],
            &[ELSEWHERE],
            &[ELSEWHERE, ("origin", &own)],
            &[("sec-fetch-site", "same-site"), ("origin", &own)],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", ""), ("origin", &own)],
            &[OWN, ELSEWHERE],
            &[("origin", "http://evil.example.com")],
            &[("origin", "http://same-origin")],
            &[("origin", &longer)],
            &[("origin", "null")],
            &[("origin", "")],
        ] {
            is_refused(&locust.put(headers, ORDER));
            let rebalance = locust.request("POST", "/-/locustctl/api/rebalance", headers);
            is_refused(&locust.http.send(rebalance));
        }
        assert_eq!(cluster.workers(), 1, "{release}");
        let changed = locust.put(&[("origin", &own)], ORDER);
        assert_eq!((changed.status, cluster.workers()), (200, 3), "{changed:?}");
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn locusts_login_also_protects_the_plugin() {
    for release in RELEASES {
        let cluster = TestCluster::start();
        let serving = Serving::start(&cluster, &[]);
        let flags = &["--web-login"][..];
        let setting = Setting { locustfile: "login", flags, ..Setting::of(release) };
        let locust = setting.start(&cluster, &serving);
        let paths = ["", "api/scale", "api/events", "assets/panel.js"];
        let answers = paths.map(|path| locust.get(&format!("/-/locustctl/{path}"), &[OWN]));
        for reply in answers.iter().chain([&locust.put(&[OWN], ORDER)]) {
            assert_eq!(reply.status, 302, "{reply:?}");
            assert!(reply.header("location").starts_with("/login"), "{reply:?}");
            assert_hidden_from_other_pages(reply);
        }
        assert_eq!(cluster.workers(), 1, "{release}");
        assert!(!locust.get("/login", &[]).text.contains("panel.js"));

        let session = log_in(&locust);
        let session = ("cookie", session.as_str());
        assert_eq!(locust.get("/", &[session]).text.matches(SCRIPT).count(), 1);
        assert_eq!(locust.get("/-/locustctl/assets/panel.js", &[session]).status, 200);
        is_refused(&locust.put(&[session, ELSEWHERE], ORDER));
        let changed = locust.put(&[session, OWN], ORDER);
        assert_eq!((changed.status, cluster.workers()), (200, 3), "{changed:?}");
    }
}

/// The cookie of a new session.
fn log_in(locust: &Locust) -> String {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let request = locust.request("POST", "/login_submit", &form);
    let reply = locust.http.send(request.body("username=tester&password=secret"));
    reply.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn the_plugin_works_below_locusts_base_path() {
    for release in RELEASES {
        let cluster = TestCluster::start();
        let serving = Serving::start(&cluster, &[]);
        let flags = &["--web-base-path", "/locust"][..];
        let locust = Setting { flags, ..Setting::of(release) }.start(&cluster, &serving);
        assert_eq!(locust.get("/locust/", &[]).text.matches(SCRIPT).count(), 1);
        for path in ["", "api/scale", "assets/panel.js"] {
            assert_eq!(locust.get(&format!("/locust/-/locustctl/{path}"), &[]).status, 200);
            assert_eq!(locust.get(&format!("/-/locustctl/{path}"), &[]).status, 404);
        }
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn an_unreachable_serve_is_reported_immediately() {
    for release in RELEASES {
        let (_cluster, serving, locust) = start(release);
        serving.signal("TERM");
        assert_eq!(serving.wait().0, Some(0));
        // On a busy machine, a request may take some seconds.
        let is_fast = (0..10).any(|_| {
            let began = Instant::now();
            for reply in [locust.get("/-/locustctl/api/events", &[]), locust.put(&[OWN], ORDER)] {
                assert_eq!(reply.status, 502, "{reply:?}");
                assert_eq!(reply.header("content-type"), "application/problem+json");
                assert_eq!(reply.json()["detail"], "locustctl serve does not answer.");
                assert_hidden_from_other_pages(&reply);
            }
            began.elapsed() < Duration::from_secs(2)
        });
        assert!(is_fast, "{release}");
        assert_eq!(locust.get("/", &[]).text.matches(SCRIPT).count(), 1);
    }
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn the_token_is_used_and_not_shown_anywhere() {
    secrets::add(TOKEN);
    for release in RELEASES {
        let cluster = TestCluster::start();
        let tokens = cluster.file("tokens", &format!("locust {TOKEN}\n"));
        let flag = format!("--auth-token-file={}", tokens.display());
        let serving = Serving::start(&cluster, &[&flag]);
        wait_until(|| serving.get("/readyz").status == 200, || "readiness".to_owned());
        let token = cluster.path("token");
        let environment = &[("LOCUSTCTL_TOKEN_FILE", token.to_str().unwrap())][..];
        let setting = Setting { environment, ..Setting::of(release) };
        let locust = setting.start(&cluster, &serving);
        // The file may be created or replaced later.
        assert_eq!(locust.get("/-/locustctl/api/scale", &[]).status, 502);
        cluster.file("token", "not-the-token-0123456789\n");
        locust.get("/-/locustctl/api/scale", &[]).is_problem(401, "Unauthorized", "The token");
        cluster.file("token", &format!("{TOKEN}\n"));
        assert_eq!(locust.get("/-/locustctl/api/scale", &[]).status, 200);
        is_refused(&locust.put(&[ELSEWHERE], ORDER));
        let changed = locust.put(&[OWN], ORDER);
        assert_eq!((changed.status, cluster.workers()), (200, 3), "{changed:?}");
        serving.wait_for_log("audit who=\"locust\"");
        for path in ["/", "/logs", "/-/locustctl/"] {
            assert!(!locust.get(path, &[]).text.contains(TOKEN), "{path}");
        }
    }
}

#[test]
fn the_plugin_is_short_and_documented() {
    assert!(PLUGIN.lines().count() <= 40);
    assert!(PLUGIN.lines().all(|line| line.len() <= 100));
    let (_, rest) = PLUGIN.split_once("\"\"\"").unwrap();
    let (docstring, _) = rest.split_once("\"\"\"").unwrap();
    for word in ["locustfile", "LOCUSTCTL_URL", "LOCUSTCTL_TOKEN_FILE"] {
        assert!(docstring.contains(word), "{word} is not in {docstring:?}");
    }
}
