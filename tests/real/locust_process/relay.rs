//! A relay in front of Locust that records the POST requests, and can hold requests.

use std::io::{BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use super::request::{Request, read_request};
use super::{PATIENCE, eventually};

/// One POST request to Locust.
#[derive(Debug, Clone)]
pub struct Post {
    pub path: String,
    /// The body: `user_count=60&spawn_rate=60`.
    pub form: String,
    /// The time at which the relay passed it on.
    pub at: Instant,
}

impl Post {
    /// A field of the form.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut fields = url::form_urlencoded::parse(self.form.as_bytes());
        fields.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }

    /// The requested number of users.
    pub fn users(&self) -> i64 {
        self.field("user_count").and_then(|users| users.parse().ok()).unwrap_or_default()
    }
}

/// The relay. It listens on its own port.
pub struct Relay {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    posts: Mutex<Vec<Post>>,
    gate: Mutex<Gate>,
    gate_changed: Condvar,
}

/// The requests that are held.
#[derive(Default)]
struct Gate {
    /// Method and path of these requests; `None` if nothing is held.
    held: Option<String>,
    /// The number of held requests.
    waiting: usize,
    /// The requests that were held are dropped, and their connections are closed.
    drops: bool,
    /// The number of requests so far.
    requests: usize,
}

impl Relay {
    /// Relays to the Locust at this URL.
    pub fn start(url: &str) -> Self {
        let master = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (shared, master) = (Arc::clone(&shared), master.clone());
                std::thread::spawn(move || relay(client, &master, &shared));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The POST requests so far, oldest first.
    pub fn posts(&self) -> Vec<Post> {
        self.state.posts.lock().clone()
    }

    /// The number of requests so far.
    pub fn requests(&self) -> usize {
        self.state.gate.lock().requests
    }

    /// Holds the requests with this method and path, such as `POST /swarm`, before Locust gets them.
    pub fn hold(&self, request: &str) {
        self.state.gate.lock().held = Some(request.to_owned());
    }

    /// Waits until a request is held.
    #[track_caller]
    pub fn wait_until_held(&self, description: impl Fn() -> String) {
        eventually(PATIENCE, || self.state.gate.lock().waiting > 0, description);
    }

    /// Sends the held requests to Locust, and holds no more.
    pub fn release(&self) {
        self.open(false);
    }

    /// Drops the held requests, and holds no more.
    pub fn discard(&self) {
        self.open(true);
    }

    fn open(&self, drops: bool) {
        let mut gate = self.state.gate.lock();
        (gate.held, gate.drops) = (None, drops);
        self.state.gate_changed.notify_all();
        self.state.gate_changed.wait_while(&mut gate, |gate| gate.waiting > 0);
    }
}

impl State {
    /// Waits while the request is held. Returns `None` if it is dropped.
    fn pass(&self, request: &Request) -> Option<()> {
        let path = request.path.split('?').next().unwrap_or_default();
        let line = format!("{} {path}", request.method);
        let mut gate = self.gate.lock();
        gate.requests += 1;
        if gate.held.as_deref() != Some(&*line) {
            return Some(());
        }
        gate.waiting += 1;
        self.gate_changed.wait_while(&mut gate, |gate| gate.held.is_some());
        gate.waiting -= 1;
        self.gate_changed.notify_all();
        (!gate.drops).then_some(())
    }
}

/// Relays requests until one of the two sides closes the connection.
fn relay(client: TcpStream, master: &str, state: &State) -> Option<()> {
    let mut server = TcpStream::connect(master).ok()?;
    let (mut answers, mut to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let mut client = BufReader::new(client);
    while let Some(request) = read_request(&mut client)
        && state.pass(&request).is_some()
    {
        server.write_all(&request.head).ok()?;
        server.write_all(&request.body).ok()?;
        if request.method == "POST" {
            let form = String::from_utf8_lossy(&request.body).into_owned();
            state.posts.lock().push(Post { path: request.path, form, at: Instant::now() });
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    Some(())
}
