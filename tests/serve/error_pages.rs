//! Errors in a browser.

use support::cluster::TestCluster;
use support::serving::{Reply, Serving};

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

fn browse(serving: &Serving, method: &str, path: &str, host: Option<&str>) -> Reply {
    let request = serving.request(method, path).header("accept", HTML);
    serving.send(match host {
        Some(host) => request.header("host", host),
        None => request,
    })
}

#[track_caller]
fn is_page(reply: &Reply, status: u16, parts: &[&str]) {
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    assert!(reply.header("content-security-policy").contains("default-src 'none'"));
    for part in parts {
        assert!(reply.text.contains(part), "{part} is not in\n{}", reply.text);
    }
}

#[test]
fn a_browser_gets_a_page_for_an_unknown_address() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    let reply = browse(&serving, "GET", "/nothing-here", None);
    is_page(&reply, 404, &["<h1>Page not found</h1>", "href=\"./\"", "\"./assets/style.css\""]);
    let reply = browse(&serving, "GET", "/a/b/", None);
    is_page(&reply, 404, &["href=\"../../\"", "\"../../assets/style.css\""]);
    serving.get("/nothing-here").is_problem(404, "NotFound", "no page at this address");
    let api = browse(&serving, "GET", "/api/nothing-here", None);
    api.is_problem(404, "NotFound", "no page at this address");
    let api = browse(&serving, "DELETE", "/api/scale", None);
    api.is_problem(405, "MethodNotAllowed", "does not support the method");
}

#[test]
fn a_browser_that_opens_the_address_of_a_form_gets_the_form() {
    let cluster = TestCluster::start();
    for (flags, path, expected) in [
        (&[][..], "/rescale", "./"),
        (&[], "/rebalance", "./"),
        (&["--locust-ui"], "/rescale", "-/locustctl/"),
        (&["--locust-ui"], "/-/locustctl/rescale", "./"),
    ] {
        let serving = Serving::start(&cluster, flags);
        let reply = browse(&serving, "GET", path, None);
        assert_eq!((reply.status, reply.header("location")), (303, expected), "{path}");
    }
    let serving = Serving::start(&cluster, &[]);
    let reply = browse(&serving, "DELETE", "/rescale", None);
    is_page(&reply, 405, &["<h1>Method not allowed</h1>", "href=\"./\""]);
    assert_eq!(reply.header("allow"), "GET,HEAD,POST");
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn the_page_for_a_refused_host_name_says_which_flag_is_missing() {
    let cluster = TestCluster::start();
    for (flags, root) in [(&[][..], "./"), (&["--locust-ui"], "-/locustctl/")] {
        let serving = Serving::start(&cluster, flags);
        let host = Some("workers.team.example:8088");
        let reply = browse(&serving, "GET", "/", host);
        let title = "<h1>Host name not allowed</h1>";
        is_page(
            &reply,
            421,
            &[title, "Start locustctl serve with --allowed-host=workers.team.example."],
        );
        assert!(!reply.text.contains("Go to"), "a link would be refused: {}", reply.text);
        let style = browse(&serving, "GET", &format!("/{root}assets/style.css"), host);
        assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
        let reply = browse(&serving, "GET", "/", Some("<b>"));
        assert!(
            reply.status == 400 || reply.text.contains("--allowed-host=NAME"),
            "{}",
            reply.text
        );
        let api = serving.request("GET", "/").header("host", "workers.team.example");
        serving.send(api).is_problem(421, "Misdirected", "--allowed-host=workers.team.example.");
    }
}

#[test]
fn a_browser_gets_a_page_for_other_refusals() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    let form = serving.request("POST", "/rescale").body("worker_count=2").header("accept", HTML);
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let reply = serving.send(form.header("origin", "https://evil.example.com"));
    is_page(&reply, 403, &["<h1>Forbidden</h1>", "comes from another site"]);
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn the_footer_has_no_link_to_a_download() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    let page = serving.get("/").text;
    assert!(page.contains("HTTP API") && !page.contains("href=\"metrics\""), "{page}");
    assert_eq!(serving.get("/metrics").status, 200);
}
