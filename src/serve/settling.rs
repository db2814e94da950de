//! Waiting until a change from here is true.

use super::app::App;
use super::live::Ended;
use super::snapshot::{Link, Replicas, Snapshot};

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settling {
    /// As many as were asked for are there, and ready.
    Settled,
    /// Somebody else has changed the count since, to this.
    Overtaken(i64),
    /// The target does not exist any more.
    Gone,
}

impl App {
    /// Waits until the count is true, at the state that all share. Only what was read after the
    /// change is judged by, and only while the cluster can be seen.
    pub(super) async fn settling(&self, ended: Ended, new: i64) -> Settling {
        self.live.read_after(ended).await;
        let mut frames = self.live.subscribe();
        loop {
            if let Some(settling) = judge(&frames.borrow_and_update().snapshot, new) {
                return settling;
            }
            if frames.changed().await.is_err() {
                // There is nobody left who could tell.
                std::future::pending::<()>().await;
            }
        }
    }
}

fn judge(snapshot: &Snapshot, new: i64) -> Option<Settling> {
    match (snapshot.connection.state, snapshot.replicas) {
        (Link::Missing, _) => Some(Settling::Gone),
        (Link::Connected, Some(Replicas { desired, .. })) if desired != new => {
            Some(Settling::Overtaken(desired))
        }
        (Link::Connected, Some(now)) if now.settled => Some(Settling::Settled),
        _ => None,
    }
}
