//! Why a request to Locust failed.

use crate::cluster::api::{self, Failure, FailureKind};

/// The advice when Locust's certificate is not trusted.
const UNKNOWN_AUTHORITY: &str = "; use --locust-certificate-authority=FILE to trust the authority that \
     signed Locust's certificate";

/// Why a request to Locust failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The API server refused the request: no such Service, no pod behind it, or no right.
    #[error("{0}")]
    Api(api::Error),
    /// The server did not answer, or the answer broke off.
    #[error("{0}")]
    Failure(Failure),
    /// Locust, or a proxy in front of it, asks for a login.
    #[error(
        "Locust requires a login: give the cookie of a logged-in browser with --locust-cookie-file, or \
         the Authorization header of a proxy in front of Locust with --locust-auth-file"
    )]
    Login,
    /// The answer is not one of Locust's.
    #[error("{path} answered {status}, which is not an answer of Locust")]
    NotLocust {
        /// The path that was requested.
        path: String,
        /// The status code, and the beginning of the answer.
        status: String,
    },
    /// The users were not started. The text is the reason.
    #[error("Locust did not start the users: {0}")]
    Refused(String),
}

impl Error {
    /// The error of a request to Locust's own URL that got no whole answer.
    pub(super) fn of_url(error: &reqwest::Error, authority: &str) -> Self {
        Self::of_failure(Failure::of_request(error, authority))
    }

    /// The error of a request to Locust's own URL that was not answered.
    pub(super) fn of_failure(mut failure: Failure) -> Self {
        if failure.kind == FailureKind::UnknownAuthority {
            failure.text.push_str(UNKNOWN_AUTHORITY);
        }
        Self::Failure(failure)
    }

    /// The error as a sentence. It says that Locust could not be reached, if that is so.
    pub fn explanation(&self) -> String {
        match self {
            Self::Api(_) | Self::Failure(_) | Self::NotLocust { .. } => {
                format!("Locust could not be reached: {self}")
            }
            Self::Login | Self::Refused(_) => self.to_string(),
        }
    }

    /// True if there is no Locust at this address, or none that this user may reach.
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Api(error) => {
                error.status().is_some_and(|status| matches!(status.code, 403 | 404 | 503))
            }
            Self::NotLocust { .. } => true,
            Self::Failure(_) | Self::Login | Self::Refused(_) => false,
        }
    }
}
