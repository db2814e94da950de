//! The reason why a server's certificate is not trusted.

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::host_name::HostNameError;
use super::signature::SignatureError;
use crate::text::go::quote;

/// The reason why a certificate is not trusted, in the words of Go's `crypto/x509`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("x509: unhandled critical extension")]
    UnhandledCriticalExtension,
    #[error("x509: certificate has expired or is not yet valid: current time {now} is {relation} {limit}", now = rfc3339(&local(*.now)), limit = rfc3339(.limit))]
    OutsideValidity { now: OffsetDateTime, relation: &'static str, limit: OffsetDateTime },
    #[error(transparent)]
    HostName(#[from] HostNameError),
    /// The certificate that should have signed is not an authority, or its key is for other things.
    #[error("x509: invalid signature: parent certificate cannot sign this kind of certificate")]
    ParentCannotSign,
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error("x509: certificate is not authorized to sign other certificates")]
    IntermediateCannotSign,
    #[error("x509: too many intermediates for path length constraint")]
    TooManyIntermediates,
    #[error("x509: certificate specifies an incompatible key usage")]
    IncompatibleUsage,
    #[error(
        "x509: a root or intermediate certificate is not authorized to sign for this name: {0}"
    )]
    NameConstraint(String),
    #[error("x509: no valid chains built: {0}")]
    NoValidChain(String),
    #[error("x509: signature check attempts limit reached while verifying certificate chain")]
    SignatureLimit,
    #[error("x509: certificate signed by unknown authority{}", hint(.0))]
    UnknownAuthority(Option<Box<Candidate>>),
    #[cfg(not(any(windows, target_vendor = "apple")))]
    #[error("x509: failed to load system roots and no roots provided; {0}")]
    NoSystemRoots(String),
}

/// An authority that has the right name, but did not sign the certificate or may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub name: String,
    pub refusal: Refusal,
}

fn hint(candidate: &Option<Box<Candidate>>) -> String {
    match candidate.as_deref() {
        Some(Candidate { name, refusal }) => format!(
            " (possibly because of {} while trying to verify candidate authority certificate {})",
            quote(&refusal.to_string()),
            quote(name)
        ),
        None => String::new(),
    }
}

/// Go prints the current time in the local zone. It is not always known; then UTC is used.
fn local(time: OffsetDateTime) -> OffsetDateTime {
    UtcOffset::local_offset_at(time).map_or(time, |offset| time.to_offset(offset))
}

fn rfc3339(time: &OffsetDateTime) -> String {
    // Years beyond 9999 are the only ones without this form, and no certificate has them.
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}
