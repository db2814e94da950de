//! Time limits for clients that send a body, or read an answer, too slowly.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

/// A request's body that must arrive within a time limit.
pub(super) struct TimedBody {
    unread: Option<UnreadBody>,
    /// Receives the rest of the body if the body is dropped before its end.
    left: Option<oneshot::Sender<UnreadBody>>,
}

/// The rest of a body that was not read to its end.
pub(super) struct UnreadBody {
    body: Incoming,
    /// Bytes received so far.
    received: usize,
    end: Pin<Box<Sleep>>,
}

impl TimedBody {
    /// Also returns a receiver. It gets the rest of the body if the body is dropped before its end.
    pub(super) fn new(body: Incoming, limit: Duration) -> (Self, oneshot::Receiver<UnreadBody>) {
        let (left, unread) = oneshot::channel();
        let body = UnreadBody { body, received: 0, end: Box::pin(sleep(limit)) };
        (Self { unread: Some(body), left: Some(left) }, unread)
    }
}

impl Drop for TimedBody {
    fn drop(&mut self) {
        let unread = self.unread.take().filter(|unread| !unread.body.is_end_stream());
        if let (Some(unread), Some(left)) = (unread, self.left.take()) {
            // The receiver may be gone.
            let _ = left.send(unread);
        }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(unread) = &mut self.unread else { return Poll::Ready(None) };
        let frame = ready!(unread.poll_frame(context));
        // After an error or the end there is no rest to drain.
        if !matches!(frame, Some(Ok(_))) {
            self.unread = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.unread.as_ref().is_none_or(|unread| unread.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.unread.as_ref().map_or(SizeHint::with_exact(0), |unread| unread.body.size_hint())
    }
}

impl UnreadBody {
    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            if let Some(Ok(frame)) = &frame {
                self.received += frame.data_ref().map_or(0, Bytes::len);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.end.as_mut().poll(context));
        Poll::Ready(Some(Err("the body did not arrive in time".into())))
    }

    /// Reads and discards the rest, unless the whole body is larger than `most` bytes.
    pub(super) async fn drain(mut self, most: usize) {
        let fits = |unread: &Self| {
            let rest = usize::try_from(unread.body.size_hint().lower()).unwrap_or(usize::MAX);
            unread.received.saturating_add(rest) <= most
        };
        while fits(&self) {
            if !matches!(poll_fn(|context| self.poll_frame(context)).await, Some(Ok(_))) {
                return;
            }
        }
    }
}

/// A stream that fails with a timeout if the peer reads nothing for `limit`.
pub(super) struct WriteTimeout<S> {
    stream: S,
    limit: Duration,
    /// Runs while a write is pending.
    end: Option<Pin<Box<Sleep>>>,
}

impl<S> WriteTimeout<S> {
    pub(super) fn new(stream: S, limit: Duration) -> Self {
        Self { stream, limit, end: None }
    }

    /// Starts the time limit when a write is pending, and clears it when a write completes.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.end = None;
            return written;
        }
        let limit = self.limit;
        let end = self.end.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(end.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch(context, ended)
    }
}
