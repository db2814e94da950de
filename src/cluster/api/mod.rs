//! The client of one Kubernetes API server: requests, errors, resource paths, the scale
//! subresource, lists, watches and discovery.

mod address;
mod admission;
mod client;
mod connect;
mod discovery;
mod error;
mod event;
mod exchange;
mod exchange_log;
mod failure;
mod http;
mod impersonation;
mod list;
mod object;
pub(crate) mod plain;
mod proxy;
mod relay;
mod resource;
mod retry;
mod scale;
mod status;
mod stream;
mod subject;
mod tls;
mod trace;
mod transport;
mod user_agent;
mod version;
mod warning;
mod watch;

pub use admission::MAX_CONCURRENT_REQUESTS;
pub use client::Client;
pub use discovery::{Discovery, ScaleSupport};
pub use error::Error;
pub use event::{Event, PauseReason};
pub use exchange::{Options, Reply, Request, Timeout};
pub use failure::{Failure, FailureKind};
pub use list::Listing;
pub use plain::Authorities;
pub use relay::{RelayRequest, has_no_dot_segments};
pub use resource::{Resource, escape_segment};
pub use scale::{Patch, PatchKind, Scale};
#[cfg(test)]
pub use status::Cause;
pub use status::{Details, Status};
pub use subject::RequestSubject;
pub use trace::Trace;
pub use version::{ServerVersion, mirrored_version};
pub use watch::{Watch, WatchEvent, WatchTarget};

/// Reads a normalized address of a server; used by `fuzz/`.
#[doc(hidden)]
pub fn try_server(server: &str) {
    if let Ok(address) = address::ServerAddress::parse(server) {
        let _ = address.uri(&address.path("/version", None));
    }
}

/// Reads the content as the stream of a watch that arrives in pieces; used by `fuzz/`.
#[doc(hidden)]
pub fn try_watch(content: &[u8]) {
    let whole = stream::lines_of(&[content]);
    let pieces: Vec<_> = content.chunks(7).collect();
    assert_eq!(stream::lines_of(&pieces), whole);
    whole.iter().for_each(|line| watch::try_event(line));
}

/// Reads the URL of a proxy; used by `fuzz/`.
#[doc(hidden)]
pub fn try_proxy(url: &str) {
    let _ = proxy::Proxy::parse(url);
}
