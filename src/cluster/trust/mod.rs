//! The verification of servers by the rules of Go's `crypto/x509` and `crypto/tls`, and the TLS
//! settings of every connection.
//!
//! rustls verifies with webpki, whose rules differ in both directions: it takes roots that Go
//! refuses, and refuses certificates that Go takes. So [`chain`] builds and checks chains by Go's
//! rules, [`signature`] verifies signatures with ring and, for P-521 and other rare keys, with
//! RustCrypto, and [`error_text`] turns errors of the TLS library into Go's sentences. Certificates
//! are read by `x509`.

mod chain;
mod ecdsa;
mod error_text;
mod handshake;
mod host_name;
mod key_exchange;
mod name_constraints;
mod policies;
mod refusal;
mod roots;
mod rsa;
mod server_error;
mod settings;
mod signature;
#[cfg(not(any(windows, target_vendor = "apple")))]
mod system_roots;
#[cfg(test)]
mod tests;
mod verifier;

pub use error_text::{describe, describe_alert, find, is_unknown_authority};
pub use handshake::{Explanation, Handshakes};
pub use settings::{Settings, client_config};
pub use verifier::VerifiedName;
