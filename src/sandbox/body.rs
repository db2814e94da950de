//! Response bodies: whole bodies, streams of watch events, and broken bodies for faults.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{sync::mpsc, time::Sleep};

/// The body of a response.
#[derive(Debug)]
pub(super) enum Body {
    Whole(Bytes),
    /// A stream of lines.
    Lines(mpsc::Receiver<Bytes>),
    /// A stream of lines that is held back until a time.
    LinesAfter {
        lines: mpsc::Receiver<Bytes>,
        begin: Pin<Box<Sleep>>,
    },
    /// A stream of lines that ends at a time. With `breaks` it ends with half a line and an error.
    LinesUntil {
        lines: mpsc::Receiver<Bytes>,
        end: Pin<Box<Sleep>>,
        breaks: bool,
    },
    /// The first part of a body, and then an error. `Content-Length` announces the whole body.
    Cut {
        first: Bytes,
        whole: u64,
        failed: bool,
    },
    /// This many bytes of filling.
    Filler(u64),
}

const FILLING: Bytes = Bytes::from_static(&[b' '; 16 * 1024]);

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let some = |data: Bytes| Poll::Ready(Some(Ok(Frame::data(data))));
        let this = self.get_mut();
        match this {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => some(std::mem::take(bytes)),
            Self::Lines(lines) => {
                lines.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line))))
            }
            Self::LinesAfter { lines, begin } => {
                if !begin.is_elapsed() {
                    std::task::ready!(begin.as_mut().poll(context));
                }
                lines.poll_recv(context).map(|line| line.map(|line| Ok(Frame::data(line))))
            }
            Self::LinesUntil { lines, end, breaks } => {
                if end.as_mut().poll(context).is_pending() {
                    return lines
                        .poll_recv(context)
                        .map(|line| line.map(|line| Ok(Frame::data(line))));
                }
                lines.close();
                match std::mem::take(breaks) {
                    true => {
                        let first = Bytes::new();
                        *this = Self::Cut { first, whole: 0, failed: false };
                        some(Bytes::from_static(b"{\"type\":\"MODI"))
                    }
                    false => Poll::Ready(None),
                }
            }
            Self::Cut { first, .. } if !first.is_empty() => some(std::mem::take(first)),
            Self::Cut { failed, .. } => {
                if std::mem::replace(failed, true) {
                    return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionReset))));
                }
                // Wait one turn, so that the first part is written before the stream breaks.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Self::Filler(0) => Poll::Ready(None),
            Self::Filler(left) => {
                let size = FILLING.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= size as u64;
                some(FILLING.slice(..size))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Cut { first, whole, .. } if !first.is_empty() => SizeHint::with_exact(*whole),
            _ => SizeHint::default(),
        }
    }
}
