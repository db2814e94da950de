//! The host and the port of a connection.

use std::fmt;

use hyper::http::Uri;

use crate::cluster::api::Failure;

/// A host and a port. `Display` writes `host:port`, with brackets around an IPv6 address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A name or an address, without brackets.
    pub host: String,
    pub port: u16,
}

impl Endpoint {
    /// The server of a URI, with the usual port of its scheme if it has none.
    pub fn of(uri: &Uri) -> Result<Self, Failure> {
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        match uri.host() {
            Some(host) => {
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                Ok(Self { host, port: uri.port_u16().unwrap_or(default) })
            }
            None => Err(Failure::unsent("http: no Host in request URL".to_owned())),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
