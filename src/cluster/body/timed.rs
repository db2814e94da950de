//! Time limits for the body of a reply. Without them, a body could arrive byte by byte without an end.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

type BoxError = Box<dyn Error + Send + Sync>;

/// The time limits of a body; `None` where there is no limit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TimeLimits {
    /// The time at which the body must have ended.
    pub end: Option<Instant>,
    /// The longest time between two frames.
    pub idle: Option<Duration>,
}

impl TimeLimits {
    /// The body must end within this time.
    pub fn whole(limit: Duration) -> Self {
        Self { end: Some(Instant::now() + limit), idle: None }
    }
}

/// A body that ends with an error when a time limit passes.
pub(crate) struct TimedBody<B> {
    inner: Pin<Box<B>>,
    /// Runs until the next limit.
    timer: Option<Pin<Box<Sleep>>>,
    limits: TimeLimits,
}

impl<B> TimedBody<B> {
    pub fn new(inner: B, limits: TimeLimits) -> Self {
        let mut body = Self { inner: Box::pin(inner), timer: None, limits };
        body.timer = body.next_limit().map(|at| Box::pin(sleep_until(at)));
        body
    }

    fn next_limit(&self) -> Option<Instant> {
        let idle = self.limits.idle.map(|idle| Instant::now() + idle);
        [self.limits.end, idle].into_iter().flatten().min()
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for TimedBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(timer) = &mut self.timer
            && timer.as_mut().poll(context).is_ready()
        {
            let error = io::Error::new(io::ErrorKind::TimedOut, "the body did not end in time");
            return Poll::Ready(Some(Err(error.into())));
        }
        let frame = self.inner.as_mut().poll_frame(context);
        let body = &mut *self;
        if frame.is_ready()
            && body.limits.idle.is_some()
            && let (Some(at), Some(timer)) = (body.next_limit(), &mut body.timer)
        {
            timer.as_mut().reset(at);
        }
        frame.map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};
    use tokio::time::sleep;

    use super::*;

    /// A body with `count` bytes, one in each second.
    fn dripping(count: usize) -> impl Body<Data = Bytes, Error = Infallible> {
        let bytes = stream::unfold(0, move |sent| async move {
            sleep(Duration::from_secs(1)).await;
            (sent < count).then(|| (Ok(Frame::data(Bytes::from_static(b"x"))), sent + 1))
        });
        StreamBody::new(Box::pin(bytes))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_ends_at_the_limit() {
        let limits = || TimeLimits::whole(Duration::from_secs(60));
        let whole = TimedBody::new(dripping(50), limits()).collect().await.unwrap();
        assert_eq!(whole.to_bytes().len(), 50);
        let error = TimedBody::new(dripping(usize::MAX), limits()).collect().await.unwrap_err();
        assert_eq!(error.to_string(), "the body did not end in time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_of_a_body_has_its_own_limit() {
        let idle = |ms| TimeLimits { idle: Some(Duration::from_millis(ms)), end: None };
        let whole = TimedBody::new(dripping(50), idle(1500)).collect().await.unwrap();
        assert_eq!(whole.to_bytes().len(), 50);
        assert!(TimedBody::new(dripping(50), idle(500)).collect().await.is_err());
    }
}
