//! The accept loop, with limits on the number of connections and on slow clients.

mod activity;
mod connection;
mod limits;
mod permits;
mod slow;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

pub use self::tls::TlsFiles;

use self::activity::Activity;
use self::connection::Connection;
use self::limits::{LIMITS, Limits, max_descriptors};
use self::permits::Permits;
use super::log::log;

/// Size of the kernel's send buffer of each connection, in bytes. A small buffer makes a viewer
/// that reads nothing noticeable soon.
const SEND_BUFFER: u32 = 64 * 1024;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A bound address, and how to serve connections there.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<tls::Identity>>,
    limits: Limits,
}

impl Listener {
    /// Binds to the address, and reads the certificate and the key. If one of them is a pipe, it waits for the
    /// writer, but the thread does not.
    ///
    /// # Errors
    /// The address cannot be bound, or the files cannot be read or do not belong together.
    pub async fn bind(address: SocketAddr, tls: Option<TlsFiles>) -> Result<Self> {
        let tls = match tls {
            Some(files) => {
                let load = tokio::task::spawn_blocking(|| tls::Identity::load(files));
                Some(Arc::new(load.await.context("reading the certificate")??))
            }
            None => None,
        };
        let listener = listen(address).with_context(|| {
            format!("listening on {address} (use --listen=ADDRESS:PORT to choose another)")
        })?;
        let address = listener.local_addr().context("reading the port")?;
        let limits = LIMITS.within(max_descriptors(), 1);
        Ok(Self { listener, address, tls, limits })
    }

    /// Leaves room for a connection to Locust beside each connection of a client.
    pub fn for_relay(self) -> Self {
        Self { limits: LIMITS.within(max_descriptors(), 2), ..self }
    }

    /// The bound address, with the real port if port 0 was requested.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves requests with `app` until `stop` completes. Then it accepts no more connections and
    /// gives running answers 10 seconds to finish. Each request has a [`super::caller::Peer`] in
    /// its extensions.
    pub async fn run(self, app: Router, stop: impl Future<Output = ()>) {
        let (stopping, is_stopping) = watch::channel(false);
        let permits = Permits::new(self.limits.connections, self.limits.per_address);
        let acceptor = self.tls.as_ref().map(tls::acceptor);
        let mut stop = std::pin::pin!(stop);
        loop {
            let (stream, peer) = tokio::select! {
                accepted = self.accept() => accepted,
                () = &mut stop => break,
            };
            let activity = Activity::new();
            let Some(permit) = permits.acquire(peer.ip(), &activity) else { continue };
            let connection = Connection {
                peer,
                app: app.clone(),
                acceptor: acceptor.clone(),
                limits: self.limits,
                activity,
                is_stopping: is_stopping.clone(),
            };
            tokio::spawn(async move {
                connection.serve(stream).await;
                drop(permit);
            });
            // An evicted connection closes before the next one is accepted.
            tokio::task::yield_now().await;
        }
        drop((self.listener, is_stopping));
        stopping.send_replace(true);
        // Each open connection holds a receiver.
        if timeout(self.limits.shutdown, stopping.closed()).await.is_err() {
            log("some answers did not finish in time; their connections are closed");
        }
    }

    async fn accept(&self) -> (TcpStream, SocketAddr) {
        let mut is_logged = false;
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => {
                    // The usual cause is a lack of file descriptors, which passes.
                    if !std::mem::replace(&mut is_logged, true) {
                        log(&format!("cannot accept connections for now: {error}"));
                    }
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Allows a restart on the same port while old connections are in TIME_WAIT.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit the size.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests;
