//! A running `locustctl serve`, and an HTTP client for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::TestCluster;
use crate::program;
use crate::secrets;

/// Longer than any wait in the tests takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running `serve`. It is killed when this is dropped.
pub struct Serving {
    child: Child,
    url: String,
    stderr: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    http: Http,
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

/// A client without cookies that follows no redirects.
pub struct Http {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Serving {
    /// Serves the cluster's `deployment/locust-slave` on a free port, with these flags.
    pub fn start(cluster: &TestCluster, flags: &[&str]) -> Self {
        Self::start_with(cluster.kubeconfig(), flags)
    }

    /// Serves with another kubeconfig.
    pub fn start_with(kubeconfig: impl AsRef<std::path::Path>, flags: &[&str]) -> Self {
        let mut serving = Self::start_unread(kubeconfig, flags);
        serving.read_log();
        serving
    }

    /// Serves, and does not read its log before [`Self::read_log`].
    pub fn start_unread(kubeconfig: impl AsRef<std::path::Path>, flags: &[&str]) -> Self {
        Self::spawn(Command::new("/usr/bin/env"), kubeconfig.as_ref(), flags)
    }

    /// Serves with a limit on open files, as with `ulimit -n`.
    pub fn start_with_ulimit(cluster: &TestCluster, files: u32, flags: &[&str]) -> Self {
        let mut command = Command::new("/bin/sh");
        let script = format!("ulimit -n {files} && exec /usr/bin/env \"$@\"");
        command.args(["-c", &script, "sh"]);
        let mut serving = Self::spawn(command, &cluster.kubeconfig(), flags);
        serving.read_log();
        serving
    }

    /// Starts serve with a command that is `env`.
    fn spawn(mut command: Command, kubeconfig: &Path, flags: &[&str]) -> Self {
        // A background job of a shell ignores Ctrl-C, and its children inherit that.
        command.arg("--default-signal=HUP,INT,TERM").arg(program());
        command.arg("serve").args(flags);
        if !flags.iter().any(|flag| flag.starts_with("--listen")) {
            command.arg("--listen=127.0.0.1:0");
        }
        command.env_clear().env("KUBECONFIG", kubeconfig).env("KUBERC", "off");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let url = stdout.lines().map_while(Result::ok).find_map(|line| {
            line.starts_with("Serving ").then(|| line.rsplit(' ').next().map(str::to_owned))?
        });
        let Some(url) = url else {
            let mut log = String::new();
            let _ = child.stderr.take().unwrap().read_to_string(&mut log);
            panic!("serve ended with {:?}: {log}", child.wait());
        };
        let url = url.trim_end_matches('/').to_owned();
        Self { child, url, stderr: Arc::default(), reader: None, http: Http::new() }
    }

    /// Reads the log from now on.
    pub fn read_log(&mut self) {
        let (stderr, reader) = collect(self.child.stderr.take().unwrap());
        (self.stderr, self.reader) = (stderr, Some(reader));
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `127.0.0.1:PORT`
    pub fn authority(&self) -> &str {
        self.url.split("://").nth(1).unwrap()
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path))
    }

    /// `PUT /api/scale` with a query and a body.
    pub fn put(&self, query: &str, body: &str) -> Reply {
        let request = self.request("PUT", &format!("/api/scale{query}"));
        self.send(request.header("content-type", "application/json").body(body.to_owned()))
    }

    /// `POST /rescale` with the form's content.
    pub fn post(&self, form: &str) -> Reply {
        let request = self.request("POST", "/rescale");
        let media_type = "application/x-www-form-urlencoded";
        self.send(request.header("content-type", media_type).body(form.to_owned()))
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, &format!("{}{path}", self.url))
    }

