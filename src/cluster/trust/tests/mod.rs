//! Chains of certificates, and what Go says of them.

mod authority;
mod chains;
mod fixtures;

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{Error, RootCertStore};

use super::handshake::Handshakes;
use super::roots::Roots;
use super::verifier::{Anchors, VerifiedName, Verifier};

/// 2027-01-01T00:00:00Z
const NOW: u64 = 1_798_761_600;

const UNTRUSTED: &str = "tls: failed to verify certificate: x509: ";

/// The error for a server that sends these certificates.
fn refusal(roots: Roots, sent: &[CertificateDer<'_>], host: &str) -> Option<String> {
    let verifier = Verifier {
        anchors: Anchors::Bundle(roots),
        name: VerifiedName::UrlHost,
        handshakes: Handshakes::default(),
    };
    let error = verify(&verifier, sent, host).err()?;
    Some(super::describe(&error, host))
}

/// True if webpki accepts the same certificates.
fn is_accepted_by_webpki(
    roots: &[CertificateDer<'static>],
    sent: &[CertificateDer<'_>],
    host: &str,
) -> bool {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().cloned());
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
    verifier.is_ok_and(|verifier| verify(&*verifier, sent, host).is_ok())
}

fn verify(
    verifier: &dyn ServerCertVerifier,
    sent: &[CertificateDer<'_>],
    host: &str,
) -> Result<(), Error> {
    let host = ServerName::try_from(host).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
    verifier.verify_server_cert(&sent[0], &sent[1..], &host, &[], now).map(|_| ())
}
