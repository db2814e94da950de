//! A record of the TLS handshakes with a server, to explain its alerts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

/// The events in the handshakes with one server. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Handshakes(Arc<HandshakeEvents>);

#[derive(Debug, Default)]
struct HandshakeEvents {
    has_shown_certificate: AtomicBool,
    has_asked_for_certificate: AtomicBool,
}

/// The explanation of a `handshake_failure` alert. Servers send it in several situations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explanation {
    /// The server asked for a client certificate, and got none.
    NoClientCertificate,
    /// The server answered our first message with the alert: it has no certificate for the name, or
    /// no cipher suite, key exchange or signature algorithm in common with us.
    RefusedAtStart,
}

impl Handshakes {
    pub(super) fn note_server_certificate(&self) {
        self.0.has_shown_certificate.store(true, Ordering::Relaxed);
    }

    /// The reason for a `handshake_failure` alert; `None` if it is not known.
    pub fn explanation(&self) -> Option<Explanation> {
        if self.0.has_asked_for_certificate.load(Ordering::Relaxed) {
            return Some(Explanation::NoClientCertificate);
        }
        let has_begun = self.0.has_shown_certificate.load(Ordering::Relaxed);
        (!has_begun).then_some(Explanation::RefusedAtStart)
    }
}

/// A client without a certificate. It notes that the server asks for one.
#[derive(Debug)]
pub(super) struct NoCertificate(pub Handshakes);

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.0.has_asked_for_certificate.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
