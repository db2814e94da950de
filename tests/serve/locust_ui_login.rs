//! `locustctl serve --locust-ui` in front of a Locust with a login, and with a login of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use support::cluster::TestCluster;
use support::fake_locust::{FakeLocust, default_response};

use super::locust_ui::{HTML, SCRIPT, browse, in_front, put, with_login};

/// A Locust with a login that stops answering when `is_silent` is set.
fn with_login_until(is_silent: &Arc<AtomicBool>) -> FakeLocust {
    let is_silent = Arc::clone(is_silent);
    FakeLocust::start(move |request, stream| match is_silent.load(Ordering::SeqCst) {
        true => drop(stream.shutdown(std::net::Shutdown::Both)),
        false => with_login(request, stream),
    })
}

#[test]
fn while_a_locust_with_a_login_is_silent_unknown_cookies_have_no_access() {
    let cluster = TestCluster::start();
    let is_silent = Arc::new(AtomicBool::new(false));
    let locust = with_login_until(&is_silent);
    let serving = in_front(&cluster, &locust, &[]);
    let (good, bad) = (("cookie", "session=good"), ("cookie", "session=bad"));
    let same = ("sec-fetch-site", "same-origin");
    put(&serving, &[bad, same]).is_problem(401, "Unauthorized", "Log in");
    assert_eq!(put(&serving, &[good, same]).status, 200);
    is_silent.store(true, Ordering::SeqCst);
    for cookie in [bad, ("cookie", "any=thing")] {
        put(&serving, &[cookie, same]).is_problem(503, "LocustSilent", "cannot be checked");
        for path in ["api/scale", "api/events", "metrics"] {
            let request = serving.request("GET", &format!("/-/locustctl/{path}"));
            let reply = serving.send(request.header(cookie.0, cookie.1));
            reply.is_problem(503, "LocustSilent", "cannot be checked");
        }
    }
    put(&serving, &[same]).is_problem(401, "Unauthorized", "Log in");
    assert_eq!(put(&serving, &[good, same]).status, 200, "Locust has accepted this cookie");
}

#[test]
fn a_login_that_nobody_has_used_yet_is_known_too() {
    let cluster = TestCluster::start();
    let is_silent = Arc::new(AtomicBool::new(false));
    let locust = with_login_until(&is_silent);
    let serving = in_front(&cluster, &locust, &[]);
    serving.wait_for_log("requires a login");
    is_silent.store(true, Ordering::SeqCst);
    for headers in [vec![], vec![("cookie", "any=thing")]] {
        put(&serving, &headers).is_problem(503, "LocustSilent", "cannot be checked");
    }
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn locusts_login_also_protects_our_paths() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(with_login);
    let serving = in_front(&cluster, &locust, &[]);
    let get = |path: &str, cookie: &str| {
        serving
            .send(serving.request("GET", &format!("/-/locustctl/{path}")).header("cookie", cookie))
    };
    for cookie in ["", "session=bad", "other=session=good"] {
        for path in ["api/scale", "api/events", "metrics"] {
            get(path, cookie).is_problem(401, "Unauthorized", "Log in to Locust first");
        }
    }
    for path in ["healthz", "readyz", "assets/panel.js"] {
        assert_eq!(get(path, "").status, 200, "{path}");
    }
    assert_eq!(get("api/scale", "a=b; session=good").status, 200);
    let page = browse(&serving, "/-/locustctl/");
    assert_eq!((page.status, page.header("location")), (303, "../../"));
    assert_eq!(browse(&serving, "/").header("location"), "/login?next=%2F");

    put(&serving, &[]).is_problem(401, "Unauthorized", "Log in");
    let cookie = ("cookie", "session=good");
    put(&serving, &[cookie]).is_problem(403, "CrossSite", "another site");
    put(&serving, &[cookie, ("sec-fetch-site", "same-site")]).is_problem(403, "CrossSite", "");
    assert_eq!(cluster.workers(), 1);
    assert_eq!(put(&serving, &[cookie, ("sec-fetch-site", "same-origin")]).status, 200);
    assert_eq!(cluster.workers(), 2);
    serving.wait_for_log("who=\"a user of Locust\" from=127.0.0.1 action=\"scale\" old=1 new=2");
    serving.wait_for_log("action=\"PUT /api/scale\" old=- new=- outcome=refused");
}

#[test]
fn our_login_protects_locust_and_its_secrets_do_not_reach_locust() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(default_response);
    let tokens = cluster.file("tokens", "alice alice-s-token-0123456789");
    let serving =
        in_front(&cluster, &locust, &[&format!("--auth-token-file={}", tokens.display())]);
    let page = browse(&serving, "/extend?a=b");
    let to = "-/locustctl/login?next=extend%3Fa%3Db";
    assert_eq!((page.status, page.header("location")), (303, to));
    serving.get("/worker-count").is_problem(401, "Unauthorized", "A token is required");
    assert_eq!(browse(&serving, "/-/locustctl/").header("location"), "login?next=-%2Flocustctl%2F");

    let form = "application/x-www-form-urlencoded";
    let request = serving.request("POST", "/rescale").header("accept", HTML);
    let answer = serving.send(request.header("content-type", form).body("worker_count=2"));
    let to = "-/locustctl/login?next=-%2Flocustctl%2F&lost=1";
    assert_eq!((answer.status, answer.header("location")), (303, to));
    let login_page = browse(&serving, "/-/locustctl/login?next=&lost=1");
    assert!(
        login_page.text.contains("You were signed out, and nothing was changed."),
        "{}",
        login_page.text
    );
    assert_eq!(cluster.workers(), 1);

    let request = serving.request("POST", "/-/locustctl/login");
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body("token=alice-s-token-0123456789&next=extend%3Fa%3Db");
    let answer = serving.send(request);
    assert_eq!((answer.status, answer.header("location")), (303, "../../extend?a=b"));
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let cookies = format!("{cookie}; session=locusts");
    let page = serving.send(serving.request("GET", "/").header("cookie", cookies));
    assert!(page.text.contains(SCRIPT));
    let bearer = "Bearer alice-s-token-0123456789";
    let request = serving.request("GET", "/worker-count").header("authorization", bearer);
    assert_eq!(serving.send(request).status, 200);
    let page = &locust.requests("/");
    assert_eq!(page.last().unwrap().header("cookie"), Some("session=locusts"));
    let all = ["/", "/worker-count"].iter().flat_map(|path| locust.requests(path));
    assert!(all.into_iter().all(|request| request.header("authorization").is_none()));
}
