//! Proxies that record the requests they forward.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

type Requests = Arc<Mutex<Vec<String>>>;

/// An HTTP proxy for `CONNECT`. It records `CONNECT host:port AUTHORIZATION`.
pub struct ConnectProxy {
    address: SocketAddr,
    requests: Requests,
    user_agents: Requests,
}

/// A SOCKS5 proxy. It records the requested `name:port`.
pub struct SocksProxy(SocketAddr, Requests);

/// The login that a SOCKS5 proxy wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocksLogin {
    /// None, even if the client offers one.
    None,
    /// This user name and this password.
    Wanted(&'static str, &'static str),
}

impl ConnectProxy {
    pub fn start() -> Self {
        Self::with_headers("")
    }

    /// A proxy that sends these headers, each with its line break, in its answer.
    pub fn with_headers(headers: &str) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
        let user_agents = Requests::default();
        let seen_agents = Arc::clone(&user_agents);
        let (address, requests) = serve(move |client, requests| {
            let request = read_head(client)?;
            let target = request.split_whitespace().nth(1)?.to_owned();
            let login = header(&request, "proxy-authorization").unwrap_or_default();
            requests.lock().unwrap().push(format!("CONNECT {target} {login}"));
            seen_agents.lock().unwrap().extend(header(&request, "user-agent"));
            let server = TcpStream::connect(&target).ok()?;
            client.write_all(head.as_bytes()).ok()?;
            Some(server)
        });
        Self { address, requests, user_agents }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub fn user_agents(&self) -> Vec<String> {
        self.user_agents.lock().unwrap().clone()
    }
}

/// Starts a proxy that gives this answer to every request, and closes the connection.
pub fn start_refusing_proxy(answer: &'static str) -> SocketAddr {
    let (address, _) = serve(move |client, _| {
        let _ = client.read(&mut [0; 4096]).ok()?;
        let _ = client.write_all(answer.as_bytes());
        None
    });
    address
}

/// Starts a SOCKS5 proxy that refuses every connection with this code (RFC 1928, 6).
pub fn start_refusing_socks(code: u8) -> SocketAddr {
    let (address, _) = serve(move |client, _| {
        greet(client, SocksLogin::None)?;
        let _ = read_target(client)?;
        let _ = client.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
        None
    });
    address
}

fn header(head: &str, wanted: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
    })
}

impl SocksProxy {
    pub fn start(login: SocksLogin) -> Self {
        let (address, requests) = serve(move |client, requests| {
            greet(client, login)?;
            let target = read_target(client)?;
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

/// Agrees on the login (RFC 1928, 3; RFC 1929).
fn greet(client: &mut TcpStream, login: SocksLogin) -> Option<()> {
    let mut head = [0; 2];
    client.read_exact(&mut head).ok()?;
    let mut methods = vec![0; head[1].into()];
    client.read_exact(&mut methods).ok()?;
    let SocksLogin::Wanted(name, password) = login else {
        return client.write_all(&[5, 0]).ok();
    };
    if !methods.contains(&2) {
        client.write_all(&[5, 0xff]).ok()?;
        return None;
    }
    client.write_all(&[5, 2]).ok()?;
    let mut version = [0];
    client.read_exact(&mut version).ok()?;
    let (given_name, given_password) = (read_text(client)?, read_text(client)?);
    let is_right = (given_name.as_str(), given_password.as_str()) == (name, password);
    client.write_all(&[1, u8::from(!is_right)]).ok()?;
    is_right.then_some(())
}

/// Reads a request for a connection. Only names (3) are accepted. An address would mean that the
/// client has resolved the name.
fn read_target(client: &mut TcpStream) -> Option<String> {
    let mut head = [0; 4];
    client.read_exact(&mut head).ok()?;
    assert_eq!(head[3], 3, "the client looked the name up itself");
    let name = read_text(client)?;
    let mut port = [0; 2];
    client.read_exact(&mut port).ok()?;
    Some(format!("{name}:{}", u16::from_be_bytes(port)))
}

fn read_text(client: &mut TcpStream) -> Option<String> {
    let mut length = [0];
    client.read_exact(&mut length).ok()?;
    let mut text = vec![0; length[0].into()];
    client.read_exact(&mut text).ok()?;
    String::from_utf8(text).ok()
}

/// Accepts connections. `open` reads the request and connects to the target.
fn serve(
    open: impl Fn(&mut TcpStream, &Mutex<Vec<String>>) -> Option<TcpStream> + Send + Sync + 'static,
) -> (SocketAddr, Requests) {
    let open = Arc::new(open);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, requests) = (listener.local_addr().unwrap(), Requests::default());
    let recorded = Arc::clone(&requests);
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let (open, recorded) = (Arc::clone(&open), Arc::clone(&recorded));
            thread::spawn(move || {
                if let Some(server) = open(&mut client, &recorded) {
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
