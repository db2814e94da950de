//! The body of a request that is relayed as it arrives.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;

/// The body of a relayed request. The Mutex makes it `Sync`, as the HTTP client requires.
pub(super) struct Upload(Mutex<Body>);

impl Upload {
    pub(super) fn new(body: Body) -> Self {
        Self(Mutex::new(body))
    }
}

impl hyper::body::Body for Upload {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let body = self.get_mut().0.get_mut();
        Pin::new(body).poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().size_hint()
    }
}
