//! Errors of the TLS library in the words of Go's `crypto/tls` and `crypto/x509`. Kubernetes users
//! know these texts and search for them.

use std::error::Error as StdError;
use std::fmt::Debug;
use std::io;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::refusal::Refusal;
use super::server_error::ServerError;

/// Finds the TLS library's error among the causes of another error.
pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<Error>() {
            return Some(found);
        }
        // An `io::Error` hides the error that it wraps from `source()`.
        next = match current.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => current.source(),
        };
    }
    None
}

/// Go's text for an error. `host` is the name that the certificate should have.
pub fn describe(error: &Error, host: &str) -> String {
    match error {
        Error::InvalidCertificate(problem) => match verification(problem) {
            Some(error) => error.to_string(),
            None => {
                let problem = certificate(problem, host);
                format!("tls: failed to verify certificate: x509: {problem}")
            }
        },
        Error::AlertReceived(alert) => format!("remote error: tls: {}", alert_text(*alert)),
        Error::InvalidMessage(_) => "tls: first record does not look like a TLS handshake".into(),
        Error::NoCertificatesPresented => "tls: received empty certificates message".into(),
        Error::DecryptError => "local error: tls: bad record MAC".into(),
        Error::PeerSentOversizedRecord => "local error: tls: record overflow".into(),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "local error: tls: unexpected message".into()
        }
        Error::NoApplicationProtocol => "remote error: tls: no application protocol".into(),
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => "tls: server selected unsupported protocol version".into(),
        Error::PeerIncompatible(reason) => {
            format!("tls: the server's TLS cannot be used: {}", in_words(reason))
        }
        Error::PeerMisbehaved(reason) => {
            format!("tls: the server violated the protocol: {}", in_words(reason))
        }
        other => format!("tls: {other}"),
    }
}

/// The words of a name in camel case: `NoKxGroupsInCommon` is "no kx groups in common".
fn in_words(name: &impl Debug) -> String {
    let name = format!("{name:?}");
    let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// The error of our own verification.
fn verification(problem: &CertificateError) -> Option<&ServerError> {
    match problem {
        CertificateError::Other(other) => other.0.downcast_ref::<ServerError>(),
        _ => None,
    }
}

/// The text for an error of the system's verifier, on systems that have one.
fn certificate(problem: &CertificateError, host: &str) -> String {
    match problem {
        CertificateError::UnknownIssuer => "certificate signed by unknown authority".into(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            wrong_name(expected, presented)
        }
        CertificateError::NotValidForName => {
            format!("certificate is not valid for {host}")
        }
        CertificateError::ExpiredContext { time, not_after } => format!(
            "certificate has expired or is not yet valid: current time {} is after {}",
            rfc3339(*time),
            rfc3339(*not_after)
        ),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "certificate has expired or is not yet valid: current time {} is before {}",
            rfc3339(*time),
            rfc3339(*not_before)
        ),
        CertificateError::Expired | CertificateError::NotValidYet => {
            "certificate has expired or is not yet valid".into()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "certificate specifies an incompatible key usage".into()
        }
        CertificateError::Revoked => "certificate is revoked".into(),
        CertificateError::Other(other) => other.to_string(),
        other => in_words(other),
    }
}

/// True if the server's certificate is signed by an authority that is not trusted.
pub fn is_unknown_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(problem) = error else { return false };
    match verification(problem) {
        Some(error) => matches!(error, ServerError::Untrusted(Refusal::UnknownAuthority(_))),
        None => matches!(problem, CertificateError::UnknownIssuer),
    }
}

/// Go's `x509.HostnameError`: it lists the names for a name, and the addresses for an address.
fn wrong_name(expected: &ServerName<'_>, presented: &[String]) -> String {
    let wanted = expected.to_str();
    let wants_address = matches!(expected, ServerName::IpAddress(_));
    let kind = if wants_address { "IpAddress(" } else { "DnsName(" };
    // The library has the names in their debug form: DnsName("localhost").
    let names: Vec<&str> = presented
        .iter()
        .filter_map(|name| name.strip_prefix(kind))
        .map(|name| name.trim_end_matches(')').trim_matches('"'))
        .collect();
    match (names.as_slice(), wants_address) {
        ([], true) => {
            format!(
                "cannot validate certificate for {wanted} because it doesn't contain any IP SANs"
            )
        }
        ([], false) => {
            format!("certificate is not valid for any names, but wanted to match {wanted}")
        }
        (names, _) => format!("certificate is valid for {}, not {wanted}", names.join(", ")),
    }
}

