//! Waits until a change has taken effect.

use super::live::{EndedChange, Live};
use super::snapshot::{ConnectionState, Replicas, Snapshot};

/// How the wait ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settling {
    /// The requested number of replicas exists, and all of them are ready.
    Settled,
    /// Another client has changed the count since, to this number.
    Overtaken(i64),
    /// The target was deleted.
    Gone,
}

/// Waits until the target has `new` ready replicas. The state must be read after the change,
/// and while the cluster is connected.
pub(super) async fn settling(live: &Live, ended: EndedChange, new: i64) -> Settling {
    live.wait_for_read_after(ended).await;
    let mut frames = live.subscribe();
    loop {
        if let Some(settling) = judge(&frames.borrow_and_update().snapshot, new) {
            return settling;
        }
        if frames.changed().await.is_err() {
            // The sender is gone: no more states will come.
            std::future::pending::<()>().await;
        }
    }
}

fn judge(snapshot: &Snapshot, new: i64) -> Option<Settling> {
    match (snapshot.connection.state, snapshot.replicas) {
        (ConnectionState::TargetMissing, _) => Some(Settling::Gone),
        (ConnectionState::Connected, Some(Replicas { desired, .. })) if desired != new => {
            Some(Settling::Overtaken(desired))
        }
        (ConnectionState::Connected, Some(now)) if now.settled => Some(Settling::Settled),
        _ => None,
    }
}
