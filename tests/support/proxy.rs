//! Proxies that record the requests they forward.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

type Requests = Arc<Mutex<Vec<String>>>;

/// An HTTP proxy for `CONNECT`. It records `CONNECT host:port AUTHORIZATION`.
pub struct ConnectProxy(SocketAddr, Requests);

/// A SOCKS5 proxy without authentication. It records the requested `name:port`.
pub struct SocksProxy(SocketAddr, Requests);

impl ConnectProxy {
    pub fn start() -> Self {
        let (address, requests) = serve(|client, requests| {
            let head = read_head(client)?;
            let target = head.split_whitespace().nth(1)?.to_owned();
            let login = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("proxy-authorization").then(|| value.to_owned())
            });
            requests
                .lock()
                .unwrap()
                .push(format!("CONNECT {target} {}", login.unwrap_or_default()));
            let server = TcpStream::connect(&target).ok()?;
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
            Some(server)
        });
        Self(address, requests)
    }

    pub fn address(&self) -> SocketAddr {
        self.0
    }

    pub fn requests(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }
}

impl SocksProxy {
    pub fn start() -> Self {
        let (address, requests) = serve(|client, requests| {
            let mut methods = [0; 2];
            client.read_exact(&mut methods).ok()?;
            client.read_exact(&mut vec![0; methods[1].into()]).ok()?;
            client.write_all(&[5, 0]).ok()?;
            let mut head = [0; 5];
            client.read_exact(&mut head).ok()?;
            // Only names (3) are accepted. An address would mean that the client has resolved the
            // name.
            assert_eq!(head[3], 3, "the client looked the name up itself");
            let mut rest = vec![0; usize::from(head[4]) + 2];
            client.read_exact(&mut rest).ok()?;
            let (name, port) = rest.split_at(head[4].into());
            let port = u16::from_be_bytes([port[0], port[1]]);
            let target = format!("{}:{port}", String::from_utf8_lossy(name));
            requests.lock().unwrap().push(target.clone());
            let server = TcpStream::connect(&target).ok()?;
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
            Some(server)
        });
        Self(address, requests)
    }

    pub fn address(&self) -> SocketAddr {
        self.0
    }

    pub fn requests(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }
}

/// Accepts connections. `open` reads the request and connects to the target.
fn serve(
    open: fn(&mut TcpStream, &Mutex<Vec<String>>) -> Option<TcpStream>,
) -> (SocketAddr, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, requests) = (listener.local_addr().unwrap(), Requests::default());
    let seen = Arc::clone(&requests);
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let seen = Arc::clone(&seen);
            thread::spawn(move || {
                if let Some(server) = open(&mut client, &seen) {
                    join(client, server);
                }
            });
        }
    });
    (address, requests)
}

fn join(client: TcpStream, server: TcpStream) {
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    let upstream = thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (mut from_server, mut to_client) = (server, client);
    let _ = std::io::copy(&mut from_server, &mut to_client);
    let _ = to_client.shutdown(Shutdown::Both);
    let _ = upstream.join();
}

fn read_head(client: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}
