//! HTTP/1.1 and HTTP/2 to one server. Requests that the server has certainly not processed are
//! sent again, as Go's `http2.Transport` does.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use hyper::body::Body as HttpBody;
use hyper::http::header::PROXY_AUTHORIZATION;
use hyper::http::{Request, Response, request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::Body;
use tokio::time::{Instant, sleep, timeout_at};
use tower_http::decompression::Decompression;
use tower_service::Service;

use super::Failure;
use super::connect::{Connections, Connector};
use crate::cluster::body::{TimeLimits, TimedBody};

/// The time after which an idle connection is closed, as in Go.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The limits for the headers of a reply. Go reads 10 MiB, and any number of fields.
const MAX_HEADER_FIELDS: usize = 2_000;
const MAX_HEADER_SIZE: u32 = 1024 * 1024;

/// The number of times that a request is sent again, as in Go.
const MAX_RESENDS: u32 = 7;

type BoxError = Box<dyn Error + Send + Sync>;

/// The client for one server.
pub struct HttpClient {
    service: Decompression<Client<Connector, Body>>,
    connector: Connector,
}

/// A request that can be sent several times.
pub struct HttpRequest<'a> {
    pub head: request::Parts,
    pub body: RequestBody,
    pub limit: Limit,
    /// The server's `host:port` as configured, for messages.
    pub authority: &'a str,
    /// Is called when the server has certainly not processed the request.
    pub on_resend: &'a (dyn Fn(Resend) + Sync),
}

/// The body of a request.
pub enum RequestBody {
    Whole(Bytes),
    /// Is sent as it arrives, and only once.
    Streamed(Body),
}

/// The time limit of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    None,
    /// The limit for the whole exchange, including the body of the reply.
    Whole(Duration),
    /// The longest time without a byte from the server.
    Idle(Duration),
}

impl From<Option<Duration>> for Limit {
    fn from(whole: Option<Duration>) -> Self {
        whole.map_or(Self::None, Self::Whole)
    }
}

/// A step in sending a request again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resend {
    /// The client waits for this time.
    Pause(Duration),
    /// The client sends the request.
    Sending,
}

/// The settings of a client.
#[derive(Debug, Clone, Copy)]
pub struct HttpOptions {
    pub compression: Compression,
    /// The limit of idle connections to one server.
    pub max_idle: usize,
    /// The size of the buffer of an HTTP/1.1 connection, in bytes. It is also the limit for the headers
    /// of a reply.
    pub buffer: u32,
}

impl HttpOptions {
    /// The options of a client that reads whole replies.
    pub const WHOLE_REPLIES: Self =
        Self { compression: Compression::Gzip, max_idle: usize::MAX, buffer: MAX_HEADER_SIZE };
}

/// The compression that a client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    None,
}

impl HttpClient {
    /// Prepares a client, without opening a connection.
    pub fn new(connector: Connector, options: HttpOptions) -> Self {
        let HttpOptions { compression, max_idle, buffer } = options;
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(max_idle)
            .http1_max_headers(MAX_HEADER_FIELDS)
            .http1_max_buf_size(buffer as usize)
            .http2_max_header_list_size(buffer)
            .build(connector.clone());
        let service = Decompression::new(client).no_br().no_deflate().no_zstd();
        Self { service: service.gzip(compression == Compression::Gzip), connector }
    }

    /// The counter of opened connections.
    pub fn connections(&self) -> &Connections {
        self.connector.connections()
    }

    /// Sends a request, and returns the reply while its body still arrives.
    ///
    /// # Errors
    /// No headers arrived, or not in time.
    pub async fn send(&self, mut request: HttpRequest<'_>) -> Result<reqwest::Response, Failure> {
        if let Some(login) = self.connector.forward_authorization(&request.head.uri) {
            request.head.headers.insert(PROXY_AUTHORIZATION, login);
        }
        let limit = request.limit;
        let deadline = match limit {
            Limit::None => None,
            Limit::Whole(limit) | Limit::Idle(limit) => Some(Instant::now() + limit),
        };
        let exchange = self.exchange(&mut request);
        let response = match deadline {
            Some(deadline) => timeout_at(deadline, exchange).await,
            None => Ok(exchange.await),
        };
        let has_connected = || self.connections().stats().count > 0;
        let response = match response {
            Ok(response) => response?,
            Err(_) => return Err(Failure { sent: has_connected(), ..Failure::too_slow() }),
        };
        let limits = match limit {
            Limit::Idle(idle) => TimeLimits { end: None, idle: Some(idle) },
            Limit::None | Limit::Whole(_) => TimeLimits { end: deadline, idle: None },
        };
        Ok(response.map(|body| Body::wrap(TimedBody::new(body, limits))).into())
    }

    async fn exchange(
        &self,
        request: &mut HttpRequest<'_>,
    ) -> Result<
        Response<impl HttpBody<Data = Bytes, Error = BoxError> + Send + Sync + 'static>,
        Failure,
    > {
        let mut resends = 0;
        loop {
            let before = self.connections().stats().count;
            let (body, is_repeatable) = match &mut request.body {
                RequestBody::Whole(bytes) => (Body::from(bytes.clone()), true),
                RequestBody::Streamed(body) => (std::mem::take(body), false),
            };
            let mut sent = Request::from_parts(request.head.clone(), body);
            let connection = capture_connection(&mut sent);
            let error = match self.service.clone().call(sent).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let stats = self.connections().stats();
            let is_first = stats.count > before;
            if !is_unprocessed(&error) {
                return Err(Failure::from_request(&error, request.authority, stats.count > 0));
            }
            // Without this, the closed connection may get the request again.
            if let Some(connection) = connection.connection_metadata().as_ref() {
                connection.poison();
            }
            let is_last = resends >= MAX_RESENDS || !is_repeatable;
            if is_last || (is_first && !may_resend_first_request(&error)) {
                let failure = Failure::from_request(&error, request.authority, true);
                return Err(Failure { sent: false, ..failure });
            }
            let pause = pause(resends);
            (request.on_resend)(Resend::Pause(pause));
            sleep(pause).await;
            (request.on_resend)(Resend::Sending);
            resends += 1;
        }
    }
}

/// The pause before a request is sent again: none at first, then 1 s, 2 s, 4 s … with up to 10 %
/// more.
fn pause(resends: u32) -> Duration {
    match resends {
        0 => Duration::ZERO,
        resends => Duration::from_secs(1 << (resends - 1)).mul_f64(1.0 + 0.1 * fastrand::f64()),
    }
}

/// True if the server has certainly not processed the request. That holds for the streams after the
/// last one that GOAWAY names (RFC 9113, 6.8), and for a stream that is reset with REFUSED_STREAM
/// (8.7). The HTTP/2 library reports GOAWAY only for the streams after the last one.
fn is_unprocessed(error: &(dyn Error + 'static)) -> bool {
    h2_error(error).is_some_and(|error| {
        let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
        error.is_remote() && (error.is_go_away() || is_refused)
    })
}

/// True for an error of HTTP/2, except a GOAWAY with an error code (any code but NO_ERROR). After a GOAWAY with an
/// error code, Go does not resend the first request of a connection.
fn may_resend_first_request(error: &(dyn Error + 'static)) -> bool {
    h2_error(error)
        .is_some_and(|error| !error.is_go_away() || error.reason() == Some(Reason::NO_ERROR))
}

fn h2_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a h2::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            return Some(error);
        }
        cause = error.source();
    }
    None
}
