//! The server under test: `/` answers at once, `/slow` after eight seconds.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::request::read_request;

const SLOW: Duration = Duration::from_secs(8);

/// The server, with one thread for each connection.
pub struct Target {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    served: AtomicUsize,
    is_over: AtomicBool,
}

impl Target {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The number of answered requests.
    pub fn served(&self) -> usize {
        self.state.served.load(Ordering::Relaxed)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        // The listener checks the flag after its next connection.
        let _ = TcpStream::connect(self.address);
    }
}

/// Answers requests until the client closes the connection.
fn serve(stream: &TcpStream, state: &State) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        if read_request(&mut reader)?.path.starts_with("/slow") {
            std::thread::sleep(SLOW);
        }
        writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").ok()?;
        state.served.fetch_add(1, Ordering::Relaxed);
    }
}
