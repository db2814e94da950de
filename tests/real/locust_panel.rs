//! The panel in the page of a real Locust, in a real browser.

use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::serving::{Serving, wait_until};
use support::swarm::{ask, running};

use crate::chromium::{Browser, BrowserOptions};
use crate::locust_process::{LATEST, RealLocust};

pub const ROOT: &str = "document.getElementById('locustctl-panel').shadowRoot";

/// The panel's shadow root.
pub struct Panel<'a>(pub &'a Browser);

impl Panel<'_> {
    pub fn eval(&self, id: &str, expression: &str) -> Value {
        self.0.eval(&format!("{ROOT}.getElementById('{id}').{expression}"))
    }

    fn text(&self, id: &str) -> String {
        self.eval(id, "textContent").as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub fn wait_for_text(&self, id: &str, wanted: &str) {
        wait_until(
            || {
                self.0.eval("!!document.getElementById('locustctl-panel')") == true
                    && self.text(id).contains(wanted)
            },
            || format!("{wanted:?} in #{id}, which is {:?}", self.text(id)),
        );
    }

    /// Clicks an element as soon as it is visible.
    #[track_caller]
    pub fn click(&self, id: &str) {
        wait_until(|| self.eval(id, "checkVisibility()") == true, || format!("a visible #{id}"));
        self.eval(id, "click()");
    }

    /// Opens the panel if it is folded, as it is while Locust's start form is open.
    fn unfold(&self) {
        if self.eval("panel", "checkVisibility()") == false {
            self.click("pill");
        }
    }

    fn scale(&self, count: u32) {
        self.unfold();
        // In one step, as a key does: a new state between them would put the present number back.
        let field = format!("{ROOT}.getElementById('count')");
        let event = "new Event('input', { bubbles: true })";
        self.0.eval(&format!("({field}.value = '{count}', {field}.dispatchEvent({event}))"));
        // It is disabled until the change before has ended.
        self.0.wait_for(&format!("{ROOT}.getElementById('submit').ariaDisabled !== 'true'"));
        self.click("submit");
    }

    /// The panel exists once, is visible, is below Locust's dialogs, and shows the present state.
    #[track_caller]
    fn is_there(&self, counts: &str) {
        assert_eq!(self.0.eval("document.querySelectorAll('#locustctl-panel').length"), 1);
        self.wait_for_text("short", counts);
        self.0.wait_for(&format!("{ROOT}.getElementById('panel').checkVisibility()"));
        let layer = format!("getComputedStyle({ROOT}.getElementById('panel')).zIndex");
        let layer = self.0.eval(&layer);
        let layer: Option<i64> = layer.as_str().and_then(|text| text.parse().ok());
        assert!(layer.is_some_and(|layer| (1..1300).contains(&layer)), "{layer:?}");
    }
}

/// Opens Locust's page through `serve`.
pub fn served(cluster: &TestCluster, locust: &RealLocust, flags: &[&str]) -> Serving {
    let locust = format!("--locust={}", locust.url());
    let flags: Vec<_> = flags.iter().copied().chain(["--locust-ui", &locust]).collect();
    let serving = Serving::start(cluster, &flags);
    wait_until(|| serving.get("/-/locustctl/readyz").status == 200, || "readiness".to_owned());
    serving
}

pub fn open(serving: &Serving, options: BrowserOptions) -> Browser {
    let browser = Browser::open(options);
    browser.goto(serving.url());
    browser.wait_for("!!document.getElementById('locustctl-panel')");
    browser.wait_for("!document.getElementById('locustctl-panel').hidden");
    browser
}

/// Clicks the button with this text in Locust's page.
fn press(browser: &Browser, text: &str) {
    browser.wait_for(&format!(
        "[...document.querySelectorAll('button')].some((one) => \
         one.textContent.trim().toLowerCase() === '{text}' && !one.disabled)"
    ));
    browser.eval(&format!(
        "[...document.querySelectorAll('button')].filter((one) => \
         one.textContent.trim().toLowerCase() === '{text}').at(-1).click()"
    ));
}

