//! `locustctl serve --locust-ui` while a Locust with a login does not answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use support::cluster::TestCluster;
use support::fake_locust::FakeLocust;

use super::locust_ui::{in_front, put, with_login};

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
