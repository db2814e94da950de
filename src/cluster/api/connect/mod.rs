//! Connections to servers: TCP, the proxy on the way, and TLS. The order and the error texts are
//! those of Go's `net/http`, which names the proxy and its answer. The proxy support of the HTTP
//! library leaves both out of its errors.

mod count;
mod endpoint;
mod socks;
mod stream;
mod tcp;
mod tls;
mod tunnel;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::http::{HeaderValue, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::time::timeout;
use tower_service::Service;

pub use self::count::Connections;
pub use self::stream::RemoteAddress;

pub use self::endpoint::Endpoint;

use self::stream::{Connection, Stream};
use super::Failure;
use super::proxy::{Proxy, ProxyKind, ProxyVariables};

/// The time limit for the answer of a proxy, as in Go.
const PROXY_TIMEOUT: Duration = Duration::from_secs(60);

/// Opens the connections of one HTTP client. Clones share the count.
#[derive(Clone)]
pub struct Connector {
    /// TLS for servers and for proxies; `None` if neither needs it.
    tls: Option<Arc<ClientConfig>>,
    /// The name for SNI and verification, instead of the host of the URL.
    server_name: Option<ServerName<'static>>,
    proxies: Proxies,
    /// The host to connect to, if it has a zone (`fe80::1%eth0`): a URI has none.
    zoned_host: Option<String>,
    connections: Connections,
}

/// The proxies of the connections.
#[derive(Clone)]
pub enum Proxies {
    None,
    /// One proxy for all servers.
    Fixed(Arc<Proxy>),
    /// The proxy from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, chosen for each server.
    Environment(Arc<ProxyVariables>),
}

/// The offer of HTTP/2 in a TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alpn {
    Offered,
    /// No ALPN: the CONNECT to a proxy uses HTTP/1.1.
    None,
}

impl Connector {
    /// Prepares the connections.
    pub fn new(
        tls: Option<ClientConfig>,
        server_name: Option<ServerName<'static>>,
        proxies: Proxies,
    ) -> Self {
        let tls = tls.map(Arc::new);
        Self { tls, server_name, proxies, zoned_host: None, connections: Connections::default() }
    }

    /// Sets the host with its zone (`fe80::1%eth0`), if the server's address has one.
    pub fn with_zoned_host(self, zoned_host: Option<String>) -> Self {
        Self { zoned_host, ..self }
    }

    /// The counter of opened connections.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// The login for a proxy that forwards each request of plain HTTP. With TLS, the proxy gets its
    /// login once, when the connection is opened.
    pub fn forward_authorization(&self, uri: &Uri) -> Option<HeaderValue> {
        if matches!(self.proxies, Proxies::None) || uri.scheme_str() == Some("https") {
            return None;
        }
        let proxy = self.proxy(uri, &Endpoint::of(uri).ok()?).ok()??;
        if proxy.kind == ProxyKind::Socks5 { None } else { proxy.authorization() }
    }

    /// The proxy for a server.
    fn proxy(&self, uri: &Uri, target: &Endpoint) -> Result<Option<Arc<Proxy>>, Failure> {
        let variables = match &self.proxies {
            Proxies::None => return Ok(None),
            Proxies::Fixed(proxy) => return Ok(Some(Arc::clone(proxy))),
            Proxies::Environment(variables) => variables,
        };
        let scheme = uri.scheme_str().unwrap_or_default();
        let url = variables.for_server(scheme, &target.host, target.port);
        let proxy = url.map(|url| Proxy::parse(&url).map(Arc::new)).transpose();
        proxy.map_err(Failure::unsent)
    }

    async fn connect(self, uri: Uri) -> Result<Connection, Failure> {
        let started = Instant::now();
        let mut target = Endpoint::of(&uri)?;
        if let Some(host) = &self.zoned_host {
            target.host.clone_from(host);
        }
        let is_encrypted = uri.scheme_str() == Some("https");
        let (stream, is_forwarded) = match self.proxy(&uri, &target)? {
            None => (Stream::plain(tcp::dial(&target).await?), false),
            Some(proxy) => self.connect_through(&proxy, &target, is_encrypted).await?,
        };
        let stream = match is_encrypted {
            true => self.encrypt(stream, &target, Alpn::Offered).await?,
            false => stream,
        };
        self.connections.add(started.elapsed());
        Ok(Connection { stream, is_forwarded })
    }

    /// A connection to the target by way of the proxy. The flag says if the proxy forwards requests
    /// of plain HTTP instead.
    async fn connect_through(
        &self,
        proxy: &Proxy,
        target: &Endpoint,
        is_encrypted: bool,
    ) -> Result<(Stream, bool), Failure> {
        let at_proxy = |failure: Failure| failure.at_proxy();
        let dialled = tcp::dial(&proxy.endpoint).await.map_err(at_proxy)?;
        let mut stream = Stream::plain(dialled);
        if proxy.kind == ProxyKind::Https {
            let encrypted = self.encrypt(stream, &proxy.endpoint, Alpn::None).await;
            stream = encrypted.map_err(at_proxy)?;
        }
        let opening = async {
            match proxy.kind {
                ProxyKind::Socks5 => socks::open(&mut stream, proxy, target).await,
                ProxyKind::Http | ProxyKind::Https if is_encrypted => {
                    tunnel::open(&mut stream, proxy, target).await
                }
                ProxyKind::Http | ProxyKind::Https => Ok(()),
            }
        };
        let Ok(opened) = timeout(PROXY_TIMEOUT, opening).await else {
            let text = format!("the proxy {} did not answer in time", proxy.endpoint);
            return Err(Failure::unsent(text));
        };
        opened?;
        Ok((stream, proxy.kind != ProxyKind::Socks5 && !is_encrypted))
    }

    async fn encrypt(
        &self,
        stream: Stream,
        endpoint: &Endpoint,
        alpn: Alpn,
    ) -> Result<Stream, Failure> {
        let Some(config) = &self.tls else {
            return Err(Failure::unsent("the client is not prepared for TLS".to_owned()));
        };
        let mut config = Arc::clone(config);
        if alpn == Alpn::None {
            Arc::make_mut(&mut config).alpn_protocols.clear();
        }
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => tls::server_name(&endpoint.host)?,
        };
        tls::encrypt(stream, name, endpoint, config).await
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Connection>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(uri).await.map(TokioIo::new) })
    }
}