fn rfc3339(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{} seconds after 1970", time.as_secs()))
}

/// Go's text for an alert that is known only by its text, as HTTP/2 reports it.
pub fn describe_alert(text: &str) -> Option<String> {
    let name = text.to_lowercase().split_once("received fatal alert: ")?.1.trim().to_owned();
    let (_, go) = ALERTS.iter().find(|(alert, _)| format!("{alert:?}").to_lowercase() == name)?;
    Some(format!("remote error: tls: {go}"))
}

fn alert_text(alert: AlertDescription) -> String {
    match ALERTS.iter().find(|(known, _)| *known == alert) {
        Some((_, text)) => (*text).to_owned(),
        None => format!("alert({})", u8::from(alert)),
    }
}

/// `crypto/tls/alert.go`
const ALERTS: [(AlertDescription, &str); 22] = [
    (AlertDescription::CloseNotify, "close notify"),
    (AlertDescription::UnexpectedMessage, "unexpected message"),
    (AlertDescription::BadRecordMac, "bad record MAC"),
    (AlertDescription::RecordOverflow, "record overflow"),
    (AlertDescription::HandshakeFailure, "handshake failure"),
    (AlertDescription::BadCertificate, "bad certificate"),
    (AlertDescription::UnsupportedCertificate, "unsupported certificate"),
    (AlertDescription::CertificateRevoked, "revoked certificate"),
    (AlertDescription::CertificateExpired, "expired certificate"),
    (AlertDescription::CertificateUnknown, "unknown certificate"),
    (AlertDescription::IllegalParameter, "illegal parameter"),
    (AlertDescription::UnknownCA, "unknown certificate authority"),
    (AlertDescription::AccessDenied, "access denied"),
    (AlertDescription::DecodeError, "error decoding message"),
    (AlertDescription::DecryptError, "error decrypting message"),
    (AlertDescription::ProtocolVersion, "protocol version not supported"),
    (AlertDescription::InsufficientSecurity, "insufficient security level"),
    (AlertDescription::InternalError, "internal error"),
    (AlertDescription::UserCanceled, "user canceled"),
    (AlertDescription::UnrecognisedName, "unrecognized name"),
    (AlertDescription::CertificateRequired, "certificate required"),
    (AlertDescription::NoApplicationProtocol, "no application protocol"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn name_error(expected: &str, presented: &[&str]) -> Error {
        let expected = ServerName::try_from(expected.to_owned()).unwrap();
        let presented = presented.iter().map(|name| (*name).to_owned()).collect();
        Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented })
    }

    #[test]
    fn certificate_problems_read_as_from_go() {
        let at = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        for (error, expected) in [
            (
                Error::InvalidCertificate(CertificateError::UnknownIssuer),
                "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            ),
            (
                name_error(
                    "foo.example",
                    &["DnsName(\"localhost\")", "DnsName(\"alt.example\")", "IpAddress(10.0.0.1)"],
                ),
                "tls: failed to verify certificate: x509: certificate is valid for localhost, alt.example, not foo.example",
            ),
            (
                name_error("127.0.0.1", &["DnsName(\"localhost\")"]),
                "tls: failed to verify certificate: x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
            ),
            (
                name_error("127.0.0.1", &["IpAddress(10.0.0.1)"]),
                "tls: failed to verify certificate: x509: certificate is valid for 10.0.0.1, not 127.0.0.1",
            ),
            (
                name_error("foo.example", &[]),
                "tls: failed to verify certificate: x509: certificate is not valid for any names, but wanted to match foo.example",
            ),
            (
                Error::InvalidCertificate(CertificateError::ExpiredContext {
                    time: at(86_400),
                    not_after: at(0),
                }),
                "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 1970-01-02T00:00:00Z is after 1970-01-01T00:00:00Z",
            ),
            (
                Error::AlertReceived(AlertDescription::CertificateRequired),
                "remote error: tls: certificate required",
            ),
        ] {
            assert_eq!(describe(&error, "h"), expected);
        }
    }

    #[test]
    fn an_alert_that_is_only_a_text_is_recognised() {
        let expected = Some("remote error: tls: unknown certificate authority".to_owned());
        assert_eq!(describe_alert("received fatal alert: UnknownCA"), expected);
        assert_eq!(describe_alert("received fatal alert: Nonsense"), None);
        assert_eq!(describe_alert("connection closed"), None);
    }
}
