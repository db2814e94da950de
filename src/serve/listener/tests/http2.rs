//! Idle HTTP/2 connections, with a client that sends only the frames a test asks for.

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// RFC 9113, section 6.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

// HPACK's static table.
const METHOD_GET: u8 = 0x82;
const METHOD_POST: u8 = 0x83;
const SCHEME_HTTPS: u8 = 0x87;

/// A `SETTINGS` payload with an initial window of 0: the server cannot send any data.
const NO_WINDOW: &[u8] = &[0, 4, 0, 0, 0, 0];

type Frame = (u8, u8, Vec<u8>);

struct Encrypted {
    server: Running,
    connector: TlsConnector,
}

impl Encrypted {
    async fn run(limits: Limits) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let files = TlsFiles { certificate: path("tls.crt"), key: path("tls.key") };
        std::fs::write(&files.certificate, certificate.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![tls::HTTP2.to_vec()];
        let server = run_with(limits, Some(files)).await;
        Self { server, connector: TlsConnector::from(Arc::new(config)) }
    }

    /// A client that has sent these bytes.
    async fn client(&self, begun: &[u8]) -> Client {
        let name = ServerName::try_from("localhost").unwrap();
        let stream = self.connector.connect(name, self.server.connect().await).await.unwrap();
        let mut client = Client { stream, is_polite: true };
        client.send(begun).await;
        client
    }

    /// A client that has sent the preface and these settings.
    async fn greeted(&self, settings: &[u8]) -> Client {
        self.client(&[PREFACE, &frame(SETTINGS, 0, 0, settings)].concat()).await
    }
}

struct Client {
    stream: TlsStream<TcpStream>,
    /// True if pings are answered.
    is_polite: bool,
}

impl Client {
    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn get(&mut self, stream: u8, path: &str) {
        self.ask(METHOD_GET, END_HEADERS | END_STREAM, stream, path).await;
    }

    async fn ask(&mut self, method: u8, flags: u8, stream: u8, path: &str) {
        let mut head = vec![method, SCHEME_HTTPS];
        // Names from the static table, literal values.
        for (name, value) in [(0x04, path), (0x01, "localhost")] {
            head.extend([name, u8::try_from(value.len()).unwrap()]);
            head.extend(value.as_bytes());
        }
        self.send(&frame(HEADERS, flags, stream, &head)).await;
    }

    /// The next frame that belongs to a stream or ends the connection; `None` after the end.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload).await.ok()?;
            let (kind, flags) = (head[3], head[4]);
            match kind {
                PING if flags & ACK == 0 && self.is_polite => {
                    let _ = self.stream.write_all(&frame(PING, ACK, 0, &payload)).await;
                }
                PING | SETTINGS | WINDOW_UPDATE => {}
                _ => return Some((kind, flags, payload)),
            }
        }
    }

    /// The data that arrives until the server closes the connection.
    async fn text(&mut self) -> String {
        let mut text = String::new();
        while let Some((kind, _, payload)) = self.next().await {
            if kind == DATA {
                text.push_str(std::str::from_utf8(&payload).unwrap());
            }
        }
        text
    }

    /// The types of the frames that arrive until the server closes the connection.
    async fn rest(&mut self) -> Vec<u8> {
        let kinds = async {
            let mut kinds = Vec::new();
            while let Some((kind, ..)) = self.next().await {
                kinds.push(kind);
            }
            kinds
        };
        // Shorter than every limit that the test did not change.
        timeout(LIMITS.head / 2, kinds).await.expect("it is closed")
    }
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_after_the_head_limit() {
    let server = Encrypted::run(Limits { head: SHORT, ..LIMITS }).await;
    let unfinished = [PREFACE, &frame(SETTINGS, 0, 0, b""), &frame(HEADERS, 0, 1, b"\x82")];
    for begun in [b"".as_slice(), &PREFACE[..16], &unfinished.concat()] {
        server.client(begun).await.rest().await;
    }
    let kinds = server.greeted(b"").await.rest().await;
    assert_eq!(
        kinds.first(),
        Some(&GOAWAY),
        "after the preface, the server says goodbye: {kinds:?}"
    );
}

