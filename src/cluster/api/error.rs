//! The errors of a request.

use std::sync::Arc;

use super::exchange::Reply;
use super::{About, Failure, FailureKind, Status};

/// Why a request failed. The texts are kubectl's. The printer adds the prefix (`Error from server`,
/// `error:`).
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The server refused the request.
    #[error("{}", .0.message)]
    Status(Box<Status>),
    /// There was no whole reply.
    #[error("{0}")]
    Failure(Failure),
    /// The server accepted the request, but its reply is not the expected one.
    #[error("{0}")]
    Unreadable(String),
    /// The request could not be sent: there are no credentials.
    #[error("{0:#}")]
    Unprepared(Arc<anyhow::Error>),
}

impl Error {
    /// The API server's own refusal; `None` for any other reply. A program behind the server's
    /// proxy for Services refuses in its own form.
    pub fn from_api_server(reply: &Reply, about: &About) -> Option<Self> {
        let is_refusal = !reply.is_success() && Status::decode(&reply.body).is_some();
        is_refusal.then(|| Self::Status(Box::new(Status::from_reply(reply, about))))
    }

    /// The server's refusal, if this is one.
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }

    /// True if the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Failure(_) => !self.is_too_large(),
            Self::Status(status) => matches!(status.code, 408 | 429 | 500..),
            Self::Unreadable(_) | Self::Unprepared(_) => false,
        }
    }

    /// True if the reply was too large to read.
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::Failure(Failure { kind: FailureKind::TooLarge { .. }, .. }))
    }

    /// True if the server may have carried out the request: it got the request and did not clearly
    /// refuse it.
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Self::Status(status) => status.code >= 500 || status.code == 408,
            Self::Failure(failure) => failure.sent,
            Self::Unreadable(_) => true,
            Self::Unprepared(_) => false,
        }
    }
}
