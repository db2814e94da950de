//! Looks at the running test before a change, and before the question about one.

use std::time::Duration;

use tokio::time::timeout;

use super::backend::Backend;
use crate::locust::{Look, Search, is_running};
use crate::text::terminal::printable;

/// Time limit for the look. A slower Locust must not delay the change.
const LOOK_LIMIT: Duration = Duration::from_secs(2);

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
    /// The users at its last answer, if a test was running then.
    pub users: Option<i64>,
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
        let (why, is_busy) = match timeout(LOOK_LIMIT, look).await {
            Ok(Ok(Some(look))) if look.is_running() => return Self::Running(Box::new(look)),
            Ok(Ok(_)) => return Self::None,
            Ok(Err(error)) => (error.to_string(), error.may_pass() && !error.is_absent()),
            Err(_) => (format!("no answer within {} s", LOOK_LIMIT.as_secs()), true),
        };
        match &live.now().snapshot.locust {
            Some(last) => Self::Unknown(LocustUnreachable {
                why: printable(&format!("Locust at {} does not answer: {why}", last.address)),
                users: is_running(&last.state).then_some(last.users),
            }),
            // serve has just been started, and Locust has not answered yet.
            None if is_busy => Self::Unknown(LocustUnreachable {
                why: printable(&format!("Locust does not answer: {why}")),
                users: None,
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
    /// Describes the risk of removing workers; `None` if no test was running at the last answer.
    pub(super) fn risk(&self) -> Option<String> {
        let Self { why, users } = self;
        let users = users.as_ref().map(|users| match users {
            1 => "1 user".to_owned(),
            users => format!("{users} users"),
        })?;
        Some(format!(
            "{why}. A test with {users} was running at its last answer. With fewer workers, that test \
             can lose users, and serve cannot check it."
        ))
    }
}
