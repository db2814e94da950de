//! Outdated and changing states on the page of `serve`, in a real browser.

use support::cluster::{TestCluster, WORKERS};
use support::fake_locust::{FakeLocust, default_response};
use support::serving::{Serving, wait_until};
use support::swarm::running;

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

/// Draws two samples per minute for an hour, and returns the texts and paths of the plots.
const DRAW_AN_HOUR: &str = "import(new URL('assets/chart.js', location)).then(({ chart }) => {
  const card = document.createElement('section');
  const at = (place) => new Date(Date.UTC(2026, 0, 1) + place * 30000).toISOString();
  const sample = (place) => ({ at: at(place), ready: 5, connected: place === 60 ? null : 4,
    users: place < 60 ? 0 : 60, requestsPerSecond: null });
  const add = chart(card);
  add([...Array(130).keys()].map(sample));
  add([sample(129)]);
  const path = (name) => card.querySelector(`path.${name}`).getAttribute('d');
  return {
    label: card.querySelector('svg').ariaLabel.replaceAll(/\\d\\d:\\d\\d/g, 'T'),
    points: path('ready').split('L').length,
    lines: path('connected').split('M').length - 1,
    y: path('users').match(/ [\\d.]+h0/)[0] + path('users').match(/ [\\d.]+$/)[0],
    isRpsShown: card.querySelector('.RPS').hidden === false,
    legend: card.querySelector('.Workers figcaption').textContent,
  };
})";

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn the_chart_draws_the_last_hour_and_describes_it() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    let browser = open(&serving);
    browser.wait_for(
        "document.querySelector('#chart svg')?.ariaLabel.includes('ready 1 to 1, 1 at the end')",
    );
    assert_eq!(
        browser.eval(DRAW_AN_HOUR),
        serde_json::json!({
            "label": "Workers from T to T: ready 5 to 5, 5 at the end; connected 4 to 4, 4 at the end",
            "points": 121, "lines": 2, "y": " 60.0h0 24.0", "isRpsShown": false,
            "legend": "Workers5 ready4 connected"
        }),
        "an hour, an interrupted line, and a scale up to 100 users"
    );
    looked_at(&browser, "chart");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn the_chart_and_the_steps_fit_a_phone_in_the_dark() {
    let cluster = running(2);
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(2);
    let options = BrowserOptions { width: 390, height: 844, is_dark: true, ..Default::default() };
    let browser = Browser::open(options);
    browser.goto(serving.url());
    browser.wait_for_text("#rps", ".");
    browser.wait_for("document.querySelector('#chart svg') !== null");
    let width = browser.eval("document.documentElement.scrollWidth");
    assert_eq!(width, 390, "nothing is cut off");
    looked_at(&browser, "chart-phone");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn large_numbers_are_reached_in_steps_of_ten() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &["--max-replicas=25"]);
    serving.wait_until_settled(1);
    let browser = open(&serving);
    let value = || browser.eval("document.getElementById('count').value");
    browser.wait_for("document.getElementById('count').value === '1'");
    browser.click("[data-step='10']");
    browser.click("[data-step='10']");
    assert_eq!(value(), "21");
    browser.click("[data-step='10']");
    assert_eq!(value(), "25", "the limit");
    browser.click("[data-step='-10']");
    assert_eq!(value(), "15");
    browser.eval("document.getElementById('count').focus()");
    browser.press("\u{e00e}");
    assert_eq!(value(), "25", "Page Up");
    browser.press("\u{e00f}");
    assert_eq!(value(), "15", "Page Down");
    let names = browser
        .eval("[...document.querySelectorAll('[data-step]')].map((button) => button.ariaLabel)");
    let expected = ["Decrease by 10", "Decrease by 1", "Increase by 1", "Increase by 10"];
    assert_eq!(names, serde_json::json!(expected));
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn the_page_and_the_panel_in_locusts_page_link_to_each_other() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &["--locust-ui"]);
    let state = "/-/locustctl/api/events";
    wait_until(|| serving.state_at(state)["locust"]["state"] == "ready", || "Locust".to_owned());
    let browser = Browser::open(BrowserOptions::default());
    let page = format!("{}/-/locustctl/", serving.url());
    browser.goto(&page);
    browser.click("#to-locust");
    browser.wait_for("document.getElementById('locustctl-panel')?.hidden === false");
    assert_eq!(browser.url(), format!("{}/", serving.url()));
    browser.eval(
        "document.getElementById('locustctl-panel').shadowRoot.querySelector('footer a').click()",
    );
    browser.wait_for("document.getElementById('to-locust') !== null");
    assert_eq!(browser.url(), page);
}