/// Fills Locust's form and starts a test.
pub fn start_test(browser: &Browser) {
    for field in ["userCount", "spawnRate"] {
        browser.wait_for(&format!("!!document.querySelector('input[name={field}]')"));
        browser.fill(&format!("input[name={field}]"), "\u{e009}a\u{e000}60");
    }
    press(browser, "start");
}

#[track_caller]
pub fn looked_at(browser: &Browser, name: &str) {
    browser.screenshot(name);
    let console_errors = browser.console_errors();
    assert!(console_errors.is_empty(), "{name}: {console_errors:?}");
    let accessibility_findings = browser.accessibility_findings_in("#locustctl-panel");
    assert!(accessibility_findings.is_empty(), "{name}: {accessibility_findings:#?}");
}

#[test]
#[ignore = "needs chromium and Locust: tests/run.sh runs it"]
fn the_panel_is_visible_in_every_state_of_locusts_page() {
    let cluster = TestCluster::start();
    let locust = RealLocust::start(LATEST, &cluster);
    let serving = served(&cluster, &locust, &[]);
    let browser = open(&serving, BrowserOptions { width: 1280, ..BrowserOptions::default() });
    let panel = Panel(&browser);
    panel.wait_for_text("connected", "1");
    panel.unfold();
    panel.is_there("1/1");
    looked_at(&browser, "panel-ready");
    panel.click("fold");
    start_test(&browser);
    panel.wait_for_text("users", "60 of 60");
    let tabs = browser.eval("document.querySelectorAll('[role=tab]').length").as_i64().unwrap();
    assert!(tabs >= 7, "{tabs}");
    for tab in 0..tabs {
        browser.eval(&format!("document.querySelectorAll('[role=tab]')[{tab}].click()"));
        panel.is_there("1/1");
        browser.screenshot(&format!("panel-tab-{tab}"));
    }
    press(&browser, "edit");
    browser.wait_for("!!document.querySelector('.MuiModal-root')");
    panel.is_there("1/1");
    let covered =
        "document.querySelector('.MuiModal-root').contains(document.elementFromPoint(640, 300))";
    browser.wait_for(covered);
    browser.screenshot("panel-edit");
    browser.press("\u{e00c}");
    browser.wait_for("!document.querySelector('.MuiModal-root')");
    panel.scale(2);
    panel.wait_for_text("connected", "2");
    looked_at(&browser, "panel-running");
    press(&browser, "stop");
    locust.wait_for(|stats| stats["state"] == "stopped");
    panel.is_there("2/2");
    browser.wait_for(&format!("{ROOT}.getElementById('users').textContent === '0'"));
    panel.scale(1);
    panel.wait_for_text("connected", "1");
    looked_at(&browser, "panel-stopped");
}

