//! The HTTP library's client, set up as client-go sets up Go's: trust, name, proxy, limits.

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
use super::tls::{self, VerifiedName};
use crate::cluster::kubeconfig::Cluster;

/// Dialling, proxy and TLS handshake together; client-go gives dialling alone as much.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A client for one server, and where to send requests so that it does as told.
pub struct Transport {
    pub http: reqwest::Client,
    /// Counts what `http` opens.
    pub connections: Connections,
    /// The server's address as configured: what a user should see.
    pub server: Url,
    /// The address that the HTTP library gets: another host name where TLS shall use one.
    pub dialled: Url,
    /// The client certificate that connections are opened with.
    pub identity: Option<Arc<CertifiedKey>>,
}

impl Transport {
    /// Prepares everything; makes no connection yet.
    ///
    /// # Errors
    /// A server address, certificate, name or proxy that cannot be used.
    pub fn new(
        cluster: &Cluster,
        identity: Option<Arc<CertifiedKey>>,
        limit: Option<Duration>,
    ) -> Result<Self> {
        let server = Url::parse(&cluster.server).map_err(|error| {
            anyhow!("the server's address {:?} is not a URL: {error}", cluster.server)
        })?;
        let connections = Connections::default();
        let mut builder = reqwest::Client::builder()
            // Credentials must not follow a redirect to wherever it points.
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
                    builder = builder.dns_resolver(RealHost::of(&server));
                } else {
                    name = VerifiedName::Other(parse_name(wanted)?);
                }
            }
            let config = tls::client_config(cluster, name, identity.clone())?;
            builder = builder.tls_backend_preconfigured(config);
        }
        let http = builder.build().map_err(|error| {
            anyhow!("the connection could not be set up: {}", root_cause(&error))
        })?;
        Ok(Self { http, connections, server, dialled, identity })
    }
}

/// `proxy-url` of the cluster holds for every address, also for this machine's own.
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
    // In Go it is always the SOCKS server that looks up the name.
    let address = match proxy.strip_prefix("socks5://") {
        Some(rest) => format!("socks5h://{rest}"),
        None => proxy,
    };
    let proxy = reqwest::Proxy::all(address).map_err(|error| {
        // The address may hold a password.
        anyhow!("the proxy on the way to {server} cannot be used: {}", root_cause(&error))
    })?;
    Ok(Some(proxy))
}

/// The library takes the name for SNI and verification from the URL, so the URL gets the name,
/// and name resolution leads to the real host. `false` where that cannot be: an IP address would
/// be dialled, and a proxy would be sent to the wrong host.
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

/// Leads every name to the server's real host.
struct RealHost(String);

impl RealHost {
    fn of(server: &Url) -> Self {
        Self(server.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned())
    }
}

impl Resolve for RealHost {
    fn resolve(&self, _: Name) -> Resolving {
        let host = self.0.clone();
        Box::pin(async move {
            // Port 0 stands for the URL's.
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
