//! The HTTP library's client, configured as client-go configures Go's: trust, name, proxy, limits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;

use super::connect::Connections;
use super::proxy::ProxyVariables;
use super::tls;
use crate::cluster::kubeconfig::Cluster;
use crate::cluster::trust::{Handshakes, VerifiedName};

/// The limit for dialling, proxy and TLS handshake together. client-go allows the same for dialling
/// alone.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The HTTP client for one server, and the address to send requests to.
pub struct Transport {
    pub http: reqwest::Client,
    /// Counts the connections that `http` opens.
    pub connections: Connections,
    /// The server's address as configured, for messages.
    pub server: Url,
    /// The address for the HTTP library. It has the name of `tls-server-name` instead of the host.
    pub dialled: Url,
    /// The client certificate that connections are opened with.
    pub identity: Option<Arc<CertifiedKey>>,
    /// What is known of the TLS handshakes.
    pub handshakes: Handshakes,
}

impl Transport {
    /// Prepares the client, without opening a connection.
    ///
    /// # Errors
    /// The server's address, a certificate, a name or the proxy is invalid.
    pub fn new(
        cluster: &Cluster,
        identity: Option<Arc<CertifiedKey>>,
        limit: Option<Duration>,
    ) -> Result<Self> {
        let server = Url::parse(&cluster.server).map_err(|error| {
            anyhow!("the server's address {:?} is not a URL: {error}", cluster.server)
        })?;
        let connections = Connections::default();
        let handshakes = Handshakes::default();
        let mut builder = reqwest::Client::builder()
            // A redirect must not send the credentials to another server.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .connector_layer(connections.clone())
            .gzip(!cluster.disable_compression)
            .no_proxy();
        if let Some(limit) = limit {
            builder = builder.timeout(limit);
        }
        let proxy = proxy(cluster, &server)?;
        let is_direct = proxy.is_none();
        if let Some(proxy) = proxy {
            builder = builder.proxy(proxy);
        }
        let mut dialled = server.clone();
        if server.scheme() == "https" {
            let mut name = VerifiedName::UrlHost;
            if let Some(wanted) = &cluster.tls_server_name {
                if is_direct && set_name(&mut dialled, wanted) {
                    builder = builder.dns_resolver(FixedHost::of(&server));
                } else {
                    name = VerifiedName::Other(parse_name(wanted)?);
                }
            }
            let config = tls::client_config(cluster, name, identity.clone(), handshakes.clone())?;
            builder = builder.tls_backend_preconfigured(config);
        }
        let http = builder
            .build()
            .map_err(|error| anyhow!("preparing the connection failed: {}", root_cause(&error)))?;
        Ok(Self { http, connections, server, dialled, identity, handshakes })
    }
}

/// The proxy for the server. The cluster's `proxy-url` applies to every address, also to loopback.
fn proxy(cluster: &Cluster, server: &Url) -> Result<Option<reqwest::Proxy>> {
    let from_environment = || ProxyVariables::from_process().for_server(server);
    let Some(proxy) = cluster.proxy_url.clone().or_else(from_environment) else {
        return Ok(None);
    };
    let scheme = proxy.split_once("://").map_or("", |(scheme, _)| scheme).to_lowercase();
    if !["http", "https", "socks5", "socks5h"].contains(&scheme.as_str()) {
        bail!(
            "the proxy {proxy} cannot be used: unsupported scheme {scheme:?}, must be http, https, or socks5"
        );
    }
    // In Go, the SOCKS server always resolves the name.
    let address = match proxy.strip_prefix("socks5://") {
        Some(rest) => format!("socks5h://{rest}"),
        None => proxy,
    };
    let proxy = reqwest::Proxy::all(address).map_err(|error| {
        // The proxy's address may contain a password, so the message leaves it out.
        anyhow!("the proxy on the way to {server} cannot be used: {}", root_cause(&error))
    })?;
    Ok(Some(proxy))
}

/// Puts the name for SNI and verification into the URL, because the library takes it from there.
/// [`FixedHost`] then resolves the name to the real host. Returns false for an IP address: the
/// library would dial it. With a proxy this function must not be called, because the proxy would
/// get the wrong host.
fn set_name(dialled: &mut Url, name: &str) -> bool {
    let mut url = dialled.clone();
    let is_name = url.set_host(Some(name)).is_ok()
        && url.domain().is_some_and(|domain| domain.eq_ignore_ascii_case(name));
    if is_name {
        *dialled = url;
    }
    is_name
}

fn parse_name(name: &str) -> Result<ServerName<'static>> {
    ServerName::try_from(name.to_owned())
        .map_err(|_| anyhow!("tls-server-name {name:?} is neither a host name nor an address"))
}

/// Resolves every name to the addresses of the server's host.
struct FixedHost(String);

impl FixedHost {
    fn of(server: &Url) -> Self {
        Self(server.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned())
    }
}

impl Resolve for FixedHost {
    fn resolve(&self, _: Name) -> Resolving {
        let host = self.0.clone();
        Box::pin(async move {
            // Port 0 means the port of the URL.
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
