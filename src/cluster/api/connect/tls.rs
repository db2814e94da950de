//! The TLS handshake with a server or a proxy.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::endpoint::Endpoint;
use super::stream::Stream;
use crate::cluster::api::Failure;
use crate::text::go::url::ip_address;

/// The limit for a handshake. client-go allows 10 s, which a busy server may exceed.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// The name that the certificate of a host must have.
///
/// # Errors
/// No certificate can have this name.
pub fn server_name(host: &str) -> Result<ServerName<'static>, Failure> {
    if let Some(address) = ip_address(host) {
        return Ok(ServerName::from(address));
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_owned();
    ServerName::try_from(name).map_err(|_| Failure::unknown_host(host))
}

/// Encrypts a connection.
///
/// # Errors
/// The handshake failed. The text is Go's, and names the host.
pub async fn encrypt(
    stream: Stream,
    name: ServerName<'static>,
    endpoint: &Endpoint,
    config: Arc<ClientConfig>,
) -> Result<Stream, Failure> {
    let handshake = TlsConnector::from(config).connect(name, stream);
    match timeout(HANDSHAKE_TIMEOUT, handshake).await {
        Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
        Ok(Err(error)) => Err(Failure::of_handshake(&error, &endpoint.to_string())),
        Err(_) => Err(Failure::unsent("net/http: TLS handshake timeout".to_owned())),
    }
}
