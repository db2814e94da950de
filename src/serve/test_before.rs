//! Looks at the running test before a change, and before the question about one.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::backend::Backend;
use crate::locust::{Look, Search, is_running};
use crate::text::terminal::printable;

/// Time limit for the look. A slower Locust must not delay the change.
const LOOK_LIMIT: Duration = Duration::from_secs(2);

/// An answer of this age is recent: few tests are started within this time.
const RECENT: Duration = Duration::from_secs(10);

/// The result of the check for a running test before a change.
pub(super) enum TestBefore {
    /// There is no Locust, or no test is running.
    None,
    Running(Box<Look>),
    /// Locust did not answer in time.
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
    /// No test was running. The answer is recent, the master is gone, or the API server does not answer either.
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
        let is_recent = |at: Instant| begin.saturating_duration_since(at) <= RECENT;
        let (why, is_absent, is_busy, is_silent) = match timeout(LOOK_LIMIT, look).await {
            Ok(Ok(Some(look))) if look.is_running() => return Self::Running(Box::new(look)),
            Ok(Ok(_)) => return Self::None,
            Ok(Err(error)) => (error.to_string(), error.is_absent(), error.may_pass(), false),
            Err(_) => (format!("no answer within {} s", LOOK_LIMIT.as_secs()), false, true, true),
        };
        let is_current = is_absent || live.locust_answered().is_some_and(is_recent);
        match &live.now().snapshot.locust {
            Some(last) => Self::Unknown(LocustUnreachable {
                why: printable(&format!("Locust at {} does not answer: {why}", last.address)),
                last: match is_running(&last.state) {
                    true => LastAnswer::Running(last.users),
                    false if is_current => LastAnswer::NoTest,
                    false => LastAnswer::TooOld,
                },
            }),
            // serve has just been started, and Locust has not answered yet.
            None if is_busy && !is_absent => Self::Unknown(LocustUnreachable {
                why: printable(&format!("Locust does not answer: {why}")),
                // After a broken connection to the API server, the change itself fails, too.
                last: if is_silent { LastAnswer::TooOld } else { LastAnswer::NoTest },
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

impl LocustUnreachable {
    /// Describes the risk of removing workers; `None` if no test can be running.
    pub(super) fn risk(&self) -> Option<String> {
        let Self { why, last } = self;
        let test = match last {
            LastAnswer::Running(1) => {
                "A test with 1 user was running at its last answer".to_owned()
            }
            LastAnswer::Running(users) => {
                format!("A test with {users} users was running at its last answer")
            }
            LastAnswer::NoTest => return None,
            LastAnswer::TooOld => "A test may have been started".to_owned(),
        };
        Some(format!(
            "{why}. {test}. With fewer workers, that test can lose users, and serve cannot check it."
        ))
    }
}
