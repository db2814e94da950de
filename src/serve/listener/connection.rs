//! One connection, from the handshake to its end.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::pin::{Pin, pin};

use axum::Router;
use axum::body::Body;
use axum::http::header::EXPECT;
use axum::response::Response;
use hyper::Request;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use super::super::caller::Peer;
use super::activity::{Activity, Exchange};
use super::limits::Limits;
use super::slow::{TimedBody, WriteTimeout};
use super::tls;

/// Limit on the size of all headers of one request, in bytes.
const MAX_HEAD: usize = 32 * 1024;

/// Concurrent requests on one HTTP/2 connection.
const MAX_STREAMS: u32 = 100;

/// Bytes of the bodies that a client may send ahead on one HTTP/2 connection: the smallest number that HTTP/2
/// allows (RFC 9113, 6.9.2).
const MAX_UNREAD: u32 = 65_535;

/// Bytes of an answer on HTTP/2 that wait for the client.
const MAX_UNSENT: usize = 64 * 1024;

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// The answer to plain HTTP on a TLS port.
const HTTPS_REQUIRED: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
Content-Length: 34\r\nConnection: close\r\n\r\nThis port speaks HTTPS, not HTTP.\n";

/// An accepted connection that is not served yet.
pub(super) struct Connection {
    pub peer: SocketAddr,
    pub app: Router,
    pub acceptor: Option<TlsAcceptor>,
    pub limits: Limits,
    pub activity: Activity,
    /// Turns true when the server stops.
    pub is_stopping: watch::Receiver<bool>,
}

impl Connection {
    /// Serves all requests of the connection. Connection errors are ignored: they concern the client.
    pub(super) async fn serve(mut self, mut stream: TcpStream) {
        // Without it, Nagle's algorithm and delayed acknowledgements add 40 ms to many answers.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = &self.acceptor else {
            return self.http1(stream, false).await;
        };
        let shaken = timeout(self.limits.handshake, async {
            let mut first = [0];
            if stream.peek(&mut first).await.ok()? == 1 && first != [HANDSHAKE] {
                let _ = stream.write_all(HTTPS_REQUIRED).await;
                let _ = stream.shutdown().await;
                return None;
            }
            acceptor.accept(stream).await.ok()
        });
        let shaken = tokio::select! {
            shaken = shaken => shaken,
            () = stopping(&mut self.is_stopping) => return,
            () = self.activity.evicted() => return,
        };
        let Ok(Some(stream)) = shaken else { return };
        match stream.get_ref().1.alpn_protocol() == Some(tls::HTTP2) {
            true => self.http2(stream).await,
            false => self.http1(stream, true).await,
        }
    }

    async fn http1(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        is_tls: bool,
    ) {
        let Self { peer, app, limits, activity, is_stopping, .. } = self;
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(limits.head);
        builder.max_buf_size(MAX_HEAD);
        let peer = Peer { address: peer, is_tls };
        let service = service_fn(|request| {
            let exchange = activity.begin();
            answer(app.clone(), peer, limits, exchange, request)
        });
        let stream = TokioIo::new(WriteTimeout::new(stream, limits.stalled));
        let connection = builder.serve_connection(stream, service);
        let shutdown = http1::Connection::graceful_shutdown;
        // The header read timeout also limits the idle time.
        let closer = GracefulClose { shutdown, limits, is_stopping };
        closer.serve(connection, &activity, pending()).await;
    }

    async fn http2(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self { peer, app, limits, activity, is_stopping, .. } = self;
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS);
        builder.max_header_list_size(MAX_HEAD as u32);
        builder.initial_connection_window_size(MAX_UNREAD).initial_stream_window_size(MAX_UNREAD);
        builder.max_send_buf_size(MAX_UNSENT);
        // Detects clients that vanished without closing the connection.
        builder.keep_alive_interval(limits.stalled).keep_alive_timeout(limits.head);
        let peer = Peer { address: peer, is_tls: true };
        let service = service_fn(|request| {
            let exchange = activity.begin();
            answer(app.clone(), peer, limits, exchange, request)
        });
        let stream = TokioIo::new(WriteTimeout::new(stream, limits.stalled));
        let connection = builder.serve_connection(stream, service);
        let shutdown = http2::Connection::graceful_shutdown;
        let closer = GracefulClose { shutdown, limits, is_stopping };
        // Only requests count as activity. Answers to pings do not.
        let idle = activity.idle(|state| match (state.has_requests, state.open) {
            (false, _) => limits.head,
            (true, 0) => limits.idle,
            (true, _) => limits.stalled,
        });
        closer.serve(connection, &activity, idle).await;
    }
}

/// Closes a connection gracefully: it accepts no further request, and running answers finish.
struct GracefulClose<F> {
    shutdown: F,
    limits: Limits,
    is_stopping: watch::Receiver<bool>,
}

impl<F> GracefulClose<F> {
    /// Serves a connection until it ends. It is closed when `idle` completes or the server stops.
    async fn serve<C: Future>(
        mut self,
        connection: C,
        activity: &Activity,
        idle: impl Future<Output = ()>,
    ) where
        F: Fn(Pin<&mut C>),
    {
        let mut connection = pin!(connection);
        let is_evicted = tokio::select! {
            _ = &mut connection => return,
            () = activity.evicted() => true,
            () = idle => false,
            () = stopping(&mut self.is_stopping) => false,
        };
        (self.shutdown)(connection.as_mut());
        if is_evicted {
            // Another connection needs the room now. This one is polled once more, to send GOAWAY, and then dropped.
            tokio::select! {
                biased;
                _ = connection => {}
                () = std::future::ready(()) => {}
            }
            return;
        }
        let Limits { close, stalled, .. } = self.limits;
        // A client that does not take part in the close, or reads nothing, must not delay the end.
        let timeout = activity.idle(|state| if state.open == 0 { close } else { stalled });
        tokio::select! {
            _ = connection => {}
            () = timeout => {}
        }
    }
}

async fn stopping(is_stopping: &mut watch::Receiver<bool>) {
    // A dropped sender means that the server has ended.
    let _ = is_stopping.wait_for(|is_stopping| *is_stopping).await;
}

async fn answer(
    mut app: Router,
    peer: Peer,
    limits: Limits,
    exchange: Exchange,
    mut request: Request<Incoming>,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(peer);
    // A client that sends `Expect` waits for the answer before it sends the body.
    let waits = request.headers().contains_key(EXPECT);
    let mut unread = None;
    let request = request.map(|body| match body.is_end_stream() {
        true => Body::empty(),
        false => {
            let (body, left) = TimedBody::new(body, limits.body);
            unread = Some(left).filter(|_| !waits);
            Body::new(body)
        }
    });
    let response = app.call(request).await?;
    // If the answer comes before the whole body was sent, hyper resets the stream or closes the
    // connection. Some clients, such as curl 7.88, then do not show the answer.
    if let Some(unread) = unread.and_then(|mut left| left.try_recv().ok()) {
        unread.drain(limits.drained).await;
    }
    Ok(response.map(|body| exchange.follow(body)))
}
