//! The page of `serve` in a real browser.

use std::time::Duration;

use locustctl::sandbox::{Account, Action, Fault, Options, PodFailure};
use support::cluster::{TestCluster, WORKERS};
use support::serving::Serving;
use support::waiting::kubeconfig_of;

use crate::chromium::{Browser, BrowserOptions};

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const TAB: &str = "\u{e004}";

/// A cluster with pods that become ready slowly enough to be seen, and a server for it.
fn served(pod_ready_after: u64) -> (TestCluster, Serving) {
    let pod_ready_after = Duration::from_millis(pod_ready_after);
    let cluster = TestCluster::with(Options { pod_ready_after, ..Options::default() });
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    (cluster, serving)
}

fn open(serving: &Serving) -> Browser {
    open_as(serving, BrowserOptions::default())
}

fn open_as(serving: &Serving, options: BrowserOptions) -> Browser {
    let browser = Browser::open(options);
    browser.goto(serving.url());
    if options.has_javascript {
        browser.wait_for_text("#live-text", "Live");
    }
    browser
}

fn scale(browser: &Browser, count: &str) {
    browser.fill("#count", count);
    browser.click("#submit");
}

/// The end of a scenario: a screenshot, axe, and no error in the console.
#[track_caller]
fn done(browser: &Browser, name: &str) {
    browser.screenshot(name);
    let console_errors = browser.console_errors();
    assert!(console_errors.is_empty(), "{console_errors:?}");
    let accessibility_findings = browser.accessibility_findings();
    assert!(accessibility_findings.is_empty(), "{accessibility_findings:#?}");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn the_page_shows_the_present_state() {
    let (cluster, serving) = served(100);
    let browser = open(&serving);
    assert_eq!(browser.text("h1"), "locust-slave");
    assert!(browser.text(".where p").contains(cluster.server()));
    assert_eq!((browser.text("#ready"), browser.text("#desired")), ("1".into(), "1".into()));
    browser.wait_for("document.getElementById('standing').textContent === 'All ready'");
    assert_eq!(browser.eval("document.getElementById('submit').ariaDisabled"), "true");
    assert_eq!(browser.eval("document.getElementById('bar').position"), 1);
    assert_eq!(browser.eval("document.querySelectorAll('#pods li').length"), 1);
    assert_eq!(browser.text("#no-history"), "No changes yet.");
    assert_eq!(browser.eval("document.getElementById('count').value"), "1");
    done(&browser, "load");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn scaling_up_fills_the_bar_as_pods_become_ready() {
    let (cluster, serving) = served(15_000);
    let browser = open(&serving);
    browser.click("#more");
    browser.click("#submit");
    browser.wait_for_text("#notice", "locust-slave was scaled from 1 to 2.");
    browser.wait_for_text("#standing", "Starting");
    assert_eq!(browser.eval("document.getElementById('bar').position"), 0.5);
    browser.wait_for("document.querySelector('#pods li[data-look=wait]') !== null");
    browser.screenshot("scale-up-under-way");
    browser.wait_for_text("#standing", "All ready");
    assert_eq!(browser.eval("document.getElementById('bar').position"), 1);
    browser.wait_for("document.querySelectorAll('#pods li[data-look=ready]').length === 2");
    assert!(browser.text("#history li").contains("1 → 2"));
    browser.wait_for("document.getElementById('spoken').textContent === '2 of 2 workers ready'");
    assert_eq!(cluster.workers(), 2);
    done(&browser, "scale-up");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn workers_can_be_scaled_with_the_keyboard_only() {
    let (cluster, serving) = served(100);
    serving.put("?wait=50s", r#"{"replicas": 3}"#);
    let browser = open(&serving);
    browser.wait_for_text("#standing", "All ready");
    browser.press(TAB);
    assert_eq!(browser.eval("document.activeElement.className"), "skip");
    browser.press(ENTER);
    browser.wait_for("document.activeElement.id === 'count'");
    browser.press("\u{e015}");
    assert_eq!(browser.eval("document.getElementById('count').value"), "2");
    browser.press(ENTER);
    browser.wait_for_text("#notice", "was scaled from 3 to 2.");
    browser.wait_for_text("#standing", "All ready");
    browser.wait_for("document.querySelectorAll('#pods li').length === 2");
    assert_eq!(cluster.workers(), 2);
    done(&browser, "scale-down");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn scaling_to_zero_needs_a_confirmation() {
    let (cluster, serving) = served(100);
    let browser = open(&serving);
    scale(&browser, "0");
    browser.wait_for_text("#dialog-title", "Scale locust-slave from 1 to 0?");
    assert_eq!(browser.eval("document.activeElement.id"), "dialog-cancel");
    done(&browser, "zero");
    browser.press(ESCAPE);
    browser.wait_for("!document.getElementById('dialog').open");
    assert_eq!(cluster.workers(), 1);
    browser.click("#submit");
    browser.click("#dialog-cancel");
    browser.wait_for("!document.getElementById('dialog').open");
    assert_eq!(cluster.workers(), 1);
    assert_eq!(
        browser.eval("document.getElementById('count').value"),
        "0",
        "the form keeps the typed number"
    );
    browser.click("#submit");
    browser.click("#dialog-ok");
    browser.wait_for_text("#notice", "was scaled from 1 to 0.");
    browser.wait_for_text("#standing", "Scaled to 0");
    browser.wait_for_text("#no-pods", "No pods.");
    done(&browser, "none");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn more_than_double_needs_a_confirmation_and_sixty_pods_are_shown() {
    let (_cluster, serving) = served(100);
    let browser = open(&serving);
    scale(&browser, "60");
    browser.wait_for_text("#dialog-text", "more than twice the current number");
    browser.click("#dialog-ok");
    browser.wait_for_text("#standing", "All ready");
    browser.wait_for("document.querySelectorAll('#pods li[data-look=ready]').length === 60");
    done(&browser, "sixty");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn an_open_question_follows_the_count_and_a_hasty_confirmation_is_refused() {
    let (cluster, serving) = served(100);
    serving.put("?wait=50s", r#"{"replicas": 4}"#);
    let browser = open(&serving);
    browser.wait_for_text("#standing", "All ready");
    scale(&browser, "9");
    browser.wait_for_text("#dialog-title", "Scale locust-slave from 4 to 9?");
    browser.wait_for_text("#dialog-text", "more than twice the current number");
    // The confirmation follows too quickly for a person to have read the change.
    browser.eval(
        "new MutationObserver((_, own) => {
           own.disconnect();
           document.getElementById('dialog-ok').click();
         }).observe(document.getElementById('dialog-title'), { childList: true })",
    );
    cluster.handle().set_replicas(WORKERS, 12);
    browser.wait_for_text("#dialog-title", "Scale locust-slave from 12 to 9?");
    browser.wait_for_text("#dialog-text", "The number of workers has changed in the meantime.");
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(browser.eval("document.getElementById('dialog').open"), true);
    assert_eq!(cluster.workers(), 12);
    done(&browser, "question-renewed");
    browser.click("#dialog-ok");
    browser.wait_for_text("#notice", "locust-slave was scaled from 12 to 9.");
    assert_eq!(cluster.workers(), 9);
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn a_confirmation_applies_to_the_count_in_the_question_of_an_outdated_page() {
    let (cluster, serving) = served(100);
    serving.put("?wait=50s", r#"{"replicas": 4}"#);
    let browser = open(&serving);
    browser.wait_for_text("#standing", "All ready");
    browser.eval(
        "(Object.defineProperty(document, 'hidden', { value: true }),
          document.dispatchEvent(new Event('visibilitychange')))",
    );
    scale(&browser, "9");
    browser.wait_for_text("#dialog-title", "Scale locust-slave from 4 to 9?");
    cluster.handle().set_replicas(WORKERS, 12);
    browser.click("#dialog-ok");
    browser.wait_for_text("#dialog-title", "Scale locust-slave from 12 to 9?");
    assert_eq!(cluster.workers(), 12);
    std::thread::sleep(Duration::from_millis(1100));
    browser.click("#dialog-ok");
    browser.wait_for_text("#notice", "locust-slave was scaled from 12 to 9.");
    assert_eq!(cluster.workers(), 9);
    done(&browser, "question-behind");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn a_refusal_by_the_cluster_is_shown() {
    let cluster = TestCluster::start();
    let viewer = kubeconfig_of(&cluster, cluster.token(Account::Viewer));
    let serving = Serving::start_with(viewer, &[]);
    serving.wait_until_settled(1);
    let browser = open(&serving);
    scale(&browser, "2");
    browser.wait_for_text("#notice[role=alert]", "cannot patch resource \"deployments/scale\"");
    assert_eq!(browser.eval("document.activeElement.id"), "count");
    assert_eq!(
        browser.eval("document.getElementById('count').value"),
        "2",
        "the form keeps the typed number"
    );
    browser.wait_for_text("#history li", "failed");
    assert_eq!(cluster.workers(), 1);
    done(&browser, "refused");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn an_unreachable_cluster_is_shown_and_the_page_recovers() {
    let (cluster, serving) = served(100);
    let browser = open(&serving);
    browser.fill("#count", "2");
    // The first request closes the connection with the watches.
    cluster.handle().inject(Fault::once(Action::CloseBefore).times(Fault::ALWAYS));
    // The page then shows a line above the button. A click at that moment would miss the button.
    browser.eval("document.getElementById('count').form.requestSubmit()");
    browser.wait_for("document.getElementById('notice').getAttribute('role') === 'alert'");
    browser.wait_for_text("#connection", "has not answered since");
    browser.wait_for("document.body.classList.contains('stale')");
    browser.wait_for_text("#pods-title .as-of", "as of ");
    done(&browser, "cluster-gone");
    cluster.handle().set_replicas(WORKERS, 2);
    cluster.handle().clear_faults();
    browser.wait_for("document.getElementById('connection').hidden");
    browser.wait_for_text("#desired", "2");
    done(&browser, "cluster-back");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn the_reason_why_pods_do_not_start_is_shown() {
    let (cluster, serving) = served(100);
    cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
    let browser = open(&serving);
    scale(&browser, "2");
    browser.wait_for_text("#troubles", "1 pod: the image cannot be pulled: ");
    assert_eq!(browser.text("#standing"), "Pods do not start");
    assert_eq!(browser.eval("document.getElementById('bar').nextElementSibling.id"), "troubles");
    browser.wait_for("document.querySelector('#pods li[data-look=bad]') !== null");
    assert_eq!(browser.eval("document.getElementById('standing').dataset.state"), "stuck");
    done(&browser, "trouble");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn two_windows_show_each_others_changes_and_keep_typed_text() {
    let (_cluster, serving) = served(100);
    let (one, other) = (open(&serving), open(&serving));
    other.fill("#count", "7");
    scale(&one, "2");
    other.wait_for_text("#desired", "2");
    other.wait_for_text("#history li", "1 → 2");
    assert_eq!(other.eval("document.getElementById('count').value"), "7");
    one.wait_for("document.getElementById('count').value === '2'");
    other.click("#submit");
    other.click("#dialog-ok");
    one.wait_for_text("#desired", "7");
    one.wait_for_text("#history li", "2 → 7");
    one.wait_for("document.getElementById('count').value === '7'");
    done(&one, "two-windows-one");
    done(&other, "two-windows-other");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn without_javascript_the_form_works_and_shows_errors() {
    let (cluster, serving) = served(100);
    let browser =
        open_as(&serving, BrowserOptions { has_javascript: false, ..BrowserOptions::default() });
    assert!(browser.text("#limits").contains("refresh it"));
    scale(&browser, "2");
    browser.wait_for_text("#notice", "locust-slave was scaled from 1 to 2.");
    assert!(browser.url().contains("/?done="), "{}", browser.url());
    browser.screenshot("no-javascript");
    scale(&browser, "0");
    browser.wait_for_text("#ask-title", "Scale locust-slave from 2 to 0?");
    assert_eq!(cluster.workers(), 2);
    browser.screenshot("no-javascript-question");
    cluster.handle().set_replicas(WORKERS, 3);
    browser.click(".ask button");
    browser.wait_for_text("#notice[role=alert]", "Expected replicas to be 2, was 3");
    browser.wait_for_text("#ask-title", "Scale locust-slave from 3 to 0?");
    assert_eq!(cluster.workers(), 3);
    browser.click(".ask button");
    browser.wait_for_text("#notice", "locust-slave was scaled from 3 to 0.");
    assert_eq!(cluster.workers(), 0);
    let patch = Fault::once(Action::CloseBefore).on("PATCH").times(Fault::ALWAYS);
    cluster.handle().inject(patch);
    scale(&browser, "1");
    browser.wait_for_text("#notice[role=alert]", "did not answer");
    assert!(browser.url().ends_with("/rescale"), "an error page is not a redirect");
    browser.screenshot("no-javascript-error");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn on_a_phone_nothing_is_cut_off_and_buttons_are_large() {
    let (cluster, serving) = served(100);
    cluster.handle().set_pod_failure(Some(PodFailure::Unschedulable));
    serving.put("", r#"{"replicas": 3}"#);
    for (name, is_dark) in [("phone", false), ("phone-dark", true)] {
        let options =
            BrowserOptions { width: 360, height: 740, is_dark, ..BrowserOptions::default() };
        let browser = open_as(&serving, options);
        browser.wait_for_text("#troubles", "2 pods: ");
        assert_eq!(browser.eval("document.documentElement.scrollWidth"), 360);
        let small = "[...document.querySelectorAll('button, input, .button')].filter((one) => \
                     one.checkVisibility() && one.getBoundingClientRect().height < 44).length";
        assert_eq!(browser.eval(small), 0);
        done(&browser, name);
    }
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn the_dark_page_is_dark() {
    let (_cluster, serving) = served(100);
    let browser = open_as(&serving, BrowserOptions { is_dark: true, ..BrowserOptions::default() });
    let ground = browser.eval("getComputedStyle(document.body).backgroundColor");
    assert_eq!(ground, "rgb(14, 19, 17)");
    scale(&browser, "0");
    browser.wait_for_text("#dialog-title", "to 0?");
    done(&browser, "dark-zero");
    browser.click("#dialog-cancel");
    done(&browser, "dark");
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn people_log_in_and_out_in_the_browser() {
    let cluster = TestCluster::start();
    let file = cluster.file("tokens", "alice alice-s-token-0123456789");
    let flag = format!("--auth-token-file={}", file.display());
    let serving = Serving::start(&cluster, &[&flag]);
    let browser = Browser::open(BrowserOptions::default());
    browser.goto(serving.url());
    browser.fill("#token", "alice-s-token-9876543210");
    browser.click("button");
    browser.wait_for_text("[role=alert]", "not valid");
    done(&browser, "login");
    browser.fill("#token", "alice-s-token-0123456789");
    browser.click("button");
    browser.wait_for_text("#live-text", "Live");
    assert_eq!(browser.text(".who span"), "alice");
    scale(&browser, "2");
    browser.wait_for_text("#history li", "alice");
    done(&browser, "logged-in");
    browser.click(".who button");
    browser.wait_for_text("h1", "Sign in");
    browser.goto(serving.url());
    browser.wait_for_text("h1", "Sign in");
}
