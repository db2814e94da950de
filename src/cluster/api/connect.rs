//! Counts the connections that were opened, and measures how long opening took.
//!
//! A PATCH without a connection was certainly not applied. The HTTP library reports only a timeout
//! when the time of the whole request ends while it connects.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tower_layer::Layer;
use tower_service::Service;

/// Counts the connections of one client. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<Mutex<ConnectionStats>>);

/// The number of connections that were opened, and the time of the last one (TCP and TLS).
#[derive(Debug, Clone, Copy, Default)]
pub struct ConnectionStats {
    /// The number since the client was created.
    pub count: usize,
    /// The time that opening the last one took.
    pub took: Duration,
}

impl Connections {
    /// The current numbers.
    pub fn stats(&self) -> ConnectionStats {
        *self.0.lock()
    }

    fn add(&self, took: Duration) {
        let mut stats = self.0.lock();
        *stats = ConnectionStats { count: stats.count + 1, took };
    }
}

impl<S> Layer<S> for Connections {
    type Service = CountingConnector<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CountingConnector { inner, connections: self.clone() }
    }
}

/// A connector that reports to [`Connections`].
#[derive(Debug, Clone)]
pub struct CountingConnector<S> {
    inner: S,
    connections: Connections,
}

impl<S, Destination> Service<Destination> for CountingConnector<S>
where
    S: Service<Destination>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, destination: Destination) -> Self::Future {
        let (started, connections) = (Instant::now(), self.connections.clone());
        let connecting = self.inner.call(destination);
        Box::pin(async move {
            let connection = connecting.await?;
            connections.add(started.elapsed());
            Ok(connection)
        })
    }
}
