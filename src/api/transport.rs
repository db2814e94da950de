//! The HTTP library's client, set up as client-go sets up Go's: trust, name, proxy, limits.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{ClientBuilder, Url};

use super::connect::Connections;
use super::proxy::ProxyVariables;
use crate::credentials::Credentials;
use crate::kubeconfig::Cluster;

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
}

impl Transport {
    /// Prepares everything; makes no connection yet.
    ///
    /// # Errors
    /// A server address, certificate, name or proxy that cannot be used.
    pub fn new(
        cluster: &Cluster,
        credentials: &Credentials,
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
            .gzip(!cluster.disable_compression);
        if let Some(limit) = limit {
            builder = builder.timeout(limit);
        }
        if let Some(identity) = credentials.identity() {
            builder = builder.identity(identity.clone());
        }
        builder = with_proxy(with_trust(builder, cluster)?, cluster, &server)?;
        let (builder, dialled) = with_server_name(builder, &server, cluster)?;
        let http = builder.build().map_err(|error| {
            anyhow!("the connection could not be set up: {}", root_cause(&error))
        })?;
        Ok(Self { http, connections, server, dialled })
    }
}

/// A CA of the kubeconfig is the only root: the system's roots are then not even read.
fn with_trust(builder: ClientBuilder, cluster: &Cluster) -> Result<ClientBuilder> {
    if cluster.insecure_skip_tls_verify {
        return Ok(builder.tls_danger_accept_invalid_certs(true));
    }
    let Some(bundle) = &cluster.certificate_authority else {
        return Ok(builder);
    };
    let unusable =
        || anyhow!("unable to load root certificates: unable to parse bytes as PEM block");
    let roots = reqwest::Certificate::from_pem_bundle(bundle).map_err(|_| unusable())?;
    match roots.is_empty() {
        true => Err(unusable()),
        false => Ok(builder.tls_certs_only(roots)),
    }
}

/// `proxy-url` of the cluster holds for every address, also for this machine's own.
fn with_proxy(builder: ClientBuilder, cluster: &Cluster, server: &Url) -> Result<ClientBuilder> {
    let from_environment = || ProxyVariables::from_process().for_server(server);
    let Some(proxy) = cluster.proxy_url.clone().or_else(from_environment) else {
        return Ok(builder.no_proxy());
    };
    // In Go it is always the SOCKS server that looks up the name.
    let address = match proxy.strip_prefix("socks5://") {
        Some(rest) => format!("socks5h://{rest}"),
        None => proxy,
    };
    let proxy = reqwest::Proxy::all(address).map_err(|error| {
        // The address may hold a password.
        anyhow!("the proxy on the way to {server} cannot be used: {}", root_cause(&error))
    })?;
    Ok(builder.no_proxy().proxy(proxy))
}

/// The library takes the name for SNI and verification from the URL: so the URL gets the name,
/// and name resolution leads to the real host.
fn with_server_name(
    builder: ClientBuilder,
    server: &Url,
    cluster: &Cluster,
) -> Result<(ClientBuilder, Url)> {
    let Some(name) = &cluster.tls_server_name else {
        return Ok((builder, server.clone()));
    };
    let mut dialled = server.clone();
    let is_name = dialled.set_host(Some(name)).is_ok()
        && dialled.domain().is_some_and(|domain| domain.eq_ignore_ascii_case(name));
    if !is_name {
        bail!("tls-server-name {name:?} is not a host name");
    }
    let host = server.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    Ok((builder.no_proxy().dns_resolver(RealHost(host)), dialled))
}

struct RealHost(String);

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
