//! A time limit for the whole body of an answer. Locust's body may arrive byte by byte for ever.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A body that must end within a time limit. After it, the body ends with an error.
pub(super) struct TimedBody<B> {
    body: B,
    end: Pin<Box<Sleep>>,
}

impl<B> TimedBody<B> {
    pub(super) fn new(body: B, limit: Duration) -> Self {
        Self { body, end: Box::pin(sleep(limit)) }
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin> Body for TimedBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err("the body did not end in time".into())));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    /// A body with `count` bytes, one in each second.
    fn dripping(count: usize) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        let bytes = stream::unfold(0, move |sent| async move {
            sleep(Duration::from_secs(1)).await;
            (sent < count).then(|| (Ok(Frame::data(Bytes::from_static(b"x"))), sent + 1))
        });
        StreamBody::new(Box::pin(bytes))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_ends_at_the_limit() {
        let limit = Duration::from_secs(60);
        let whole = TimedBody::new(dripping(50), limit).collect().await.unwrap();
        assert_eq!(whole.to_bytes().len(), 50);
        let error = TimedBody::new(dripping(usize::MAX), limit).collect().await.unwrap_err();
        assert_eq!(error.to_string(), "the body did not end in time");
    }
}
