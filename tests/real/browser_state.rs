//! Outdated and changing states on the page of `serve`, in a real browser.

use support::cluster::{TestCluster, WORKERS};
use support::fake_locust::{FakeLocust, default_response};
use support::serving::Serving;

use crate::chromium::{Browser, BrowserOptions};

fn open(serving: &Serving) -> Browser {
    let browser = Browser::open(BrowserOptions::default());
    browser.goto(serving.url());
    browser.wait_for_text("#live-text", "Live");
    browser
}

#[track_caller]
fn looked_at(browser: &Browser, name: &str) {
    browser.screenshot(name);
    let findings = browser.accessibility_findings();
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn without_the_server_every_card_says_since_when_it_is_outdated() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    let browser = open(&serving);
    browser.wait_for_text("#ready", "1");
    assert_eq!(browser.eval("document.querySelectorAll('.as-of:not([hidden])').length"), 0);
    drop(serving);
    browser.wait_for("document.body.classList.contains('stale')");
    let times = browser.eval(
        "[...document.querySelectorAll('h2 .as-of')].map((one) => /^as of \\d\\d:\\d\\d$/.test(one.textContent))",
    );
    assert_eq!(times, serde_json::json!([true, true, true, true]));
    assert_eq!(browser.text("#ready"), "1");
    looked_at(&browser, "server-gone");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn the_result_of_a_change_disappears_at_the_next_change() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    let browser = open(&serving);
    browser.fill("#count", "2");
    browser.click("#submit");
    browser.wait_for_text("#notice", "was scaled from 1 to 2.");
    browser.wait_for_text("#history li", "1 → 2");
    assert_eq!(browser.eval("document.getElementById('notice').hidden"), false);
    cluster.handle().set_replicas(WORKERS, 4);
    browser.wait_for_text("#history li", "2 → 4");
    browser.wait_for("document.getElementById('notice').hidden");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn the_button_is_inactive_while_the_number_is_unchanged() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    let browser = open(&serving);
    let is_inactive = "document.getElementById('submit').ariaDisabled === 'true'";
    browser.wait_for(is_inactive);
    browser.click("#submit");
    browser.press("\u{e007}");
    browser.click("#more");
    browser.wait_for(&format!("!({is_inactive})"));
    browser.click("#less");
    browser.wait_for(is_inactive);
    browser.click("#more");
    browser.click("#submit");
    browser.wait_for_text("#notice", "was scaled from 1 to 2.");
    browser.wait_for(is_inactive);
    let history = browser.eval("document.querySelectorAll('#history li').length");
    assert_eq!(history, 1, "an inactive button sends nothing");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn ready_workers_are_amber_until_locust_has_them() {
    let cluster = TestCluster::start();
    let locust = FakeLocust::start(default_response);
    let flag = format!("--locust={}", locust.url());
    let serving = Serving::start(&cluster, &[&flag]);
    serving.wait_until_settled(1);
    let browser = open(&serving);
    browser.wait_for_text("#standing", "All ready, not all connected to Locust");
    assert_eq!(browser.eval("document.getElementById('standing').dataset.state"), "moving");
    looked_at(&browser, "not-connected");
    let serving = Serving::start(&cluster, &[]);
    drop(browser);
    let browser = open(&serving);
    browser.wait_for("document.getElementById('standing').textContent === 'All ready'");
    assert_eq!(browser.eval("document.getElementById('standing').dataset.state"), "settled");
}