#[test]
#[ignore = "needs chromium and Locust: tests/run.sh runs it"]
fn a_test_for_sixty_users_keeps_them_while_it_is_scaled() {
    let cluster = TestCluster::start();
    let locust = RealLocust::start(LATEST, &cluster);
    let serving = served(&cluster, &locust, &[]);
    let browser = open(&serving, BrowserOptions { width: 1280, ..BrowserOptions::default() });
    let panel = Panel(&browser);
    panel.wait_for_text("connected", "1");
    start_test(&browser);
    panel.wait_for_text("users", "60 of 60");
    panel.scale(4);
    panel.wait_for_text("ask-text", "more than twice the current number");
    panel.click("yes");
    panel.wait_for_text("connected", "4");
    panel.wait_for_text("history", "1 → 4");
    locust.wait_for(|stats| {
        let workers = stats["workers"].as_array().unwrap();
        workers.len() == 4 && workers.iter().all(|one| one["user_count"].as_i64() > Some(0))
    });
    panel.wait_for_text("history", "60 users");
    let before = locust.requests();
    panel.scale(1);
    panel.wait_for_text("ask-text", "60 users on 4 workers; 3 workers will leave");
    browser.screenshot("panel-question");
    panel.click("no");
    assert_eq!(cluster.workers(), 4, "the rejected question changes nothing");
    panel.click("submit");
    panel.click("yes");
    panel.wait_for_text("history", "redistributed 60 users over 1 worker");
    let stats = locust.wait_for(|stats| stats["user_count"] == 60);
    assert_eq!(stats["state"], "running");
    assert!(locust.requests() >= before, "the statistics are not reset");
    assert_eq!(cluster.workers(), 1);
    looked_at(&browser, "panel-redistributed");
    panel.scale(0);
    panel.wait_for_text("ask-text", "without workers it ends");
    panel.click("yes");
    panel.wait_for_text("connected", "0");
    locust.wait_for(|stats| stats["state"] == "stopped");
    panel.is_there("0/0");
}

#[test]
#[ignore = "needs chromium and Locust: tests/run.sh runs it"]
fn the_panel_follows_locusts_dark_mode() {
    let cluster = TestCluster::start();
    let locust = RealLocust::start(LATEST, &cluster);
    let serving = served(&cluster, &locust, &[]);
    let browser = open(&serving, BrowserOptions { width: 1280, ..BrowserOptions::default() });
    let theme = "document.getElementById('locustctl-panel').dataset.theme";
    browser.wait_for(&format!("{theme} === 'light'"));
    let switch = "[...document.querySelectorAll('header button')].at(-1)";
    browser.wait_for(&format!("!!{switch}"));
    browser.eval(&format!("{switch}.click()"));
    browser.wait_for(&format!("{theme} === 'dark'"));
    looked_at(&browser, "panel-dark");
    browser.eval(&format!("{switch}.click()"));
    browser.wait_for(&format!("{theme} === 'light'"));
}

#[test]
#[ignore = "needs chromium and Locust: tests/run.sh runs it"]
fn on_a_phone_the_panel_is_collapsed_at_first() {
    let cluster = TestCluster::start();
    let locust = RealLocust::start(LATEST, &cluster);
    let serving = served(&cluster, &locust, &[]);
    let browser =
        open(&serving, BrowserOptions { width: 360, height: 740, ..BrowserOptions::default() });
    let panel = Panel(&browser);
    panel.wait_for_text("short", "1/1");
    assert_eq!(panel.eval("panel", "checkVisibility()"), false);
    browser.screenshot("panel-phone-folded");
    panel.click("pill");
    panel.is_there("1/1");
    let place = panel.eval("panel", "getBoundingClientRect().toJSON()");
    let edge = |name: &str| place[name].as_f64().unwrap();
    assert!(edge("left") >= 0.0 && edge("right") <= 360.0 && edge("top") >= 0.0, "{place}");
    let small = format!(
        "[...{ROOT}.querySelectorAll('button, input')].filter((one) => \
         one.checkVisibility() && one.getBoundingClientRect().height < 44).length"
    );
    assert_eq!(browser.eval(&small), 0);
    looked_at(&browser, "panel-phone");
    panel.click("fold");
    browser.goto(serving.url());
    browser.wait_for("!!document.getElementById('locustctl-panel')");
    panel.wait_for_text("short", "1/1");
    assert_eq!(panel.eval("panel", "checkVisibility()"), false);
}

