//! TCP connections, with the errors of Go's `net`.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use hyper::http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use tokio::net::TcpStream;
use tower_service::Service;

use super::endpoint::Endpoint;
use crate::cluster::api::Failure;
use crate::text::go::url::is_numeric_name;

/// The time limit for dialling, as in client-go.
const DIAL_TIMEOUT: Duration = Duration::from_secs(30);

/// The time between keep-alive probes. A server that does not answer three is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVE_PROBES: u32 = 3;

/// Opens a connection. The addresses of both families are tried, as in Go (RFC 8305).
///
/// # Errors
/// The name has no address, or nothing accepts the connection in time.
pub async fn dial(endpoint: &Endpoint) -> Result<TcpStream, Failure> {
    let addresses = resolve(endpoint).await?;
    let mut connector = HttpConnector::new_with_resolver(Addresses(addresses));
    connector.set_nodelay(true);
    connector.set_keepalive(Some(KEEP_ALIVE));
    connector.set_keepalive_interval(Some(KEEP_ALIVE));
    connector.set_keepalive_retries(Some(KEEP_ALIVE_PROBES));
    connector.set_connect_timeout(Some(DIAL_TIMEOUT));
    // The host of the URI is not used: `Addresses` answers for every name.
    let uri = Uri::builder().scheme("http").authority(format!("a:{}", endpoint.port));
    let uri = uri.path_and_query("/").build();
    let uri = uri.map_err(|error| Failure::unsent(error.to_string()))?;
    match connector.call(uri).await {
        Ok(stream) => Ok(stream.into_inner()),
        Err(error) => Err(Failure::of_dial(&error, &endpoint.to_string())),
    }
}

async fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, Failure> {
    let Endpoint { host, port } = endpoint;
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, *port)]);
    }
    if is_numeric_name(host) {
        return Err(Failure::unknown_host(host));
    }
    let found = tokio::net::lookup_host((host.as_str(), *port)).await;
    let found: Vec<_> = found.map_err(|error| Failure::of_lookup(&error, host))?.collect();
    match found.is_empty() {
        true => Err(Failure::unknown_host(host)),
        false => Ok(found),
    }
}

/// A resolver that has the addresses already.
#[derive(Clone)]
struct Addresses(Vec<SocketAddr>);

impl Service<Name> for Addresses {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(self.0.clone().into_iter()))
    }
}
