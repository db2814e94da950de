//! A relay in front of Locust that records the POST requests.

use std::io::{BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::request::read_request;

/// One POST request to Locust.
#[derive(Debug, Clone)]
pub struct Post {
    pub path: String,
    /// The body: `user_count=60&spawn_rate=60`.
    pub form: String,
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
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Relay {
    /// Relays to the Locust at this URL.
    pub fn start(url: &str) -> Self {
        let master = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let posts: Arc<Mutex<Vec<Post>>> = Arc::default();
        let recorded = Arc::clone(&posts);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (recorded, master) = (Arc::clone(&recorded), master.clone());
                std::thread::spawn(move || relay(client, &master, &recorded));
            }
        });
        Self { address, posts }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The POST requests so far, oldest first.
    pub fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }
}

/// Relays requests until one of the two sides closes the connection.
fn relay(client: TcpStream, master: &str, recorded: &Mutex<Vec<Post>>) -> Option<()> {
    let mut server = TcpStream::connect(master).ok()?;
    let (mut answers, mut to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let mut client = BufReader::new(client);
    while let Some(request) = read_request(&mut client) {
        server.write_all(&request.head).ok()?;
        server.write_all(&request.body).ok()?;
        if request.method == "POST" {
            let form = String::from_utf8_lossy(&request.body).into_owned();
            recorded.lock().unwrap().push(Post { path: request.path, form });
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    Some(())
}
