//! Clients of `locustctl serve` that keep connections open without sending anything.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use support::cluster::TestCluster;
use support::serving::{PATIENCE, Serving};
use support::tls::Certificate;

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

#[test]
fn a_silent_client_does_not_delay_the_shutdown() {
    let cluster = TestCluster::start();
    let certificate = Certificate::of(&cluster);
    let serving = Serving::start(&cluster, &certificate.flags());
    let _silent = TcpStream::connect(serving.authority()).unwrap();
    let _client = client(&serving, &certificate, b"PRI * HTTP/2.0\r\n");
    assert_eq!(serving.get("/healthz").status, 200);
    let began = Instant::now();
    serving.signal("TERM");
    assert_eq!(serving.wait().0, Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
