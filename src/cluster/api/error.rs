//! Every way in which one request can end without what was asked for.

use std::sync::Arc;

use super::exchange::Reply;
use super::{About, Failure, FailureKind, Status};

/// Why a request did not bring what was asked for. The texts are those of kubectl; the prefix
/// (`Error from server`, `error:`) is the printer's.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The server refused, and said why.
    #[error("{}", .0.message)]
    Status(Box<Status>),
    /// There was no whole answer.
    #[error("{0}")]
    Failure(Failure),
    /// The server agreed, but its answer is not what was asked for.
    #[error("{0}")]
    Unreadable(String),
    /// The request could not be made: credentials that cannot be had.
    #[error("{0:#}")]
    Unprepared(Arc<anyhow::Error>),
}

impl Error {
    /// The API server's own refusal. `None` for any other reply: what stands behind the server's
    /// proxy for Services refuses in its own form.
    pub fn from_api_server(reply: &Reply, about: &About) -> Option<Self> {
        let is_refusal = !reply.is_success() && Status::decode(&reply.body).is_some();
        is_refusal.then(|| Self::Status(Box::new(Status::from_reply(reply, about))))
    }

    /// The refusal, when it is one.
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }

    /// Whether the same request may succeed a little later.
    pub fn passes(&self) -> bool {
        match self {
            Self::Failure(_) => !self.is_too_large(),
            Self::Status(status) => matches!(status.code, 408 | 429 | 500..),
            Self::Unreadable(_) | Self::Unprepared(_) => false,
        }
    }

    /// Whether the answer is larger than what is read.
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::Failure(Failure { kind: FailureKind::TooLarge { .. }, .. }))
    }

    /// Whether the server may have done what it was asked for all the same: it got the request
    /// and did not clearly refuse it.
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Self::Status(status) => status.code >= 500 || status.code == 408,
            Self::Failure(failure) => failure.sent,
            Self::Unreadable(_) => true,
            Self::Unprepared(_) => false,
        }
    }
}
