//! Knows whether a connection was ever opened, and how long that took.
//!
//! A PATCH that found no connection was certainly not applied; the HTTP library does not say so
//! itself when the time for the whole request runs out while it connects.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tower_layer::Layer;
use tower_service::Service;

/// Counts the connections of one client; clones share the count.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<Mutex<Opened>>);

/// How many connections were opened, and how long the last one took (TCP and TLS).
#[derive(Debug, Clone, Copy, Default)]
pub struct Opened {
    /// Since the client was made.
    pub count: usize,
    /// Of the last one.
    pub took: Duration,
}

impl Connections {
    /// The state right now.
    pub fn opened(&self) -> Opened {
        *self.0.lock()
    }

    fn add(&self, took: Duration) {
        let mut opened = self.0.lock();
        *opened = Opened { count: opened.count + 1, took };
    }
}

impl<S> Layer<S> for Connections {
    type Service = Counting<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Counting { inner, connections: self.clone() }
    }
}

/// A connector that reports to [`Connections`].
#[derive(Debug, Clone)]
pub struct Counting<S> {
    inner: S,
    connections: Connections,
}

impl<S, Destination> Service<Destination> for Counting<S>
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
