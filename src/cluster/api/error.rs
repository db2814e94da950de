//! The errors of a request.

use std::sync::Arc;

use super::exchange::Reply;
use super::{Failure, FailureKind, RequestSubject, Status};

/// The error of a request, with kubectl's text. The printer adds the prefix (`Error from server`,
/// `error:`).
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The server refused the request.
    #[error("{}", .0.message)]
    Status(Box<Status>),
    /// No reply arrived, or only a part of it.
    #[error("{0}")]
    Failure(Failure),
    /// The reply is not the one that locustctl expects, or the request's path is invalid.
    #[error("{0}")]
    Unreadable(String),
    /// locustctl did not send the request, because it has no valid credentials.
    #[error("{0:#}")]
    NoCredentials(Arc<anyhow::Error>),
}

impl Error {
    /// Reads a refusal by the API server itself. `None` for any other reply, for example an error of a
    /// Service that the API server proxies.
    pub fn from_api_server(reply: &Reply, subject: &RequestSubject) -> Option<Self> {
        let is_refusal = !reply.is_success() && Status::decode(&reply.body).is_some();
        is_refusal.then(|| Self::Status(Box::new(Status::from_reply(reply, subject))))
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
            Self::Failure(failure) => failure.is_transient(),
            Self::Status(status) => matches!(status.code, 408 | 429 | 500..),
            Self::Unreadable(_) | Self::NoCredentials(_) => false,
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
            Self::NoCredentials(_) => false,
        }
    }
}
