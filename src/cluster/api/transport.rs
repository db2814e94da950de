//! The HTTP client of one API server, configured as client-go configures Go's: trust, name, proxy.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;

use super::Error;
use super::address::ServerAddress;
use super::connect::{Connector, Endpoint, Proxies};
use super::http::{Compression, HttpClient, HttpOptions};
use super::proxy::{Proxy, ProxyKind, ProxyVariables};
use super::tls;
use crate::cluster::kubeconfig::Cluster;
use crate::cluster::trust::{Handshakes, VerifiedName};

/// The HTTP client for one server.
pub struct Transport {
    pub http: HttpClient,
    pub server: ServerAddress,
    /// The client certificate that connections are opened with.
    pub identity: Option<Arc<CertifiedKey>>,
    /// Facts about the TLS handshakes, to explain an alert of the server.
    pub handshakes: Handshakes,
}

impl Transport {
    /// Prepares the client, without opening a connection.
    ///
    /// # Errors
    /// The server's address, a certificate, a name or the proxy is invalid.
    pub fn new(cluster: &Cluster, identity: Option<Arc<CertifiedKey>>) -> Result<Self> {
        let server = ServerAddress::parse(&cluster.server).map_err(Error::Failure)?;
        let handshakes = Handshakes::default();
        let proxy = proxy(cluster, &server)?;
        let server_name = cluster.tls_server_name.as_deref().map(parse_name).transpose()?;
        let has_tls_proxy = proxy.as_ref().is_some_and(|proxy| proxy.kind == ProxyKind::Https);
        let tls = match server.is_encrypted || has_tls_proxy {
            true => {
                let name = server_name.clone().map_or(VerifiedName::UrlHost, VerifiedName::Other);
                Some(tls::client_config(cluster, name, identity.clone(), handshakes.clone())?)
            }
            false => None,
        };
        let proxies = proxy.map_or(Proxies::None, |proxy| Proxies::Fixed(Arc::new(proxy)));
        let connector = Connector::new(tls, server_name, proxies);
        let connector = connector.with_zoned_host(server.zoned_host.clone());
        let compression =
            if cluster.disable_compression { Compression::None } else { Compression::Gzip };
        let options = HttpOptions { compression, ..HttpOptions::WHOLE_REPLIES };
        let http = HttpClient::new(connector, options);
        Ok(Self { http, server, identity, handshakes })
    }
}

/// The proxy for the server. The cluster's `proxy-url` applies to every address, also to loopback.
fn proxy(cluster: &Cluster, server: &ServerAddress) -> Result<Option<Proxy>> {
    let from_environment = || {
        let Endpoint { host, port } = server.endpoint();
        let scheme = if server.is_encrypted { "https" } else { "http" };
        ProxyVariables::from_process().for_server(scheme, &host, port)
    };
    let proxy = cluster.proxy_url.clone().or_else(from_environment);
    proxy.map(|proxy| Proxy::parse(&proxy).map_err(|problem| anyhow!(problem))).transpose()
}

fn parse_name(name: &str) -> Result<ServerName<'static>> {
    ServerName::try_from(name.to_owned())
        .map_err(|_| anyhow!("tls-server-name {name:?} is neither a host name nor an address"))
}
