//! The verification of servers by the rules of Go's `crypto/x509` and `crypto/tls`, and the TLS
//! settings of every connection.
//!
//! rustls verifies with webpki, whose rules differ in both directions: it takes roots that Go
//! refuses, and refuses certificates that Go takes. The parts here are Go's: [`certificate`] reads,
//! [`chain`] builds and checks, [`public_key`] verifies signatures with ring and, for P-521 and
//! other rare keys, with RustCrypto. [`error_text`] turns errors of the TLS library into Go's
//! sentences.

mod alternative_names;
mod asn1;
mod certificate;
mod chain;
mod distinguished_name;
mod ecdsa;
mod error_text;
mod extensions;
mod handshake;
mod host_name;
mod key_exchange;
mod malformed;
mod name_constraints;
mod policies;
mod public_key;
mod refusal;
mod roots;
mod rsa;
mod server_error;
mod settings;
mod signature_algorithm;
#[cfg(not(any(windows, target_vendor = "apple")))]
mod system_roots;
#[cfg(test)]
mod tests;
mod validity;
mod verifier;

pub use error_text::{describe, describe_alert, find, is_unknown_authority};
pub use handshake::{Explanation, Handshakes};
pub use settings::{Settings, client_config};
pub use verifier::VerifiedName;

/// Reads a certificate, for the fuzz target.
pub fn try_certificate(der: &[u8]) {
    let _ = certificate::Certificate::parse(der);
    let _ = certificate::subject(der);
}
