//! The accept loop: how many connections there may be, and how slow they may be.

mod activity;
mod connection;
mod room;
mod slow;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use self::connection::Visit;
use self::room::Room;
use super::log::log;

/// Certificate and key of a server.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

/// What is kept back for one connection by the system: a viewer that reads nothing shows soon.
const SEND_BUFFER: u32 = 64 * 1024;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// How much, and how slow, a client may be.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Connections at the same time.
    connections: usize,
    /// Of them from one address: a proxy is one address, too, but nobody may take all.
    per_address: usize,
    /// For the TLS handshake.
    handshake: Duration,
    /// For the head of a request, also of the next one on the same connection of HTTP/1.
    head: Duration,
    /// For the next request on a connection of HTTP/2. There browsers keep one open on purpose.
    idle: Duration,
    /// For the body of a request.
    body: Duration,
    /// Without taking anything of an answer.
    stalled: Duration,
    /// For what a client has to say when its connection is to end.
    parting: Duration,
    /// For running answers at the end.
    ending: Duration,
}

const LIMITS: Limits = Limits {
    connections: 1024,
    per_address: 900,
    handshake: Duration::from_secs(10),
    head: Duration::from_secs(10),
    idle: Duration::from_secs(60),
    body: Duration::from_secs(30),
    stalled: Duration::from_secs(30),
    parting: Duration::from_secs(1),
    ending: Duration::from_secs(10),
};

/// A server's address, bound, and how to speak there.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<tls::Identity>>,
    limits: Limits,
}

impl Listener {
    /// Binds to the address, and reads the certificate and the key.
    ///
    /// # Errors
    /// An address that cannot be had; files that cannot be read, or do not fit together.
    pub async fn bind(address: SocketAddr, tls: Option<Tls>) -> Result<Self> {
        let tls = tls.map(tls::Identity::load).transpose()?.map(Arc::new);
        let listener = listen(address).with_context(|| {
            format!("listening on {address} (another address or port: --listen=ADDRESS:PORT)")
        })?;
        let address = listener.local_addr().context("reading the port")?;
        Ok(Self { listener, address, tls, limits: LIMITS })
    }

    /// Where it listens; the port is the real one where any was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers by `app` until `stop` ends; then no new connection is taken, and answers under way
    /// may end, within 10 seconds. Each request has a [`super::caller::Peer`] in its extensions.
    pub async fn run(self, app: Router, stop: impl Future<Output = ()>) {
        let (stopping, is_stopping) = watch::channel(false);
        let room = Room::new(self.limits.connections, self.limits.per_address);
        let acceptor = self.tls.as_ref().map(tls::acceptor);
        let mut stop = std::pin::pin!(stop);
        loop {
            let (stream, peer) = tokio::select! {
                accepted = self.accept() => accepted,
                () = &mut stop => break,
            };
            let Some(place) = room.enter(peer.ip()) else { continue };
            let visit = Visit {
                peer,
                app: app.clone(),
                acceptor: acceptor.clone(),
                limits: self.limits,
                is_stopping: is_stopping.clone(),
            };
            tokio::spawn(async move {
                visit.serve(stream).await;
                drop(place);
            });
        }
        drop((self.listener, is_stopping));
        stopping.send_replace(true);
        // Each visit has a receiver.
        if timeout(self.limits.ending, stopping.closed()).await.is_err() {
            log("some answers had not ended in time and are broken off");
        }
    }

    async fn accept(&self) -> (TcpStream, SocketAddr) {
        let mut is_told = false;
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: some will be returned.
                    if !std::mem::replace(&mut is_told, true) {
                        log(&format!("no connection can be taken for now: {error}"));
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
    // A port that was ours a moment ago can be ours again.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // Connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests;
