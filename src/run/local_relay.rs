//! A relay on loopback to a Locust that only the API server reaches, like `kubectl port-forward`.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, LOCATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::{HeaderMap, Request, Response, StatusCode};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use reqwest::Body;
use tokio::net::{TcpListener, TcpStream};

use crate::cluster::api::Client;
use crate::locust::{Address, Content, Login, Outgoing, Relay, Route};
use crate::text::terminal::printable;

/// Maximum size of a request's body, in bytes. Locust's forms have a few hundred bytes.
const MAX_BODY: usize = 1024 * 1024;

/// Headers of one connection (RFC 9110, 7.6.1), and those that the HTTP client sets itself.
const OF_THE_CONNECTION: [HeaderName; 8] =
    [CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// The relay. It listens from the start, and answers while [`LocalRelay::serve`] is polled.
pub struct LocalRelay<'a> {
    listener: TcpListener,
    address: SocketAddr,
    relay: Relay,
    client: &'a Client,
    route: Route,
}

impl<'a> LocalRelay<'a> {
    /// Listens on a free port of 127.0.0.1. Returns `None` if the address needs no relay.
    ///
    /// # Errors
    /// The port cannot be opened, or the HTTP client cannot be made.
    pub async fn start(
        address: &Address,
        client: &'a Client,
        namespace: &str,
        login: &Login,
    ) -> anyhow::Result<Option<Self>> {
        let Some(route @ Route::Proxied { .. }) = Route::new(address, namespace) else {
            return Ok(None);
        };
        let relay = Relay::new(address, login).map_err(anyhow::Error::msg)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.context("opening a port on 127.0.0.1")?;
        let address = listener.local_addr()?;
        Ok(Some(Self { listener, address, relay, client, route }))
    }

    /// The URL of Locust's page on the relay.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.route.base_path())
    }

    /// Answers requests. Never ends.
    pub async fn serve(&self) {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => connections.push(self.connection(stream)),
                    // The limit of open files may be reached.
                    Err(_) => tokio::time::sleep(super::patience::PAUSE).await,
                },
                Some(()) = connections.next() => {}
            }
        }
    }

    async fn connection(&self, stream: TcpStream) {
        let service =
            service_fn(|request| async move { Ok::<_, Infallible>(self.answer(request).await) });
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new());
        // The client may break the connection at any time.
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if !self.is_own_host(request.headers()) {
            return text(
                StatusCode::MISDIRECTED_REQUEST,
                "The Host header names another server.\n",
            );
        }
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
            return text(StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 1 MB.\n");
        };
        let mut headers = parts.headers;
        OF_THE_CONNECTION.iter().for_each(|name| drop(headers.remove(name)));
        let outgoing = Outgoing {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers,
            content: Content::Whole(body.to_bytes()),
        };
        match self.relay.send(self.client, &self.route, outgoing).await {
            Ok(mut response) => {
                self.adapt(response.headers_mut());
                response
            }
            Err(error) => {
                let detail = printable(&format!("Locust does not answer: {error}\n"));
                text(StatusCode::BAD_GATEWAY, &detail)
            }
        }
    }

    /// A page of another site can resolve its own name to 127.0.0.1 (DNS rebinding).
    fn is_own_host(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let port = self.address.port();
        host == self.address.to_string() || host == format!("localhost:{port}")
    }

    /// Removes the headers of the other connection. A redirect to the path of the API server's proxy leads to
    /// the relay.
    fn adapt(&self, headers: &mut HeaderMap) {
        OF_THE_CONNECTION.iter().filter(|name| **name != CONTENT_LENGTH).for_each(|name| {
            headers.remove(name);
        });
        let Route::Proxied { prefix, .. } = &self.route else { return };
        let to = headers.get(LOCATION).and_then(|to| to.to_str().ok());
        let own = to.and_then(|to| Some(format!("/{}", to.split_once(prefix.as_str())?.1)));
        if let Some(own) = own.and_then(|own| HeaderValue::from_str(&own).ok()) {
            headers.insert(LOCATION, own);
        }
    }
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::wrap(Full::new(Bytes::from(text.to_owned()))));
    *response.status_mut() = status;
    response
}
