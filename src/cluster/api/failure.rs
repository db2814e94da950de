//! The failure of a request that got no whole reply, in the words of Go's `net`.

use std::error::Error;
use std::io;

use crate::cluster::trust::{self, Explanation, Handshakes};

/// Why there is no whole reply, and whether the server may have got the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// The kind, which decides the sentence around the text.
    pub kind: FailureKind,
    /// The text of Go's library.
    pub text: String,
    /// True if the request may have reached the server.
    pub sent: bool,
}

/// The kinds of failure. Each is reported in its own sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureKind {
    /// Nothing listens at the address. Holds `host:port`.
    Refused(String),
    /// The server's certificate is signed by an authority that is not trusted.
    UnknownAuthority,
    /// The connection broke before the reply arrived.
    Lost,
    /// No reply arrived in time, or no connection could be opened.
    Connection,
    /// The body of the reply broke off.
    Body {
        /// The status of the reply.
        status: u16,
    },
    /// The reply is too large to read.
    TooLarge {
        /// The status of the reply.
        status: u16,
    },
}

impl Failure {
    /// Converts an error of the HTTP library that came before the headers of the reply. `authority`
    /// is the server's `host:port` as in its URL. `connected` says if any connection was ever
    /// opened.
    pub(super) fn from_request(error: &reqwest::Error, authority: &str, connected: bool) -> Self {
        let sent = connected && !error.is_connect();
        let causes = Causes::of(error);
        let text = causes.describe(error, authority);
        let kind = match causes.io_kind() {
            _ if causes.find().is_some_and(trust::is_unknown_authority) => {
                FailureKind::UnknownAuthority
            }
            Some(io::ErrorKind::ConnectionRefused) => FailureKind::Refused(authority.to_owned()),
            _ if text == "EOF" || text.ends_with("connection reset by peer") => FailureKind::Lost,
            _ => FailureKind::Connection,
        };
        Self { kind, text, sent }
    }

    /// Converts an error of the HTTP library, for a request to a server other than the API server.
    pub fn of_request(error: &reqwest::Error, authority: &str) -> Self {
        Self::from_request(error, authority, true)
    }

    /// Adds what is known of a failed TLS handshake: servers send the same alert for several reasons.
    pub(super) fn explained(mut self, handshakes: &Handshakes) -> Self {
        if self.text == "remote error: tls: handshake failure" {
            self.text.push_str(match handshakes.explanation() {
                Some(Explanation::NoClientCertificate) => {
                    " (the server asked for a client certificate, and none is configured)"
                }
                Some(Explanation::RefusedAtStart) => {
                    " (the server refused the connection at its start: it may have no certificate \
                     for the name, or no cipher suite or key exchange in common with locustctl)"
                }
                None => "",
            });
        }
        self
    }

    /// Converts an error of the HTTP library that came while the body was read.
    pub(super) fn from_body(error: &reqwest::Error, authority: &str, status: u16) -> Self {
        let causes = Causes::of(error);
        if error.is_timeout() {
            return Self {
                kind: FailureKind::Connection,
                text: causes.describe(error, authority),
                sent: true,
            };
        }
        let original = match causes.describe(error, authority).as_str() {
            "EOF" => "unexpected EOF".to_owned(),
            other => other.to_owned(),
        };
        // The sentence is client-go's (`rest/request.go`).
        let text = format!(
            "unexpected error when reading response body. Please retry. Original error: {original}"
        );
        Self { kind: FailureKind::Body { status }, text, sent: true }
    }

    /// The failure after a timeout, in the words of Go's `context`.
    pub(super) fn too_slow() -> Self {
        let text = "context deadline exceeded".to_owned();
        Self { kind: FailureKind::Connection, text, sent: true }
    }

    /// The failure after a reply that is larger than `limit` bytes.
    pub(super) fn too_large(what: &str, limit: usize, status: u16) -> Self {
        let text = format!(
            "the answer to {what} is larger than {} MiB and was not read to its end",
            limit / (1024 * 1024)
        );
        Self { kind: FailureKind::TooLarge { status }, text, sent: true }
    }
}

