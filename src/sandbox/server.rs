//! The accept loop, with one task for each connection: TLS, then HTTP/2 or HTTP/1.1.

use std::{sync::Arc, time::Duration};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore, oneshot},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{
    handler::{self, Connection},
    shared::Shared,
};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the client may go on sending after a failed handshake.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// The bytes that are read after a failed handshake.
const MAX_DRAINED: u64 = 64 * 1024;
/// How long open requests may take at a shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);
/// Further connections wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 1024;

/// Accepts connections until it is told to stop, and then lets open requests end.
pub(super) async fn run(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    shared: Arc<Shared>,
    stop: oneshot::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut stop = std::pin::pin!(stop);
    let mut number = 0;
    loop {
        let accepted = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            accepted = accepted => accepted,
            _ = &mut stop => break,
        };
        let Ok((stream, _)) = accepted else {
            // The process is probably out of file descriptors. Wait until some are returned.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        number += 1;
        let (acceptor, shared, watcher) =
            (acceptor.clone(), Arc::clone(&shared), graceful.watcher());
        tokio::spawn(async move {
            serve(stream, acceptor, shared, number, watcher).await;
            drop(permit);
        });
    }
    drop(listener);
    // Watches do not end by themselves. The runtime drops the open ones.
    let _ = timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    shared: Arc<Shared>,
    number: u64,
    watcher: hyper_util::server::graceful::Watcher,
) {
    // Nagle's algorithm and delayed acknowledgements would add 40 ms to most requests.
    let _ = stream.set_nodelay(true);
    let accepted = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream).into_fallible()).await;
    let stream = match accepted {
        Ok(Ok(stream)) => stream,
        Ok(Err((_, stream))) => return drain(stream).await,
        Err(_) => return,
    };
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates.and_then(|chain| chain.first()).map(|leaf| leaf.to_vec());
    let server_name = stream.get_ref().1.server_name().map(str::to_owned);
    let connection = Arc::new(Connection { number, kill: Notify::new(), certificate, server_name });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(60));
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(250);
    let for_requests = Arc::clone(&connection);
    let service = service_fn(move |request| {
        handler::serve(Arc::clone(&shared), Arc::clone(&for_requests), request)
    });
    let serving =
        watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
    tokio::select! {
        // Only the client is affected by a broken connection.
        _ = serving => {}
        () = connection.kill.notified() => {}
    }
}

/// Closes a connection after a failed handshake, and reads the rest that the client sends. Otherwise the
/// kernel resets the connection, and the client may not see the TLS alert.
async fn drain(mut stream: TcpStream) {
    let rest = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut (&mut stream).take(MAX_DRAINED), &mut tokio::io::sink()).await
    };
    let _ = timeout(DRAIN_TIMEOUT, rest).await;
}