#[test]
#[ignore = "needs chromium and Locust: tests/run.sh runs it"]
fn without_locust_the_panel_reports_it_and_recovers() {
    let cluster = TestCluster::start();
    let mut locust = RealLocust::start(LATEST, &cluster);
    let serving = served(&cluster, &locust, &[]);
    let browser = open(&serving, BrowserOptions { width: 1280, ..BrowserOptions::default() });
    let panel = Panel(&browser);
    panel.wait_for_text("connected", "1");
    locust.stop_master();
    panel.wait_for_text("problem", "Locust could not be reached");
    panel.scale(2);
    panel.wait_for_text("history", "1 → 2");
    assert_eq!(cluster.workers(), 2);
    browser.console_errors();
    browser.goto(serving.url());
    browser.wait_for_text("h1", "Locust does not answer");
    panel.is_there("2/2");
    looked_at(&browser, "panel-locust-down");
    locust.start_master();
    browser.wait_for("!!document.querySelector('#root')");
    panel.wait_for_text("connected", "2");
}

#[test]
#[ignore = "needs chromium and Locust: tests/run.sh runs it"]
fn locusts_login_also_protects_the_panel() {
    let cluster = TestCluster::start();
    let locust = RealLocust::start_with(LATEST, &cluster, "login.py", &["--web-login"]);
    let serving = served(&cluster, &locust, &[]);
    let browser = Browser::open(BrowserOptions { width: 1280, ..BrowserOptions::default() });
    browser.goto(serving.url());
    browser.wait_for("location.pathname === '/login'");
    browser.wait_for("document.querySelectorAll('input').length >= 2");
    assert_eq!(browser.eval("document.getElementById('locustctl-panel')"), Value::Null);
    serving.get("/-/locustctl/api/scale").is_problem(401, "Unauthorized", "Log in to Locust");
    browser.fill("input[name=username]", "tester");
    browser.fill("input[name=password]", "secret");
    browser.eval("document.querySelector('button[type=submit]').click()");
    browser.wait_for("!!document.getElementById('locustctl-panel')");
    let panel = Panel(&browser);
    panel.wait_for_text("connected", "1");
    panel.unfold();
    panel.is_there("1/1");
    panel.scale(2);
    panel.wait_for_text("history", "a user of Locust");
    panel.wait_for_text("connected", "2");
    assert_eq!(cluster.workers(), 2);
    looked_at(&browser, "panel-login");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn an_open_question_shows_the_present_loss() {
    let cluster = running(4);
    let serving = Serving::start(&cluster, &["--locust-ui", "--rebalance=never"]);
    serving.wait_for_log("Watching Locust at");
    let browser = open(&serving, BrowserOptions::default());
    let panel = Panel(&browser);
    panel.wait_for_text("connected", "4");
    panel.scale(9);
    panel.wait_for_text("ask-title", "from 4 to 9?");
    panel.wait_for_text("ask-text", "more than twice the current number");
    cluster.handle().set_replicas(WORKERS, 12);
    panel.wait_for_text("ask-title", "from 12 to 9?");
    panel.wait_for_text("ask-text", "60 users on 12 workers; 3 workers will leave");
    assert_eq!(cluster.workers(), 12);
    looked_at(&browser, "panel-question-renewed");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    panel.click("yes");
    panel.wait_for_text("history", "12 → 9");
    assert_eq!(cluster.workers(), 9);
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn the_sandbox_shows_the_panel_without_a_cluster() {
    let cluster = running(5);
    let serving = Serving::start(&cluster, &["--locust-ui"]);
    serving.wait_for_log("Watching Locust at");
    let browser = open(&serving, BrowserOptions::default());
    browser.wait_for_text("#users", "60 of 60");
    let panel = Panel(&browser);
    panel.wait_for_text("connected", "5");
    panel.scale(1);
    panel.wait_for_text("ask-text", "4 workers will leave");
    panel.click("yes");
    panel.wait_for_text(
        "history",
        "the test had 15 of 60 users; redistributed 60 users over 1 worker",
    );
    assert_eq!(ask(&cluster, "GET", "stats/requests", "")["user_count"], json!(60));
    looked_at(&browser, "panel-sandbox");
    browser.eval("document.querySelector('#stop').click()");
    browser.wait_for_text("#state", "stopped");
}
