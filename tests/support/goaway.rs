//! A server in HTTP/2 that refuses changes before it has processed them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

type Stream = StreamOwned<ServerConnection, TcpStream>;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const REFUSED_STREAM: u32 = 7;

/// The answer to one PATCH (RFC 9113).
#[derive(Debug, Clone, Copy)]
pub enum Refusal {
    /// GOAWAY with this code. The last stream that it names is the one before.
    GoAway(u32),
    /// RST_STREAM with REFUSED_STREAM.
    Reset,
}

/// Serves the scale of one object, which has one replica until a PATCH is accepted.
pub struct GoAwayServer {
    address: SocketAddr,
    patches: Arc<Mutex<usize>>,
}

struct Script {
    refusals: Vec<Refusal>,
    /// The number of header fields in each answer, of 100 bytes each.
    fields: usize,
    patches: Arc<Mutex<usize>>,
}

impl GoAwayServer {
    /// A server that refuses the first changes in these ways, and accepts the next one.
    pub fn start(refusals: &[Refusal]) -> Self {
        Self::with_headers(refusals, 0)
    }

    /// The same, with many header fields of 100 bytes in each answer.
    pub fn with_headers(refusals: &[Refusal], fields: usize) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, patches) = (listener.local_addr().unwrap(), Arc::default());
        let script =
            Arc::new(Script { refusals: refusals.to_vec(), fields, patches: Arc::clone(&patches) });
        thread::spawn(move || {
            for tcp in listener.incoming().flatten() {
                let (config, script) = (Arc::clone(&config), Arc::clone(&script));
                thread::spawn(move || {
                    let tls = ServerConnection::new(config).unwrap();
                    // The client closes the connection in the end.
                    let _ = serve(&mut StreamOwned::new(tls, tcp), &script);
                });
            }
        });
        Self { address, patches }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of PATCH requests so far.
    pub fn patches(&self) -> usize {
        *self.patches.lock().unwrap()
    }
}

fn serve(stream: &mut Stream, script: &Script) -> std::io::Result<()> {
    stream.read_exact(&mut [0; 24])?;
    send(stream, SETTINGS, 0, 0, &[])?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload)?;
        let id = u32::from_be_bytes(id);
        match (kind, flags & 1) {
            (SETTINGS, 0) => send(stream, SETTINGS, 1, 0, &[])?,
            // A GET has no body.
            (HEADERS, END_STREAM) => answer(stream, id, 1, script.fields)?,
            (DATA, END_STREAM) => {
                let refusal = {
                    let mut patches = script.patches.lock().unwrap();
                    *patches += 1;
                    script.refusals.get(*patches - 1).copied()
                };
                match refusal {
                    Some(Refusal::GoAway(code)) => {
                        let last = id.saturating_sub(2).to_be_bytes();
                        send(stream, GOAWAY, 0, 0, &[last, code.to_be_bytes()].concat())?;
                    }
                    Some(Refusal::Reset) => {
                        send(stream, RST_STREAM, 0, id, &REFUSED_STREAM.to_be_bytes())?;
                    }
                    None => answer(stream, id, 3, script.fields)?,
                }
            }
            _ => {}
        }
    }
}

fn answer(stream: &mut Stream, id: u32, replicas: u32, fields: usize) -> std::io::Result<()> {
    let body = format!(
        r#"{{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{{"resourceVersion":"1"}},"spec":{{"replicas":{replicas}}}}}"#
    );
    // `:status: 200` of the static table (RFC 7541, appendix A).
    send(stream, HEADERS, 0, id, &[0x88])?;
    // A literal field without indexing (RFC 7541, 6.2.2).
    let field = [&[0, 1, b'x', 100][..], &[b'v'; 100]].concat();
    for piece in field.repeat(fields).chunks(16_000) {
        send(stream, CONTINUATION, 0, id, piece)?;
    }
    send(stream, CONTINUATION, END_HEADERS, id, &[])?;
    send(stream, DATA, END_STREAM, id, body.as_bytes())
}

fn send(stream: &mut Stream, kind: u8, flags: u8, id: u32, payload: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend_from_slice(&[kind, flags]);
    frame.extend_from_slice(&id.to_be_bytes());
    frame.extend_from_slice(payload);
    stream.write_all(&frame)?;
    stream.flush()
}
