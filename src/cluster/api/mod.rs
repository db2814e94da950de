//! The Kubernetes API as far as scaling needs it: one client for one server, the error `Status`,
//! the paths of resources, and the scale subresource.

mod about;
mod address;
mod admission;
mod client;
mod connect;
mod discovery;
mod error;
mod exchange;
mod exchange_log;
mod failure;
mod impersonation;
mod list;
pub(crate) mod plain;
mod proxy;
mod relay;
mod resource;
mod retry;
mod scale;
mod status;
mod stream;
mod tls;
mod tls_error;
mod trace;
mod transport;
mod user_agent;
mod version;
mod warning;
mod watch;

pub use about::About;
pub use admission::MOST_AT_ONCE;
pub use client::Client;
pub use discovery::Discovery;
pub use error::Error;
pub use exchange::{Options, Reply, Request, Timeout};
pub use failure::{Failure, FailureKind};
pub use list::Listing;
pub use plain::Authorities;
pub use relay::{Relayed, leads_down};
pub use resource::{Resource, escape_segment};
pub use scale::{PatchKind, Scale};
pub use status::{Cause, Details, Status};
pub use trace::Trace;
pub use warning::Warnings;
pub use watch::{Watch, WatchEvent, Watched};
