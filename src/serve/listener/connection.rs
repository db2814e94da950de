//! One connection, from the handshake to its end.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::Request;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use super::super::caller::Peer;
use super::Limits;
use super::slow::{Impatient, Timely};
use super::tls;

/// All headers of one request together.
const LARGEST_HEAD: usize = 32 * 1024;

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
    pub watcher: Watcher,
}

impl Visit {
    /// Answers everything that is asked on this connection. That it breaks is the client's affair.
    pub(super) async fn serve(self, mut stream: TcpStream) {
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
        let Ok(Some(stream)) = shaken.await else { return };
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
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(self.limits.head);
        builder.max_buf_size(LARGEST_HEAD);
        let (peer, limits) = (Peer { address: self.peer, is_tls }, self.limits);
        let service = service_fn(move |request| answer(self.app.clone(), peer, limits, request));
        let stream = TokioIo::new(Impatient::new(stream, limits.stalled));
        let _ = self.watcher.watch(builder.serve_connection(stream, service)).await;
    }

    async fn http2(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).max_concurrent_streams(MOST_STREAMS);
        builder.max_header_list_size(LARGEST_HEAD as u32);
        // A client that has gone without a word is found out.
        builder.keep_alive_interval(self.limits.stalled).keep_alive_timeout(self.limits.head);
        let (peer, limits) = (Peer { address: self.peer, is_tls: true }, self.limits);
        let service = service_fn(move |request| answer(self.app.clone(), peer, limits, request));
        let stream = TokioIo::new(Impatient::new(stream, limits.stalled));
        let _ = self.watcher.watch(builder.serve_connection(stream, service)).await;
    }
}

async fn answer(
    mut app: Router,
    peer: Peer,
    limits: Limits,
    mut request: Request<Incoming>,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(peer);
    let request = request.map(|body| match body.is_end_stream() {
        true => Body::empty(),
        false => Body::new(Timely::new(body, limits.body)),
    });
    app.call(request).await
}
