//! A real browser: Debian's Chromium with its WebDriver.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use url::Url;

use crate::Turn;

/// Longer than any wait takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The time between two looks at the page. More looks would take CPU time from the other tests.
const POLL: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy)]
pub struct BrowserOptions {
    pub width: u32,
    pub height: u32,
    pub is_dark: bool,
    pub has_javascript: bool,
}

impl Default for BrowserOptions {
    fn default() -> Self {
        Self { width: 1100, height: 900, is_dark: false, has_javascript: true }
    }
}

/// A browser with one window. It is closed when this is dropped.
pub struct Browser {
    runtime: Runtime,
    client: Client,
    driver: Child,
    _profile: TempDir,
    _turn: Turn,
}

impl Browser {
    pub fn open(options: BrowserOptions) -> Self {
        let turn = Turn::wait();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let profile = tempfile::tempdir().unwrap();
        let (driver, port) = start_driver();
        let capabilities = capabilities(options, profile.path());
        let client = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities);
            builder.connect(&format!("http://127.0.0.1:{port}")).await.unwrap()
        });
        let browser = Self { runtime, client, driver, _profile: profile, _turn: turn };
        let metrics = json!({"width": options.width, "height": options.height, "deviceScaleFactor": 1,
            "mobile": options.width < 600});
        browser.devtools("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = if options.is_dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.devtools("Emulation.setEmulatedMedia", media);
        browser
    }

    pub fn goto(&self, url: &str) {
        self.runtime.block_on(self.client.goto(url)).unwrap();
    }

    pub fn url(&self) -> String {
        self.runtime.block_on(self.client.current_url()).unwrap().into()
    }

    /// Clicks the first element that matches the selector, as soon as it can be clicked.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let clicked = self
                .runtime
                .block_on(async { self.client.find(Locator::Css(selector)).await?.click().await });
            match clicked {
                Ok(()) => return,
                Err(error) if Instant::now() >= deadline => panic!("{selector}: {error}"),
                Err(_) => std::thread::sleep(POLL),
            }
        }
    }

    /// Replaces the content of a field.
    pub fn fill(&self, selector: &str, text: &str) {
        self.runtime.block_on(async {
            let field = self.client.find(Locator::Css(selector)).await.unwrap();
            // After WebDriver has cleared the field, a new state of the page may fill it before the keys arrive.
            // A field for numbers is empty after other text.
            for _ in 0..5 {
                field.clear().await.unwrap();
                field.send_keys(text).await.unwrap();
                let value = field.prop("value").await.unwrap().unwrap_or_default();
                if value == text || value.is_empty() {
                    break;
                }
            }
        });
    }

    /// Presses keys in the focused element.
    pub fn press(&self, keys: &str) {
        self.runtime.block_on(async {
            let active = self.client.active_element().await.unwrap();
            active.send_keys(keys).await.unwrap();
        });
    }

    /// The value of an expression in the page.
    pub fn eval(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.runtime.block_on(self.client.execute(&script, Vec::new())).unwrap()
    }

    /// The visible text of an element.
    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        self.runtime.block_on(async {
            let found = self.client.find(Locator::Css(selector)).await;
            found.unwrap_or_else(|_| panic!("no {selector}")).text().await.unwrap()
        })
    }

    /// Waits until the visible text of an element contains this.
    #[track_caller]
    pub fn wait_for_text(&self, selector: &str, wanted: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut last = String::new();
        while Instant::now() < deadline {
            last = self.runtime.block_on(async {
                match self.client.find(Locator::Css(selector)).await {
                    Ok(found) => found.text().await.unwrap_or_default(),
                    Err(_) => String::new(),
                }
            });
            if last.contains(wanted) {
                return;
            }
            std::thread::sleep(POLL);
        }
        panic!("{selector} stays {last:?} instead of {wanted:?}");
    }

    /// Waits until an expression in the page is true.
    #[track_caller]
    pub fn wait_for(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.eval(expression) != true {
            assert!(Instant::now() < deadline, "never true: {expression}");
            std::thread::sleep(POLL);
        }
    }

    /// Saves a screenshot in `target/screenshots/`.
    pub fn screenshot(&self, name: &str) {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&directory).unwrap();
        let image = self.runtime.block_on(self.client.screenshot()).unwrap();
        std::fs::write(directory.join(format!("{name}.png")), image).unwrap();
    }

    /// The page's errors in the console. Refused requests are left out, since tests cause them.
    pub fn console_errors(&self) -> Vec<String> {
        let body = json!({"type": "browser"});
        let log = self.command("POST", "se/log", body);
        let entries = log.as_array().cloned().unwrap_or_default();
        let texts = entries.iter().filter(|entry| entry["level"] != "DEBUG");
        let texts = texts.filter_map(|entry| entry["message"].as_str().map(str::to_owned));
        texts.filter(|text| !text.contains("Failed to load resource")).collect()
    }

    /// The serious and critical findings of axe-core, one text for each.
    pub fn accessibility_findings(&self) -> Vec<String> {
        self.accessibility_findings_in("html")
    }

    /// The findings in a part of the page.
    pub fn accessibility_findings_in(&self, selector: &str) -> Vec<String> {
        let axe = PathBuf::from(std::env::var("AXE").expect("tests/run.sh sets AXE"));
        let source = std::fs::read_to_string(axe).unwrap();
        let script = format!(
            "{source}; const done = arguments[arguments.length - 1];
             axe.run('{selector}').then((found) => done(found.violations
               .filter((one) => ['serious', 'critical'].includes(one.impact))
               .map((one) => one.id + ': ' + one.nodes.map((node) => node.html).join(' '))));"
        );
        let found = self.runtime.block_on(self.client.execute_async(&script, Vec::new())).unwrap();
        serde_json::from_value(found).unwrap()
    }

    /// A command of Chromium's DevTools.
    pub fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.command("POST", "goog/cdp/execute", json!({"cmd": command, "params": parameters}))
    }

    fn command(&self, method: &str, path: &'static str, body: Value) -> Value {
        let method = method.parse().unwrap();
        self.runtime
            .block_on(self.client.issue_cmd(ChromiumCommand { method, path, body }))
            .unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.client.clone().close());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A command of Chromium's own.
