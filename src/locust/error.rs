//! The reason why a request to Locust failed.

use crate::cluster::api::{self, Failure, FailureKind};
use crate::text::quantity;

/// The advice when Locust's certificate is not trusted.
const UNKNOWN_AUTHORITY: &str = "; use --locust-certificate-authority=FILE to trust the authority that \
     signed Locust's certificate";

/// The reason why a request to Locust failed.
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
    /// The master has no web UI. The text is the name of its pod.
    #[error(
        "Locust's master in pod {0} runs with --headless, so it has no web UI that locustctl can ask: \
         start it with --autostart instead, or use --locust=none"
    )]
    Headless(String),
    /// locustctl found no running pod of the master. The text is the address of its Service, or of a pod that is
    /// gone.
    #[error("{}", without_master(.0))]
    NoEndpoints(String),
    /// The master's pod is running, but its Service leaves it out, because it is not ready. The text is the
    /// Service's address.
    #[error(
        "{0} has no endpoints: the pod of Locust's master is running, but not ready; check its readiness probe"
    )]
    NotReady(String),
    /// Several masters can belong to the workers. The texts are their addresses.
    #[error(
        "there are several masters of Locust, and locustctl cannot tell which one the workers belong to: give {}",
        .0.iter().map(|address| format!("--locust={address}")).collect::<Vec<_>>().join(" or ")
    )]
    Several(Vec<String>),
    /// The users were not started. The text is the reason.
    #[error("Locust did not start the users: {0}")]
    Refused(String),
    /// A start of a ramp failed or got no answer. Locust has accepted the first start, or may have.
    #[error(
        "a start of --rebalance=ramp has failed or got no answer, so the test may have {users} users instead of \
         {wanted}: {error}. Press Edit in Locust's page, and enter {}",
        quantity(.wanted, "user")
    )]
    HalfRamp {
        /// The users of the first start.
        users: u64,
        /// The users that the test should have.
        wanted: u64,
        /// The error of the start that was not accepted.
        error: Box<Self>,
    },
}

/// The message on an address of a missing master. Only a Service has endpoints.
fn without_master(address: &str) -> String {
    let state = match address.starts_with("pod/") {
        true => "does not exist",
        false => "has no endpoints",
    };
    format!("{address} {state}: locustctl found no running pod of Locust's master")
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

    /// The error as a sentence, with the next step.
    pub fn explanation(&self) -> String {
        match self {
            Self::Api(error) if self.is_forbidden() => format!(
                "locustctl is not allowed to ask Locust: {error}. Ask for this right, or give \
                 --locust=URL to connect to Locust directly"
            ),
            Self::Api(_) | Self::Failure(_) | Self::NotLocust { .. } => {
                format!("Locust could not be reached: {self}")
            }
            Self::Login
            | Self::Headless(_)
            | Self::NoEndpoints(_)
            | Self::NotReady(_)
            | Self::Several(_)
            | Self::Refused(_)
            | Self::HalfRamp { .. } => self.to_string(),
        }
    }

    /// The API server refuses the request, because the user lacks a right.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Api(error) if error.status().is_some_and(|status| status.code == 403))
    }

    /// locustctl found no running pod of the master, so it assumes that no test is running.
    pub fn is_without_master(&self) -> bool {
        matches!(self, Self::NoEndpoints(_))
    }

    /// No pod behind this address is ready, or the Service or the pod does not exist. The API server's proxy answers
    /// 503, or 404 if the Service, its Endpoints object or the pod does not exist.
    pub(super) fn has_no_endpoints(&self) -> bool {
        let Self::Api(error) = self else { return false };
        error.status().is_some_and(|status| match status.code {
            503 => status.message.contains("no endpoints available"),
            404 => true,
            _ => false,
        })
    }

    /// Nothing listens at the given URL.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Failure(Failure { kind: FailureKind::Refused(_), .. }))
    }

    /// The master may answer a little later: it is starting, or its Service is being created.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Api(error) => {
                error.is_transient() || error.status().is_some_and(|status| status.code == 404)
            }
            Self::Failure(failure) => failure.is_transient(),
            Self::NoEndpoints(_) | Self::NotReady(_) => true,
            Self::NotLocust { .. }
            | Self::Login
            | Self::Headless(_)
            | Self::Several(_)
            | Self::Refused(_)
            | Self::HalfRamp { .. } => false,
        }
    }

    /// The same request may succeed a moment later: the connection broke, or the server, or a proxy in front
    /// of it, had an error of its own (5xx).
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Api(error) => error.is_transient(),
            Self::Failure(failure) => failure.is_transient(),
            Self::NotLocust { status, .. } => status.starts_with('5'),
            Self::NoEndpoints(_) | Self::NotReady(_) => true,
            Self::Login
            | Self::Headless(_)
            | Self::Several(_)
            | Self::Refused(_)
            | Self::HalfRamp { .. } => false,
        }
    }

    /// Locust may have carried out the request: Locust, or a proxy in front of it, got the request, and the answer is not
    /// a clear refusal.
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Self::Api(error) => error.may_have_been_applied(),
            Self::Failure(failure) => failure.sent,
            Self::NotLocust { status, .. } => {
                !status.starts_with('4') || status.starts_with("408") || status.starts_with("499")
            }
            Self::HalfRamp { .. } => true,
            Self::Login
            | Self::Headless(_)
            | Self::NoEndpoints(_)
            | Self::NotReady(_)
            | Self::Several(_)
            | Self::Refused(_) => false,
        }
    }

    /// A gateway in front of Locust got no answer from it (502, 503, 504). A 500 may be Locust's own: old
    /// releases send it for a path that they do not have.
    pub(super) fn is_of_gateway(&self) -> bool {
        let Self::NotLocust { status, .. } = self else { return false };
        ["502", "503", "504"].iter().any(|code| status.starts_with(code))
    }

    /// True if there is no Locust at this address, or none that this user may reach.
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Api(error) => {
                error.status().is_some_and(|status| matches!(status.code, 403 | 404 | 503))
            }
            Self::NotLocust { .. } | Self::NoEndpoints(_) => true,
            Self::Failure(_)
            | Self::NotReady(_)
            | Self::Login
            | Self::Headless(_)
            | Self::Several(_)
            | Self::Refused(_)
            | Self::HalfRamp { .. } => false,
        }
    }
}