    pub fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        self.http.send(request)
    }

    /// Sends requests on one connection without waiting for the answers, so that the server gets them as
    /// fast as it reads. Returns the answers, each from its status on.
    pub fn pipeline(&self, requests: &[String]) -> Vec<String> {
        let last = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let stream = TcpStream::connect(self.authority()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut text = String::new();
        std::thread::scope(|scope| {
            scope.spawn(|| (&stream).write_all((requests.concat() + last).as_bytes()).unwrap());
            (&stream).read_to_string(&mut text).unwrap();
        });
        let answers = text.split("HTTP/1.1 ").skip(1);
        answers.take(requests.len()).map(str::to_owned).collect()
    }

    /// The log so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Waits until the log has this text.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str) {
        wait_until(|| self.stderr().contains(text), || format!("{text:?} in {}", self.stderr()));
    }

    /// Waits until the response of `GET /api/scale` fulfils the condition.
    #[track_caller]
    pub fn wait_for_scale(&self, wanted: impl Fn(&Reply) -> bool) -> Reply {
        let mut last = None;
        wait_until(
            || {
                let reply = self.get("/api/scale");
                let is_wanted = wanted(&reply);
                last = Some(reply);
                is_wanted
            },
            || "the scale that was waited for".to_owned(),
        );
        last.unwrap()
    }

    /// Waits until this many replicas exist and all are ready.
    #[track_caller]
    pub fn wait_until_settled(&self, replicas: i64) {
        self.wait_for_scale(|reply| {
            reply.status == 200 && {
                let scale = reply.json();
                scale["replicas"] == replicas && scale["settled"] == true
            }
        });
    }

    /// The state in the first event.
    pub fn state(&self) -> Value {
        self.state_at("/api/events")
    }

    /// The state in the first event at another path.
    pub fn state_at(&self, path: &str) -> Value {
        self.http.first_event(&format!("{}{path}", self.url))
    }

    /// Waits until the state fulfils the condition.
    #[track_caller]
    pub fn wait_for_state(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait_for_state_at("/api/events", wanted)
    }

    /// Waits until the state at another path fulfils the condition.
    #[track_caller]
    pub fn wait_for_state_at(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let state = self.state_at(path);
            if wanted(&state) {
                return state;
            }
            assert!(Instant::now() < deadline, "the state stays {state:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends a signal, like `kill -NAME`.
    pub fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end. Returns the exit code and the whole log.
    pub fn wait(mut self) -> (Option<i32>, String) {
        let mut status = None;
        wait_until(
            || {
                status = self.child.try_wait().unwrap();
                status.is_some()
            },
            || "the end of serve".to_owned(),
        );
        self.reader.take().unwrap().join().unwrap();
        (status.unwrap().code(), self.stderr())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.stderr();
            let last: Vec<_> = log.lines().rev().take(20).collect();
            eprintln!("last lines of serve, the latest first:\n{}", last.join("\n"));
            return;
        }
        let log = self.stderr();
        for secret in secrets::all() {
            assert!(!log.contains(&secret), "a secret is in the log: {log}");
        }
    }
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?} is not JSON"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Asserts a problem document with this status, this reason, and a detail that contains this
    /// text.
    #[track_caller]
    pub fn is_problem(&self, status: u16, reason: &str, detail: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["reason"], reason, "{self:?}");
        let text = problem["detail"].as_str().unwrap();
        assert!(text.contains(detail), "{text:?} does not contain {detail:?}");
    }
}

impl Default for Http {
    fn default() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // Tests decide on encodings themselves.
            .no_gzip()
            .tls_danger_accept_invalid_certs(true)
            .timeout(Duration::from_secs(180))
            // serve closes idle connections. A request must not be sent on one at that moment.
            .pool_idle_timeout(Duration::from_secs(1))
            .build()
            .unwrap();
        Self { runtime, client }
    }
}

impl Http {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn request(&self, method: &str, url: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), url)
    }

    pub fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        self.try_send(request).unwrap()
    }

    pub fn try_send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Reply> {
        self.runtime.block_on(async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            Ok(Reply { status, headers, text: response.text().await? })
        })
    }

    fn first_event(&self, url: &str) -> Value {
        self.runtime.block_on(async {
            let mut response = self.client.get(url).send().await.unwrap();
            let mut text = String::new();
            loop {
                if let Some(data) = data_of(&text) {
                    return data;
                }
                let chunk = response.chunk().await.unwrap().expect("an event");
                text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        })
    }
}

/// The data of the first complete event.
pub fn data_of(text: &str) -> Option<Value> {
    let (_, rest) = text.split_once("\ndata: ")?;
    let (data, _) = rest.split_once("\n\n")?;
    Some(serde_json::from_str(data).unwrap())
}

/// Waits until the condition holds.
#[track_caller]
pub fn wait_until(mut condition: impl FnMut() -> bool, description: impl Fn() -> String) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "timed out waiting for {}", description());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Collects the text of a stream in the background.
pub(crate) fn collect(
    mut from: impl Read + Send + 'static,
) -> (Arc<Mutex<String>>, JoinHandle<()>) {
    let text = Arc::new(Mutex::new(String::new()));
    let written = Arc::clone(&text);
    let reader = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            written.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    });
    (text, reader)
}
