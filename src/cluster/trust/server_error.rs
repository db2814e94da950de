//! The reason why a connection to a server was refused.

use std::sync::Arc;

use rustls::{CertificateError, Error, OtherError};

use super::refusal::Refusal;
use super::signature::SignatureError;
use crate::cluster::x509::Malformed;

/// Go's limit for RSA keys in certificates of servers, in bits.
pub const MAX_RSA_BITS: usize = 8192;

/// The reason why a connection was refused, in the words of Go's `crypto/tls`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    #[error("tls: failed to verify certificate: {0}")]
    Untrusted(Refusal),
    #[error("tls: failed to parse certificate from server: {0}")]
    Malformed(Malformed),
    #[error("tls: server sent certificate containing RSA key larger than {MAX_RSA_BITS} bits")]
    LargeKey,
    #[error("tls: server's certificate contains an unsupported type of public key: {0}")]
    UnsupportedKey(&'static str),
    #[error("tls: invalid signature by the server certificate: {}", .0.to_string().trim_start_matches("x509: "))]
    Signature(SignatureError),
}

impl From<ServerError> for Error {
    fn from(error: ServerError) -> Self {
        CertificateError::Other(OtherError(Arc::new(error))).into()
    }
}