#[derive(Debug)]
struct ChromiumCommand {
    method: reqwest::Method,
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for ChromiumCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (reqwest::Method, Option<String>) {
        (self.method.clone(), Some(self.body.to_string()))
    }
}

/// Starts chromedriver. It ends at once if another program takes its port at that moment.
fn start_driver() -> (Child, u16) {
    let attempts = std::iter::repeat_with(try_to_start_driver).take(5);
    attempts.flatten().next().expect("chromedriver says its port")
}

fn try_to_start_driver() -> Option<(Child, u16)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver is installed (tests/run.sh does)");
    let lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
    let started = lines.filter_map(|line| {
        line.split_once("successfully on port ")
            .and_then(|(_, port)| port.trim_end_matches('.').parse().ok())
    });
    match started.into_iter().next() {
        Some(port) => Some((driver, port)),
        None => {
            driver.kill().and_then(|()| driver.wait()).unwrap();
            None
        }
    }
}

fn capabilities(options: BrowserOptions, profile: &Path) -> serde_json::Map<String, Value> {
    let profile = format!("--user-data-dir={}", profile.display());
    let mut chrome_options = json!({"args": ["--headless", "--no-sandbox", "--disable-gpu",
        "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--hide-scrollbars",
        "--window-size=1100,900", profile]});
    if !options.has_javascript {
        chrome_options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
    }
    let capabilities = json!({"goog:chromeOptions": chrome_options, "goog:loggingPrefs": {"browser": "ALL"},
        "timeouts": {"script": 60_000}});
    capabilities.as_object().unwrap().clone()
}
