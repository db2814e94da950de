//! The bodies of HTTP messages, bounded in size, in time, and together in memory.

mod budget;
mod timed;

use std::ops::Deref;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use reqwest::Response;

pub(crate) use self::budget::{Budget, Reservation, UNLIMITED};
pub(crate) use self::timed::{TimeLimits, TimedBody};

/// An error while reading a body. `E` is the error of the connection.
#[derive(Debug)]
pub(crate) enum BodyError<E = reqwest::Error> {
    /// The body is larger than the limit.
    TooLarge,
    /// The bodies in memory are as large as the budget allows.
    OverBudget,
    /// The connection broke, or the time limit passed, before the end of the body.
    Broken(E),
}

/// A whole body. Dropping it gives its bytes back to the budget.
#[derive(Debug)]
pub struct WholeBody {
    bytes: Vec<u8>,
    _reservation: Reservation,
}

impl Deref for WholeBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for WholeBody {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// A body that is in memory already, without a budget.
impl From<Vec<u8>> for WholeBody {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, _reservation: UNLIMITED.reserve() }
    }
}

/// The bytes, which no longer count against the budget.
impl From<WholeBody> for Vec<u8> {
    fn from(body: WholeBody) -> Self {
        body.bytes
    }
}

/// Reads the whole body, which may have at most `limit` bytes, without a budget.
pub(crate) async fn read_body(response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    Ok(read_within(reqwest::Body::from(response), limit, &UNLIMITED).await?.bytes)
}

/// Reads the whole body, which may have at most `limit` bytes, and counts them in the budget until the
/// result is dropped.
pub(crate) async fn read_within<B: Body<Data = Bytes> + Unpin>(
    mut body: B,
    limit: usize,
    budget: &'static Budget,
) -> Result<WholeBody, BodyError<B::Error>> {
    let mut reservation = budget.reserve();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(BodyError::TooLarge);
        }
        if !reservation.resize(bytes.len() + data.len()) {
            return Err(BodyError::OverBudget);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(WholeBody { bytes, _reservation: reservation })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_bytes_of_a_body_count_until_it_is_dropped() {
        static BUDGET: Budget = Budget::new(10);
        let read = |text: &'static str| read_within(reqwest::Body::from(text), 8, &BUDGET);
        let first = read("seven 7").await.unwrap();
        assert_eq!(&*first, b"seven 7");
        assert!(matches!(read("four").await, Err(BodyError::OverBudget)));
        assert!(matches!(read("more than 8").await, Err(BodyError::TooLarge)));
        drop(first);
        assert_eq!(&*read("eight 88").await.unwrap(), b"eight 88");
    }
}
