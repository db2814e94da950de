//! Looks at the running test before a change, and before the question about one.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::backend::Backend;
use crate::cluster::api;
use crate::locust::{Error, Look, Search, is_running};
use crate::text::quantity;
use crate::text::terminal::printable;

/// Time limit for the look. If Locust is slower, the change is made or refused without its answer.
const LOOK_LIMIT: Duration = Duration::from_secs(10);

/// An answer of this age is recent: few tests are started within this time.
const RECENT: Duration = Duration::from_secs(10);

/// The result of the check for a running test before a change.
pub(super) enum TestBefore {
    /// There is no Locust, or no test is running.
    None,
    Running(Box<Look>),
    /// Locust did not answer, or its answer cannot be used.
    Unknown(LocustUnreachable),
}

/// A Locust that does not answer.
pub(super) struct LocustUnreachable {
    /// The reason why there is no answer, with the address.
    pub why: String,
    pub last: LastAnswer,
}

/// The last answer of a Locust that does not answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastAnswer {
    /// A test was running with this number of users.
    Running(i64),
    /// serve assumes that no test is running: the last answer without a test is recent, the master is gone, nothing
    /// listens at the URL, a right is missing, or the API server does not answer.
    NoTest,
    /// There is none, or a test may have been started since then.
    TooOld,
}

impl TestBefore {
    /// Looks at Locust, for at most [`LOOK_LIMIT`].
    pub(super) async fn look(backend: &Backend) -> Self {
        let live = &backend.live;
        let look = async {
            let pods = live.worker_pods();
            match backend.find_locust(pods.as_ref()).await? {
                Search::Found(master) => Look::take(&master, pods).await.map(Some),
                Search::Absent | Search::Foreign { .. } => Ok(None),
            }
        };
        let begin = Instant::now();
        let answer = timeout(LOOK_LIMIT, look).await;
        let (why, may_have_test, is_busy) = match answer {
            Ok(Ok(Some(look))) => {
                live.note_locust_answer();
                return match look.is_running() {
                    true => Self::Running(Box::new(look)),
                    false => Self::None,
                };
            }
            Ok(Ok(None)) => return Self::None,
            Ok(Err(error)) => {
                let is_busy = error.may_pass() && !is_without_test(&error);
                (error.to_string(), !is_without_test(&error), is_busy)
            }
            Err(_) => (format!("no answer within {} s", LOOK_LIMIT.as_secs()), true, true),
        };
        let is_recent = |at: Instant| begin.saturating_duration_since(at) <= RECENT;
        let may_have_test = may_have_test && !live.locust_answered().is_some_and(is_recent);
        let last = if may_have_test { LastAnswer::TooOld } else { LastAnswer::NoTest };
        match &live.now().snapshot.locust {
            Some(one) => Self::Unknown(LocustUnreachable {
                why: printable(&format!("Locust at {} does not answer: {why}", one.address)),
                last: if is_running(&one.state) { LastAnswer::Running(one.users) } else { last },
            }),
            // serve has just been started, and Locust has not answered yet.
            None if is_busy && !live.is_locust_absent() => Self::Unknown(LocustUnreachable {
                why: printable(&format!("Locust does not answer: {why}")),
                last,
            }),
            // Locust was never found.
            None => Self::None,
        }
    }

    /// A test is running, or may be running.
    pub(super) fn may_be_running(&self) -> bool {
        match self {
            Self::None => false,
            Self::Running(_) | Self::Unknown(_) => true,
        }
    }
}

/// The master is gone, nothing listens at the given URL, serve has no right to ask Locust, or the API server does
/// not answer, so it cannot make the change either.
fn is_without_test(error: &Error) -> bool {
    match error {
        Error::Api(api::Error::Failure(_) | api::Error::NoCredentials(_)) => true,
        error => error.is_without_master() || error.is_refused() || error.is_forbidden(),
    }
}

impl LocustUnreachable {
    /// Describes the risk of removing workers; `None` if no test can be running.
    pub(super) fn risk(&self) -> Option<String> {
        let Self { why, last } = self;
        let test = match last {
            LastAnswer::Running(users) => {
                format!("A test with {} was running at its last answer", quantity(users, "user"))
            }
            LastAnswer::NoTest => return None,
            LastAnswer::TooOld => "A test may have been started".to_owned(),
        };
        Some(format!(
            "{why}. {test}. With fewer workers, that test can lose users, and serve cannot check it."
        ))
    }
}
