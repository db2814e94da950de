//! Clients of `locustctl serve` that keep connections open without sending anything.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use support::cluster::TestCluster;
use support::serving::{PATIENCE, Serving};
use support::tls::Certificate;
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};

type Client = StreamOwned<ClientConnection, TcpStream>;

/// A client that negotiates HTTP/2 and sends nothing more.
fn client(serving: &Serving, certificate: &Certificate, begun: &[u8]) -> Client {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate.pem.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(serving.authority()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut client = StreamOwned::new(connection, socket);
    client.write_all(begun).unwrap();
    client.conn.complete_io(&mut client.sock).unwrap();
    client
}

#[test]
fn a_client_without_an_http2_preface_is_disconnected() {
    let cluster = TestCluster::start();
    let certificate = Certificate::of(&cluster);
    let serving = Serving::start(&cluster, &certificate.flags());
    let mut clients =
        [b"".as_slice(), b"PRI * HTTP/2.0\r\n"].map(|begun| client(&serving, &certificate, begun));
    for client in &mut clients {
        let mut rest = Vec::new();
        let ended = client.read_to_end(&mut rest);
        let is_late = ended.as_ref().is_err_and(|error| {
            matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
        });
        assert!(!is_late, "{ended:?}");
    }
    assert_eq!(serving.get("/healthz").status, 200);
}

/// A connection from this address of the loopback network on which nothing is asked.
fn silent(runtime: &Runtime, serving: &Serving, from: &str) -> TcpStream {
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        socket.connect(serving.authority().parse().unwrap()).await.unwrap()
    });
    let stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn silent_connections_make_room_for_others_within_the_limit_on_open_files() {
    let cluster = TestCluster::start();
    let serving = Serving::start_with_ulimit(&cluster, 128, &[]);
    let mut viewer = TcpStream::connect(serving.authority()).unwrap();
    viewer.set_read_timeout(Some(PATIENCE)).unwrap();
    viewer.write_all(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut first = [0; 12];
    viewer.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut clients = Vec::new();
    for _ in 0..10 {
        for from in ["127.0.0.1", "127.0.0.2"] {
            clients.extend((0..10).map(|_| silent(&runtime, &serving, from)));
        }
        let request = serving.request("GET", "/healthz").header("connection", "close");
        assert_eq!(serving.send(request).status, 200, "{}", serving.stderr());
    }
    let ended = clients[0].read(&mut [0; 1]);
    assert!(ended.as_ref().is_ok_and(|count| *count == 0), "{ended:?}");
    serving.wait_for_log("the oldest connections without an open request are closed");
    assert!(!serving.stderr().contains("cannot accept"), "{}", serving.stderr());
    assert_eq!(serving.put("", r#"{"replicas": 7}"#).status, 200);
    let mut seen = String::new();
    while !seen.contains("\"desired\":7") {
        let mut bytes = [0; 4096];
        let count = viewer.read(&mut bytes).unwrap();
        assert!(count > 0, "the viewer was disconnected after {seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
}

/// Asks for `/healthz` on an open connection, and reads the answer.
fn ask(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nok\n") {
        let mut bytes = [0; 4096];
        match stream.read(&mut bytes)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => answer.extend_from_slice(&bytes[..count]),
        }
    }
    Ok(())
}

#[test]
fn the_connection_that_is_idle_for_the_longest_time_makes_room() {
    let cluster = TestCluster::start();
    let serving = Serving::start_with_ulimit(&cluster, 128, &[]);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut oldest = silent(&runtime, &serving, "127.0.0.1");
    ask(&mut oldest).unwrap();
    let mut others = Vec::new();
    for _ in 0..100 {
        let mut stream = silent(&runtime, &serving, "127.0.0.1");
        ask(&mut stream).unwrap();
        others.push(stream);
    }
    let ended = oldest.read(&mut [0; 1]);
    assert!(ended.as_ref().is_ok_and(|count| *count == 0), "{ended:?}");
    ask(others.last_mut().unwrap()).unwrap();
    serving.wait_for_log("the oldest connections without an open request are closed");
}

#[test]
fn a_silent_client_does_not_delay_the_shutdown() {
    let cluster = TestCluster::start();
    let certificate = Certificate::of(&cluster);
    let serving = Serving::start(&cluster, &certificate.flags());
    let _silent = TcpStream::connect(serving.authority()).unwrap();
    let _client = client(&serving, &certificate, b"PRI * HTTP/2.0\r\n");
    assert_eq!(serving.get("/healthz").status, 200);
    serving.signal("TERM");
    let (code, log) = serving.wait();
    assert_eq!(code, Some(0));
    assert!(!log.contains("did not finish in time"), "{log}");
}
