//! Certificates that cannot be read.

use std::borrow::Cow;

/// The reason why a certificate cannot be read, in the words of Go's `x509.ParseCertificate`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("x509: {0}")]
pub struct Malformed(Cow<'static, str>);

impl From<&'static str> for Malformed {
    fn from(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Malformed {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}