#[tokio::test]
async fn an_idle_connection_is_closed_with_goaway() {
    let server = Encrypted::run(Limits { idle: SHORT, ..LIMITS }).await;
    for is_polite in [true, false] {
        let mut client = server.greeted(b"").await;
        client.is_polite = is_polite;
        client.get(1, "/").await;
        let kinds = client.rest().await;
        assert_eq!(kinds[..2], [HEADERS, DATA], "{kinds:?}");
        assert_eq!(kinds[2], GOAWAY, "{kinds:?}");
    }
}

#[tokio::test]
async fn a_client_that_reads_no_data_is_dropped_even_if_it_answers_pings() {
    let server = Encrypted::run(Limits { stalled: SHORT, idle: SHORT, ..LIMITS }).await;
    for path in ["/", "/endless"] {
        let mut client = server.greeted(NO_WINDOW).await;
        client.get(1, path).await;
        let kinds = client.rest().await;
        assert!(kinds.contains(&HEADERS) && !kinds.contains(&DATA), "{path} {kinds:?}");
    }
}

#[tokio::test]
async fn a_slow_answer_does_not_count_as_idle_time() {
    let server = Encrypted::run(Limits { idle: SHORT, stalled: SHORT, ..LIMITS }).await;
    for path in ["/later", "/quiet"] {
        let mut client = server.greeted(b"").await;
        client.get(1, path).await;
        assert_eq!(client.text().await, "late", "{path}");
    }
}

#[tokio::test]
async fn on_shutdown_idle_clients_cause_no_delay() {
    let mut server = Encrypted::run(LIMITS).await;
    let _silent = server.server.connect().await;
    let _clients =
        [server.client(b"").await, server.client(&PREFACE[..16]).await, server.greeted(b"").await];
    let mut idle = server.greeted(b"").await;
    idle.is_polite = false;
    idle.get(1, "/").await;
    let (kind, ..) = idle.next().await.unwrap();
    assert_eq!(kind, HEADERS);
    let mut under_way = server.greeted(b"").await;
    under_way.get(1, "/later").await;
    // The server reads the request long before it answers.
    sleep(SHORT * 4).await;
    let began = Instant::now();
    server.server.stop.take().unwrap().send(()).unwrap();
    assert_eq!(under_way.text().await, "late", "the running request is answered");
    timeout(PATIENCE, server.server.ended).await.expect("it ends").unwrap();
    assert!(began.elapsed() < LIMITS.shutdown / 2, "{:?}", began.elapsed());
}

/// Debian's curl shows no status if the stream is reset after the answer.
#[tokio::test]
async fn a_small_body_is_read_before_it_is_refused() {
    let server = Encrypted::run(Limits { idle: SHORT, ..LIMITS }).await;
    let mut client = server.greeted(b"").await;
    client.ask(METHOD_POST, END_HEADERS, 1, "/nowhere").await;
    sleep(SHORT).await;
    client.send(&frame(DATA, END_STREAM, 1, b"{}")).await;
    let kinds = client.rest().await;
    assert!(kinds.contains(&HEADERS) && !kinds.contains(&RST_STREAM), "{kinds:?}");
}

#[tokio::test]
async fn the_body_of_a_refused_request_has_the_same_limits_as_any_other() {
    let server = Encrypted::run(Limits { body: SHORT, idle: SHORT, ..LIMITS }).await;
    let mut slow = server.greeted(b"").await;
    slow.ask(METHOD_POST, END_HEADERS, 1, "/nowhere").await;
    let kinds = slow.rest().await;
    assert!(kinds.contains(&HEADERS) && kinds.contains(&RST_STREAM), "{kinds:?}");

    let server = Encrypted::run(Limits { drained: 16 * 1024, idle: SHORT, ..LIMITS }).await;
    let mut large = server.greeted(b"").await;
    large.ask(METHOD_POST, END_HEADERS, 1, "/nowhere").await;
    let piece = frame(DATA, 0, 1, &[b' '; 255]);
    large.send(&piece.repeat(70)).await;
    let kinds = large.rest().await;
    assert!(kinds.contains(&HEADERS) && kinds.contains(&RST_STREAM), "{kinds:?}");
}
