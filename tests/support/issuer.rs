//! An OIDC issuer: a discovery document, and a token endpoint that accepts every refresh token.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

pub struct Issuer {
    address: SocketAddr,
    id_token: String,
    requests: Arc<AtomicUsize>,
}

impl Issuer {
    /// `mark` makes the id-tokens of this issuer unique.
    pub fn start(mark: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let claims = format!("{{\"exp\":4000000000,\"sub\":\"{}\"}}", mark.len());
        let id_token = format!("{}.{}.sig", part("{\"alg\":\"none\"}"), part(&claims));
        let requests = Arc::new(AtomicUsize::new(0));
        let (token, count) = (id_token.clone(), Arc::clone(&requests));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 8192];
                let length = stream.read(&mut head).unwrap_or_default();
                let request = String::from_utf8_lossy(&head[..length]).into_owned();
                count.fetch_add(1, Ordering::SeqCst);
                let body = match request.starts_with("GET /.well-known/openid-configuration ") {
                    true => format!(
                        "{{\"issuer\":\"http://{address}\",\"token_endpoint\":\"http://{address}/token\"}}"
                    ),
                    false => format!(
                        "{{\"id_token\":\"{token}\",\"refresh_token\":\"renewed-refresh-token\",\"access_token\":\"a\",\"token_type\":\"bearer\"}}"
                    ),
                };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { address, id_token, requests }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn id_token(&self) -> String {
        self.id_token.clone()
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}
