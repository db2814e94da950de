//! Replies that are streams of lines.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::timeout;

use super::client::{Client, MAX_REPLY_SIZE, PendingReply};
use super::exchange::{Reply, Request, Timeout};
use super::{Error, Failure};
use crate::cluster::body::{Budget, Reservation, UNLIMITED};

/// The reply to a request for a stream.
pub enum StreamReply {
    /// The stream, whose lines follow.
    Lines(Box<LineStream>),
    /// A refusal, read to its end.
    Refused(Reply),
}

impl Client {
    /// Sends a request whose reply is a stream. The stream may last at most `longest`. The time limit
    /// for one request applies only until the headers arrive. After a 401, the client renews the
    /// credentials if it can, and sends the request once more.
    ///
    /// # Errors
    /// The errors of [`Client::send`].
    pub(super) async fn open(
        &self,
        request: &Request<'_>,
        longest: Duration,
    ) -> Result<StreamReply, Error> {
        let mut renewed = false;
        loop {
            let permit = self.concurrency.acquire().await;
            let limit = self.options.timeout.limit().unwrap_or(longest);
            let beginning = self.send_for_headers(request, Timeout::Never, Some(longest), &|_| {});
            let pending = timeout(limit, beginning).await;
            drop(permit);
            self.concurrency.raise_limit();
            let pending = pending.unwrap_or_else(|_| Err(Error::Failure(Failure::too_slow())))?;
            if pending.response.status().is_success() {
                return Ok(StreamReply::Lines(Box::new(LineStream::new(pending, self.budget()))));
            }
            let reply = self.read_reply(pending, request.subject).await?;
            if reply.status != 401 || renewed || !self.credentials.renew().await {
                return Ok(StreamReply::Refused(reply));
            }
            renewed = true;
        }
    }
}

/// The lines of a stream.
pub struct LineStream {
    pending: PendingReply,
    lines: LineSplitter,
}

impl LineStream {
    fn new(pending: PendingReply, budget: &'static Budget) -> Self {
        Self { pending, lines: LineSplitter::new(budget) }
    }

    /// The next line, without its line break; `None` at the end. Drops text after the last line break,
    /// because the connection ended in the middle of that line.
    ///
    /// # Errors
    /// [`Error::Failure`] when the stream breaks or nothing arrives for `idle`;
    /// [`Error::Unreadable`] for a line of more than 8 MiB.
    pub async fn next(&mut self, idle: Duration) -> Result<Option<Vec<u8>>, Error> {
        loop {
            if let Some(line) = self.lines.take() {
                return Ok(Some(line));
            }
            let chunk = match timeout(idle, self.pending.response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Ok(None),
                Ok(Err(error)) => {
                    let status = self.pending.response.status().as_u16();
                    let failure = Failure::from_body(&error, &self.pending.authority, status);
                    return Err(Error::Failure(failure));
                }
                Err(_) => return Err(Error::Failure(Failure::too_slow())),
            };
            self.lines.add(&chunk)?;
        }
    }
}

/// Splits the chunks of a stream into lines.
struct LineSplitter {
    whole: VecDeque<Vec<u8>>,
    partial: Vec<u8>,
    /// The bytes of the partial line.
    reservation: Reservation,
}

impl LineSplitter {
    fn new(budget: &'static Budget) -> Self {
        Self { whole: VecDeque::new(), partial: Vec::new(), reservation: budget.reserve() }
    }

    fn add(&mut self, chunk: &[u8]) -> Result<(), Error> {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            if self.partial.len() + piece.len() > MAX_REPLY_SIZE {
                return Err(Error::Unreadable(format!(
                    "the server's stream has a line of more than {} MiB",
                    MAX_REPLY_SIZE / (1024 * 1024)
                )));
            }
            if !self.reservation.resize(self.partial.len() + piece.len()) {
                // The status is that of the beginning of the stream.
                return Err(Error::Failure(Failure::over_budget("watch", 200)));
            }
            self.partial.extend_from_slice(piece);
            if self.partial.last() == Some(&b'\n') {
                self.partial.pop();
                self.whole.push_back(std::mem::take(&mut self.partial));
            }
        }
        Ok(())
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        self.whole.pop_front()
    }
}

/// The lines of a stream that arrives in these pieces, without the last one if it has no end; for fuzzing.
pub(super) fn lines_of(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut lines = LineSplitter::new(&UNLIMITED);
    let _ = pieces.iter().try_for_each(|piece| lines.add(piece));
    std::iter::from_fn(|| lines.take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_may_arrive_in_any_pieces() {
        for pieces in [&["one\ntwo\n\nthr"][..], &["o", "ne\nt", "wo\n", "\nth", "r"][..]] {
            let pieces: Vec<_> = pieces.iter().map(|piece| piece.as_bytes()).collect();
            assert_eq!(lines_of(&pieces), [&b"one"[..], b"two", b""], "{pieces:?}");
        }
    }

    #[test]
    fn an_endless_line_is_an_error() {
        let mut lines = LineSplitter::new(&UNLIMITED);
        let piece = vec![b'x'; 1024 * 1024];
        let errors = (0..9).filter(|_| lines.add(&piece).is_err()).count();
        assert_eq!((errors, lines.partial.len()), (1, MAX_REPLY_SIZE));
    }
}
