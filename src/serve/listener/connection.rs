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
use super::Limits;
use super::activity::{Activity, Exchange};
use super::slow::{Impatient, Timely};
use super::tls;

/// All headers of one request together.
const LARGEST_HEAD: usize = 32 * 1024;

/// So much of a body is taken that nobody reads: as much as anybody would.
const LARGEST_DISCARDED: usize = 16 * 1024;

/// Requests at the same time on one connection.
const MOST_STREAMS: u32 = 100;

/// What a TLS handshake begins with.
const HANDSHAKE: u8 = 0x16;

const SPEAKS_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
Content-Length: 34\r\nConnection: close\r\n\r\nThis port speaks HTTPS, not HTTP.\n";

/// Somebody who has connected.
pub(super) struct Visit {
    pub peer: SocketAddr,
    pub app: Router,
    pub acceptor: Option<TlsAcceptor>,
    pub limits: Limits,
    /// Turns true when the server is to end.
    pub is_stopping: watch::Receiver<bool>,
}

impl Visit {
    /// Answers everything that is asked on this connection. That it breaks is the client's affair.
    pub(super) async fn serve(mut self, mut stream: TcpStream) {
        // Without it, Nagle's algorithm and delayed acknowledgements add 40 ms to many answers.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = &self.acceptor else {
            return self.http1(stream, false).await;
        };
        let shaken = timeout(self.limits.handshake, async {
            let mut first = [0];
            if stream.peek(&mut first).await.ok()? == 1 && first != [HANDSHAKE] {
                let _ = stream.write_all(SPEAKS_TLS).await;
                let _ = stream.shutdown().await;
                return None;
            }
            acceptor.accept(stream).await.ok()
        });
        let shaken = tokio::select! {
            shaken = shaken => shaken,
            () = stopping(&mut self.is_stopping) => return,
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
        let Self { peer, app, limits, is_stopping, .. } = self;
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(limits.head);
        builder.max_buf_size(LARGEST_HEAD);
        let (peer, activity) = (Peer { address: peer, is_tls }, Activity::new());
        let service = service_fn(|request| {
            let exchange = activity.begin();
            answer(app.clone(), peer, limits, exchange, request)
        });
        let stream = TokioIo::new(Impatient::new(stream, limits.stalled));
        let connection = builder.serve_connection(stream, service);
        let farewell = Farewell { say: http1::Connection::graceful_shutdown, limits, is_stopping };
        // The time for the next head has the same end.
        farewell.attend(connection, &activity, pending()).await;
    }

    async fn http2(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self { peer, app, limits, is_stopping, .. } = self;
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).max_concurrent_streams(MOST_STREAMS);
        builder.max_header_list_size(LARGEST_HEAD as u32);
        // A client that has gone without a word is found out.
        builder.keep_alive_interval(limits.stalled).keep_alive_timeout(limits.head);
        let (peer, activity) = (Peer { address: peer, is_tls: true }, Activity::new());
        let service = service_fn(|request| {
            let exchange = activity.begin();
            answer(app.clone(), peer, limits, exchange, request)
        });
        let stream = TokioIo::new(Impatient::new(stream, limits.stalled));
        let connection = builder.serve_connection(stream, service);
        let farewell = Farewell { say: http2::Connection::graceful_shutdown, limits, is_stopping };
        // Nothing that a client says of itself, as by answering pings, is a request.
        let rest = activity.rest(|state| match (state.has_begun, state.open) {
            (false, _) => limits.head,
            (true, 0) => limits.idle,
            (true, _) => limits.stalled,
        });
        farewell.attend(connection, &activity, rest).await;
    }
}

/// How a connection is ended: it takes no further request, and ends with the answers under way.
struct Farewell<F> {
    say: F,
    limits: Limits,
    is_stopping: watch::Receiver<bool>,
}

impl<F> Farewell<F> {
    /// Serves a connection until it ends, or the time that it has without a request does, or the
    /// server is to end.
    async fn attend<C: Future>(
        mut self,
        connection: C,
        activity: &Activity,
        rest: impl Future<Output = ()>,
    ) where
        F: Fn(Pin<&mut C>),
    {
        let mut connection = pin!(connection);
        tokio::select! {
            _ = &mut connection => return,
            () = rest => {}
            () = stopping(&mut self.is_stopping) => {}
        }
        (self.say)(connection.as_mut());
        let Limits { parting, stalled, .. } = self.limits;
        // A client that never says what is needed for that, or anything at all, holds up nobody.
        let silence = activity.rest(|state| if state.open == 0 { parting } else { stalled });
        tokio::select! {
            _ = connection => {}
            () = silence => {}
        }
    }
}

async fn stopping(is_stopping: &mut watch::Receiver<bool>) {
    // A server that is no more is to end, too.
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
    // Who waits for a word before it sends the body gets the answer instead.
    let waits = request.headers().contains_key(EXPECT);
    let mut unread = None;
    let request = request.map(|body| match body.is_end_stream() {
        true => Body::empty(),
        false => {
            let (body, left) = Timely::new(body, limits.body);
            unread = Some(left).filter(|_| !waits);
            Body::new(body)
        }
    });
    let response = app.call(request).await?;
    // An answer that comes before all was sent has the rest of its stream reset behind it, or the
    // connection closed: some clients, as curl 7.88, do not show it then.
    if let Some(unread) = unread.and_then(|mut left| left.try_recv().ok()) {
        unread.discard(LARGEST_DISCARDED).await;
    }
    Ok(response.map(|body| exchange.follow(body)))
}
