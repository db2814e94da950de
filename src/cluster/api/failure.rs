//! The failure of a request that got no whole reply, in the words of Go's `net`.

use std::error::Error;
use std::io;

use hyper_util::client::legacy;

use crate::cluster::trust::{self, Explanation, Handshakes};

/// The reason why there is no whole reply, and whether the server may have got the request.
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
    /// True if the same request may succeed a little later. A reply that is too large stays too large.
    pub fn is_transient(&self) -> bool {
        !matches!(self.kind, FailureKind::TooLarge { .. })
    }

    /// Converts an error that came before the headers of the reply. `authority` is the server's
    /// `host:port` as in its URL. `connected` says if any connection was ever opened.
    pub(super) fn from_request(
        error: &(dyn Error + 'static),
        authority: &str,
        connected: bool,
    ) -> Self {
        let causes = Causes::of(error);
        if let Some(failure) = causes.find::<Self>() {
            return match failure.kind {
                FailureKind::Refused(_) => failure.refused_by(authority),
                _ => failure.clone(),
            };
        }
        let stage = if causes.is_connect() { Stage::Connecting } else { Stage::Connected };
        let sent = connected && stage == Stage::Connected;
        Self { sent, ..causes.failure(stage, authority) }
    }

    /// A failure before anything was sent.
    pub(super) fn unsent(text: String) -> Self {
        Self { kind: FailureKind::Connection, text, sent: false }
    }

    /// The failure to find the address of a host.
    pub(super) fn unknown_host(host: &str) -> Self {
        Self::unsent(format!("dial tcp: lookup {host}: no such host"))
    }

    /// Converts an error of the system's resolver.
    pub(super) fn of_lookup(error: &io::Error, host: &str) -> Self {
        Self::unsent(Causes::of(error).name_lookup(host))
    }

    /// Converts an error that came while a connection to `address` was opened.
    pub(super) fn of_dial(error: &(dyn Error + 'static), address: &str) -> Self {
        Self { sent: false, ..Causes::of(error).failure(Stage::Connecting, address) }
    }

    /// Converts an error of a TLS handshake with `address`.
    pub(super) fn of_handshake(error: &io::Error, address: &str) -> Self {
        Self { sent: false, ..Causes::of(error).failure(Stage::Connected, address) }
    }

    /// Converts an error that came while a proxy at `address` was asked for a connection.
    pub(super) fn of_proxy(error: &io::Error, address: &str) -> Self {
        Self::of_handshake(error, address).at_proxy()
    }

    /// Marks a failed connection as one to a proxy, with the prefix of Go's `net/http`.
    pub(super) fn at_proxy(self) -> Self {
        Self::unsent(format!("proxyconnect tcp: {}", self.text))
    }

    fn refused_by(&self, authority: &str) -> Self {
        Self { kind: FailureKind::Refused(authority.to_owned()), ..self.clone() }
    }

    /// Converts an error of the HTTP library, for a request to a server other than the API server.
    pub fn of_request(error: &reqwest::Error, authority: &str) -> Self {
        Self::from_request(error, authority, true)
    }

    /// Adds the likely reason to the text of a failed TLS handshake. Servers send the same alert for
    /// several reasons.
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
        let original = causes.describe(Stage::Connected, authority);
        if causes.is_timeout() {
            return Self { kind: FailureKind::Connection, text: original, sent: true };
        }
        let original = if original == "EOF" { "unexpected EOF" } else { &original };
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

    /// The failure after a reply for which the budget of replies in memory has no room.
    pub(super) fn over_budget(what: &str, status: u16) -> Self {
        let text = format!(
            "the answer to {what} was not read to its end, because other answers use all the memory \
             that locustctl has for answers; try again"
        );
        Self { kind: FailureKind::TooLarge { status }, text, sent: true }
    }
}

/// The point at which an error came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// TCP was not yet open.
    Connecting,
    /// TCP was open.
    Connected,
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

    /// The kind of the innermost I/O error. The outer ones only wrap it. HTTP/2 does not have it
    /// among its causes.
    fn io_kind(&self) -> Option<io::ErrorKind> {
        let io = |cause: &&'a (dyn Error + 'static)| match cause.downcast_ref::<h2::Error>() {
            Some(error) => error.get_io(),
            None => cause.downcast_ref::<io::Error>(),
        };
        self.0.iter().rev().find_map(io).map(io::Error::kind)
    }

    fn mentions(&self, text: &str) -> bool {
        self.0.iter().any(|cause| cause.to_string().contains(text))
    }

    fn is_connect(&self) -> bool {
        self.find::<reqwest::Error>().is_some_and(reqwest::Error::is_connect)
            || self.find::<legacy::Error>().is_some_and(legacy::Error::is_connect)
    }

    fn is_timeout(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::TimedOut)
            || self.find::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout)
    }

    /// The failure, on the assumption that the request was sent.
    fn failure(&self, stage: Stage, authority: &str) -> Failure {
        let text = self.describe(stage, authority);
        let kind = match self.io_kind() {
            _ if self.find().is_some_and(trust::is_unknown_authority) => {
                FailureKind::UnknownAuthority
            }
            Some(io::ErrorKind::ConnectionRefused) => FailureKind::Refused(authority.to_owned()),
            _ if text == "EOF" || text.ends_with("connection reset by peer") => FailureKind::Lost,
            _ => FailureKind::Connection,
        };
        Failure { kind, text, sent: true }
    }

    fn describe(&self, stage: Stage, authority: &str) -> String {
        let host = host_of(authority);
        if let Some(error) = self.find::<rustls::Error>() {
            return trust::describe(error, host);
        }
        if self.is_timeout() {
            return match stage {
                Stage::Connecting => format!("dial tcp {authority}: i/o timeout"),
                Stage::Connected => "context deadline exceeded".to_owned(),
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
            return self.io(kind, stage, authority);
        }
        if let Some(text) = self.find::<h2::Error>().and_then(describe_h2) {
            return text;
        }
        if let Some(text) = self.find::<hyper::Error>().and_then(describe_http) {
            return text;
        }
        // The outermost error has no reason in it, and repeats the URL.
        self.0.last().map(ToString::to_string).unwrap_or_default()
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

    fn io(&self, kind: io::ErrorKind, stage: Stage, authority: &str) -> String {
        use io::ErrorKind as Kind;
        let what = match kind {
            Kind::UnexpectedEof | Kind::BrokenPipe => return "EOF".to_owned(),
            Kind::ConnectionReset => {
                return format!("read tcp {authority}: read: connection reset by peer");
            }
            Kind::ConnectionRefused => "connection refused".to_owned(),
            Kind::NetworkUnreachable => "network is unreachable".to_owned(),
            Kind::HostUnreachable => "no route to host".to_owned(),
            Kind::InvalidData | Kind::InvalidInput if self.mentions("gzip") => {
                return "gzip: invalid header".to_owned();
            }
            _ => self.0.last().map(ToString::to_string).unwrap_or_default().to_lowercase(),
        };
        match stage {
            Stage::Connecting => format!("dial tcp {authority}: connect: {what}"),
            Stage::Connected => format!("read tcp {authority}: {what}"),
        }
    }
}

/// The text of Go's `http2` for an error of HTTP/2.
fn describe_h2(error: &h2::Error) -> Option<String> {
    // The name of the code, such as `ENHANCE_YOUR_CALM`.
    let code = error.reason()?;
    Some(match (error.is_go_away(), error.is_reset(), error.is_remote()) {
        (true, _, true) if code == h2::Reason::NO_ERROR => {
            "http2: Transport received Server's graceful shutdown GOAWAY".to_owned()
        }
        (true, _, true) => {
            format!("http2: Transport received GOAWAY from server ErrCode:{code:?}")
        }
        (_, true, true) => format!("stream error: {code:?}; received from peer"),
        (_, true, false) => format!("stream error: {code:?}"),
        _ => format!("connection error: {code:?}"),
    })
}

/// The text of Go's `net/http` for an error of HTTP/1.
fn describe_http(error: &hyper::Error) -> Option<String> {
    let broken = "net/http: HTTP/1.x transport connection broken";
    if error.is_parse_too_large() {
        return Some(format!("{broken}: net/http: server response headers are too large; aborted"));
    }
    if error.is_parse() {
        return Some(format!("{broken}: malformed HTTP response"));
    }
    let is_cut_off = error.is_incomplete_message() || error.is_closed() || error.is_canceled();
    is_cut_off.then(|| "EOF".to_owned())
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
