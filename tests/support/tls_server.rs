//! An HTTPS server with any certificate. It answers each request with a Scale of one replica.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use p521::ecdsa::signature::Signer as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ResolvesServerCert;
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{
    Error, ServerConfig, ServerConnection, SignatureAlgorithm, SignatureScheme,
    SupportedProtocolVersion,
};

const SCALE: &str = "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\
     \"metadata\":{\"name\":\"locust-slave\",\"namespace\":\"default\"},\
     \"spec\":{\"replicas\":1},\"status\":{\"replicas\":1}}";

/// A fatal `handshake_failure` in plain text, as before the keys are known.
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

/// A running server.
pub struct TlsServer {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl TlsServer {
    pub fn start(config: ServerConfig) -> Self {
        let config = Arc::new(config);
        Self::serve(move |stream, requests| {
            let _ = answer(stream, &config, requests);
        })
    }

    /// A server that sends the alert instead of its first message.
    pub fn refusing_at_start() -> Self {
        Self::serve(|mut stream, _| {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&HANDSHAKE_FAILURE);
            let _ = stream.read(&mut [0; 4096]);
        })
    }

    /// A server that sends the alert when it has got the client's certificate, or none. The version
    /// must be TLS 1.2.
    pub fn refusing_after_certificate(config: ServerConfig) -> Self {
        let config = Arc::new(config);
        Self::serve(move |stream, _| {
            let _ = give_up(stream, &config);
        })
    }

    fn serve(answer: impl Fn(TcpStream, &AtomicUsize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let (answer, counted) = (Arc::new(answer), requests.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, counted) = (answer.clone(), counted.clone());
                std::thread::spawn(move || answer(stream, &counted));
            }
        });
        Self { url, requests }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The number of HTTP requests that arrived.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// The configuration of a server with this chain and key. `versions` may be empty for all.
pub fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> ServerConfig {
    let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
    with_key(chain, key, versions)
}

/// The configuration of a server with a P-521 key. `key` is a PKCS#8 file.
pub fn p521_config(
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'_>,
    versions: &[&'static SupportedProtocolVersion],
) -> ServerConfig {
    // An ECPrivateKey is its version, and the number of 66 bytes.
    let start = [2, 1, 1, 4, 66];
    let der = key.secret_der();
    let at = der.windows(start.len()).position(|window| window == start).unwrap() + start.len();
    let key = p521::ecdsa::SigningKey::from_slice(&der[at..at + 66]).unwrap();
    with_key(chain, Arc::new(P521Key(key)), versions)
}

fn with_key(
    chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
    versions: &[&'static SupportedProtocolVersion],
) -> ServerConfig {
    let versions = if versions.is_empty() { rustls::ALL_VERSIONS } else { versions };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let resolver: Arc<dyn ResolvesServerCert> =
        Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key)));
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions);
    config.unwrap().with_no_client_auth().with_cert_resolver(resolver)
}

fn answer(
    mut stream: TcpStream,
    config: &Arc<ServerConfig>,
    requests: &AtomicUsize,
) -> std::io::Result<()> {
    let mut connection = ServerConnection::new(config.clone()).map_err(std::io::Error::other)?;
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let mut received = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = tls.read(&mut part)?;
        if count == 0 {
            return Ok(());
        }
        received.extend_from_slice(&part[..count]);
        if is_whole(&received) {
            received.clear();
            requests.fetch_add(1, Ordering::SeqCst);
            let length = SCALE.len();
            write!(
                tls,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{SCALE}"
            )?;
            tls.flush()?;
        }
    }
}

/// True if a request and its body have arrived.
fn is_whole(request: &[u8]) -> bool {
    let request = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn give_up(mut stream: TcpStream, config: &Arc<ServerConfig>) -> std::io::Result<()> {
    let mut connection = ServerConnection::new(config.clone()).map_err(std::io::Error::other)?;
    while !connection.wants_write() {
        connection.read_tls(&mut stream)?;
        connection.process_new_packets().map_err(std::io::Error::other)?;
    }
    while connection.wants_write() {
        connection.write_tls(&mut stream)?;
    }
    stream.read_exact(&mut [0])?;
    stream.write_all(&HANDSHAKE_FAILURE)?;
    let _ = stream.read_to_end(&mut Vec::new());
    Ok(())
}

/// A key that ring does not know.
#[derive(Debug)]
struct P521Key(p521::ecdsa::SigningKey);

impl SigningKey for P521Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let is_offered = offered.contains(&SignatureScheme::ECDSA_NISTP521_SHA512);
        is_offered.then(|| Box::new(Self(self.0.clone())) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for P521Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature: p521::ecdsa::Signature = self.0.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}
