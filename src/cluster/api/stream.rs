//! Answers that come line by line for as long as they like.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::timeout;

use super::client::{Begun, Client, LARGEST_ANSWER};
use super::exchange::{Reply, Request, Timeout};
use super::{Error, Failure};

/// What a request for a stream was answered with.
pub enum Opened {
    /// The stream.
    Lines(Box<LineStream>),
    /// A refusal, as a whole.
    Refused(Reply),
}

impl Client {
    /// Sends a request whose answer is a stream that may last for `longest`: the time for one
    /// request bounds only the way to its beginning. After a 401 the credentials are renewed where
    /// they can be, and it is sent once more.
    ///
    /// # Errors
    /// As for [`Client::send`].
    pub(super) async fn open(
        &self,
        request: &Request<'_>,
        longest: Duration,
    ) -> Result<Opened, Error> {
        let mut renewed = false;
        loop {
            let admitted = self.admission.enter().await;
            let limit = self.options.timeout.limit().unwrap_or(longest);
            let beginning = self.begin(request, Timeout::Never, Some(longest));
            let begun = timeout(limit, beginning).await;
            drop(admitted);
            self.admission.open();
            let begun = begun.unwrap_or_else(|_| Err(Error::Failure(Failure::too_slow())))?;
            if begun.response.status().is_success() {
                return Ok(Opened::Lines(Box::new(LineStream::new(begun))));
            }
            let reply = self.finish(begun, request.about).await?;
            if reply.status != 401 || renewed || !self.credentials.renew().await {
                return Ok(Opened::Refused(reply));
            }
            renewed = true;
        }
    }
}

/// The lines of an answer that is under way.
pub struct LineStream {
    begun: Begun,
    lines: Lines,
}

impl LineStream {
    fn new(begun: Begun) -> Self {
        Self { begun, lines: Lines::default() }
    }

    /// The next line, without its end; `None` after the last one. What stands behind the last line
    /// break is no line: the server was cut off within it.
    ///
    /// # Errors
    /// [`Error::Failure`] when the stream breaks, or when nothing comes for `idle`;
    /// [`Error::Unreadable`] for a line of more than 8 MiB.
    pub async fn next(&mut self, idle: Duration) -> Result<Option<Vec<u8>>, Error> {
        loop {
            if let Some(line) = self.lines.take() {
                return Ok(Some(line));
            }
            let chunk = match timeout(idle, self.begun.response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Ok(None),
                Ok(Err(error)) => {
                    let status = self.begun.response.status().as_u16();
                    let failure = Failure::from_body(&error, &self.begun.authority, status);
                    return Err(Error::Failure(failure));
                }
                Err(_) => return Err(Error::Failure(Failure::too_slow())),
            };
            self.lines.add(&chunk)?;
        }
    }
}

/// Cuts what comes into lines.
#[derive(Default)]
struct Lines {
    whole: VecDeque<Vec<u8>>,
    begun: Vec<u8>,
}

impl Lines {
    fn add(&mut self, chunk: &[u8]) -> Result<(), Error> {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            if self.begun.len() + piece.len() > LARGEST_ANSWER {
                return Err(Error::Unreadable(format!(
                    "the server's stream has a line of more than {} MiB",
                    LARGEST_ANSWER / (1024 * 1024)
                )));
            }
            self.begun.extend_from_slice(piece);
            if self.begun.last() == Some(&b'\n') {
                self.begun.pop();
                self.whole.push_back(std::mem::take(&mut self.begun));
            }
        }
        Ok(())
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        self.whole.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_from_whatever_pieces_they_come_in() {
        for pieces in [&["one\ntwo\n\nthr"][..], &["o", "ne\nt", "wo\n", "\nth", "r"][..]] {
            let mut lines = Lines::default();
            pieces.iter().for_each(|piece| lines.add(piece.as_bytes()).unwrap());
            let all: Vec<_> = std::iter::from_fn(|| lines.take()).collect();
            assert_eq!(all, [&b"one"[..], b"two", b""], "{pieces:?}");
        }
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let mut lines = Lines::default();
        let piece = vec![b'x'; 1024 * 1024];
        let errors = (0..9).filter(|_| lines.add(&piece).is_err()).count();
        assert_eq!((errors, lines.begun.len()), (1, LARGEST_ANSWER));
    }
}