/// The chain of causes of an error.
struct Causes<'a>(Vec<&'a (dyn Error + 'static)>);

impl<'a> Causes<'a> {
    /// Collects the chain. An `io::Error` hides the error that it wraps from `source()`, so the
    /// wrapped error is followed instead.
    fn of(error: &'a (dyn Error + 'static)) -> Self {
        let mut all = Vec::new();
        let mut next = Some(error);
        while let Some(current) = next {
            all.push(current);
            next = match current.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(inner) => Some(inner as &(dyn Error + 'static)),
                None => current.source(),
            };
        }
        Self(all)
    }

    fn find<T: Error + 'static>(&self) -> Option<&'a T> {
        self.0.iter().find_map(|cause| cause.downcast_ref::<T>())
    }

    /// The kind of the innermost I/O error. The outer ones only wrap it.
    fn io_kind(&self) -> Option<io::ErrorKind> {
        self.0.iter().rev().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind)
    }

    fn mentions(&self, text: &str) -> bool {
        self.0.iter().any(|cause| cause.to_string().contains(text))
    }

    fn describe(&self, error: &reqwest::Error, authority: &str) -> String {
        let host = host_of(authority);
        if let Some(error) = self.find::<rustls::Error>() {
            return trust::describe(error, host);
        }
        if error.is_timeout() {
            return match error.is_connect() {
                true => format!("dial tcp {authority}: i/o timeout"),
                false => "context deadline exceeded".to_owned(),
            };
        }
        if let Some(text) =
            self.0.iter().find_map(|cause| trust::describe_alert(&cause.to_string()))
        {
            return text;
        }
        if self.mentions("dns error") {
            return self.name_lookup(host);
        }
        if let Some(kind) = self.io_kind() {
            return self.io(kind, error.is_connect(), authority);
        }
        if self.find::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            let broken = "net/http: HTTP/1.x transport connection broken";
            return format!("{broken}: malformed HTTP response");
        }
        let is_cut_off = |error: &hyper::Error| {
            error.is_incomplete_message() || error.is_closed() || error.is_canceled()
        };
        if self.find::<hyper::Error>().is_some_and(is_cut_off) {
            return "EOF".to_owned();
        }
        // The outermost error has no reason in it, and repeats the URL.
        self.0.last().map_or_else(|| error.to_string(), ToString::to_string)
    }

    fn name_lookup(&self, host: &str) -> String {
        let reason = self.0.last().map(ToString::to_string).unwrap_or_default();
        let reason = reason.trim_start_matches("failed to lookup address information: ");
        let reason = match reason {
            "Name or service not known" | "No address associated with hostname" => "no such host",
            other => other,
        };
        format!("dial tcp: lookup {host}: {reason}")
    }

    fn io(&self, kind: io::ErrorKind, connecting: bool, authority: &str) -> String {
        use io::ErrorKind as Kind;
        let what = match kind {
            Kind::UnexpectedEof | Kind::BrokenPipe => return "EOF".to_owned(),
            Kind::ConnectionReset => {
                return format!("read tcp {authority}: read: connection reset by peer");
            }
            Kind::ConnectionRefused => "connection refused".to_owned(),
            Kind::NetworkUnreachable => "network is unreachable".to_owned(),
            Kind::HostUnreachable => "no route to host".to_owned(),
            Kind::TimedOut => return format!("dial tcp {authority}: i/o timeout"),
            _ => self.0.last().map(ToString::to_string).unwrap_or_default().to_lowercase(),
        };
        match connecting {
            true => format!("dial tcp {authority}: connect: {what}"),
            false => format!("read tcp {authority}: {what}"),
        }
    }
}

/// `host` of `host:port`. An IPv6 address loses its brackets.
fn host_of(authority: &str) -> &str {
    if let Some((host, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return host;
    }
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_in_an_authority() {
        for (authority, host) in [
            ("h:1", "h"),
            ("h", "h"),
            ("[::1]:6443", "::1"),
            ("[::1]", "::1"),
            ("10.0.0.1:1", "10.0.0.1"),
        ] {
            assert_eq!(host_of(authority), host);
        }
    }
}
