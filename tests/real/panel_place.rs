//! The place of the panel in Locust's page, and when it is folded.

use serde_json::json;
use support::cluster::TestCluster;
use support::serving::Serving;
use support::swarm::running;

use crate::chromium::BrowserOptions;
use crate::locust_panel::{Panel, ROOT, looked_at, open, served, start_test};
use crate::locust_process::{LATEST, RealLocust};

/// The distance from the left and from the top of the window to the middle of an element.
fn middle(panel: &Panel<'_>, id: &str) -> (f64, f64) {
    let place = panel.eval(id, "getBoundingClientRect().toJSON()");
    let side = |name: &str| place[name].as_f64().unwrap();
    (side("x") + side("width") / 2.0, side("y") + side("height") / 2.0)
}

/// Drags an element with the mouse.
fn drag(panel: &Panel<'_>, id: &str, (to_x, to_y): (f64, f64)) {
    let (x, y) = middle(panel, id);
    for (kind, x, y) in [
        ("mousePressed", x, y),
        ("mouseMoved", (x + to_x) / 2.0, (y + to_y) / 2.0),
        ("mouseMoved", to_x, to_y),
        ("mouseReleased", to_x, to_y),
    ] {
        let event =
            json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1});
        panel.0.devtools("Input.dispatchMouseEvent", event);
    }
}

#[test]
#[ignore = "needs chromium and Locust: tests/run.sh runs it"]
fn the_panel_is_folded_while_the_start_form_is_open_and_covers_no_part_of_it() {
    let cluster = TestCluster::start();
    let locust = RealLocust::start(LATEST, &cluster);
    let serving = served(&cluster, &locust, &[]);
    let form = "[...document.querySelectorAll('input, button[type=submit]')]";
    for width in [390, 1280] {
        let browser = open(&serving, BrowserOptions { width, ..BrowserOptions::default() });
        let panel = Panel(&browser);
        browser.wait_for("!!document.querySelector('input[name=userCount]')");
        panel.wait_for_text("short", "1/1");
        browser.wait_for(&format!("{ROOT}.getElementById('pill').checkVisibility()"));
        assert_eq!(panel.eval("panel", "checkVisibility()"), false);
        let covered = format!(
            "((pill) => {form}.filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect())
               .filter((one) => one.left < pill.right && pill.left < one.right
                 && one.top < pill.bottom && pill.top < one.bottom).length)
             ({ROOT}.getElementById('pill').getBoundingClientRect())"
        );
        assert_eq!(browser.eval(&covered), 0, "{width}");
        looked_at(&browser, &format!("panel-start-form-{width}"));
        if width == 1280 {
            start_test(&browser);
            browser.wait_for(&format!("{ROOT}.getElementById('panel').checkVisibility()"));
        }
    }
}

#[test]
#[ignore = "needs chromium: tests/run.sh runs it"]
fn the_panel_can_be_moved_and_stays_there() {
    let cluster = running(1);
    let serving = Serving::start(&cluster, &["--locust-ui", "--rebalance=never"]);
    serving.wait_for_log("Watching Locust at");
    let browser = open(&serving, BrowserOptions::default());
    let panel = Panel(&browser);
    panel.wait_for_text("connected", "1");
    let is_at = |id: &str, left: bool, top: bool| {
        let (x, y) = middle(&panel, id);
        assert_eq!((x < 550.0, y < 450.0), (left, top), "{id} is at {x}, {y}");
    };
    is_at("panel", false, false);
    drag(&panel, "title", (200.0, 120.0));
    is_at("panel", true, true);
    looked_at(&browser, "panel-moved");
    browser.goto(serving.url());
    browser.wait_for("!!document.getElementById('locustctl-panel')");
    panel.wait_for_text("connected", "1");
    is_at("panel", true, true);
    // The same without a drag.
    panel.click("move");
    is_at("panel", false, true);
    panel.click("move");
    is_at("panel", false, false);
    panel.click("fold");
    drag(&panel, "pill", (120.0, 700.0));
    is_at("pill", true, false);
    assert_eq!(panel.eval("panel", "checkVisibility()"), false, "a drag is no click");
    panel.click("pill");
    is_at("panel", true, false);
}
