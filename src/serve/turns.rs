//! Keeps changes and rebalances apart: no start is sent to Locust while a change moves its workers, and
//! changes during a test are made one after another.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard, watch};

/// The changes and the rebalance that are under way. Changes go first: a rebalance ends when a change
/// begins, and none starts before the change has been made.
#[derive(Debug, Default)]
pub(super) struct Turns {
    work: Arc<watch::Sender<ActiveWork>>,
    /// Locked while a change during a test is being made. Changes get it in the order of their requests.
    change_during_test: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
struct ActiveWork {
    /// Changes whose check of the running test is unfinished.
    unchecked: usize,
    /// Unchecked changes whose pods take long to become ready.
    late: usize,
    /// Changes that are being made, or that wait for the end of a rebalance.
    changes: usize,
    /// Changes that wait for an earlier change in steps, and end it.
    waiting: usize,
    is_rebalancing: bool,
}

/// A change that waits for an earlier one. Dropping it ends the wait.
#[derive(Debug)]
struct WaitingChange(Arc<watch::Sender<ActiveWork>>);

impl WaitingChange {
    fn new(work: &Arc<watch::Sender<ActiveWork>>) -> Self {
        work.send_modify(|now| now.waiting += 1);
        Self(Arc::clone(work))
    }
}

impl Drop for WaitingChange {
    fn drop(&mut self) {
        self.0.send_modify(|now| now.waiting -= 1);
    }
}

/// A change whose check is unfinished. Dropping it marks the check as finished.
#[derive(Debug)]
pub(super) struct UncheckedChange(Arc<watch::Sender<ActiveWork>>);

/// An unchecked change whose pods take long to become ready. Dropping it ends this state.
#[derive(Debug)]
pub(super) struct LateChange(Arc<watch::Sender<ActiveWork>>);

/// A change that is being made. Dropping it marks the change as made.
#[derive(Debug)]
pub(super) struct ChangeTurn(Arc<watch::Sender<ActiveWork>>);

/// A rebalance that is under way. Dropping it marks the rebalance as ended.
#[derive(Debug)]
pub(super) struct RebalanceTurn(Arc<watch::Sender<ActiveWork>>);

impl Turns {
    /// Begins a change. Waits until a rebalance has ended, which takes at most the time of its request
    /// to Locust.
    pub(super) async fn begin_change(&self) -> (ChangeTurn, UncheckedChange) {
        self.work.send_modify(|now| {
            now.changes += 1;
            now.unchecked += 1;
        });
        let guards = (ChangeTurn(Arc::clone(&self.work)), UncheckedChange(Arc::clone(&self.work)));
        self.wait_for(|now| !now.is_rebalancing).await;
        guards
    }

    /// Waits until earlier changes during a test have been made. The next one waits for the drop of the
    /// result. With `ends_steps`, an earlier change in steps ends after its current step.
    pub(super) async fn change_during_test(&self, ends_steps: bool) -> OwnedMutexGuard<()> {
        let _waiting = ends_steps.then(|| WaitingChange::new(&self.work));
        Arc::clone(&self.change_during_test).lock_owned().await
    }

    /// Like [`Turns::change_during_test`], but does not wait: `None` if another change during a
    /// test is being made.
    pub(super) fn try_change_during_test(&self) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.change_during_test).try_lock_owned().ok()
    }

    /// Waits until a later change asks to end the steps of the current one.
    pub(super) async fn another_change_waits(&self) {
        self.wait_for(|now| now.waiting > 0).await;
    }

    /// Begins a rebalance, unless a change is being made or another rebalance is under way.
    pub(super) fn try_rebalance(&self) -> Option<RebalanceTurn> {
        let begin = |now: &mut ActiveWork| {
            let is_free = now.changes == 0 && !now.is_rebalancing;
            now.is_rebalancing |= is_free;
            is_free
        };
        self.work.send_if_modified(begin).then(|| RebalanceTurn(Arc::clone(&self.work)))
    }

    /// Begins a rebalance as soon as no change is being made and no other rebalance is under way.
    pub(super) async fn rebalance(&self) -> RebalanceTurn {
        loop {
            if let Some(turn) = self.try_rebalance() {
                return turn;
            }
            self.wait_for(|now| now.changes == 0 && !now.is_rebalancing).await;
        }
    }

    /// Begins an automatic rebalance, unless the check after a change is unfinished. That check sends a
    /// start itself if the test needs one. A check that waits long for its pods does not prevent it.
    pub(super) fn try_automatic_rebalance(&self) -> Option<RebalanceTurn> {
        let is_being_checked = {
            let now = self.work.borrow();
            now.unchecked > now.late
        };
        if is_being_checked { None } else { self.try_rebalance() }
    }

    /// True if the check of a running test is unfinished after a change.
    pub(super) fn has_unchecked(&self) -> bool {
        self.work.borrow().unchecked > 0
    }

    /// Waits until the check of a running test is unfinished.
    pub(super) async fn unchecked(&self) {
        self.wait_for(|now| now.unchecked > 0).await;
    }

    /// Marks a check as unfinished, after a change that another replica has made.
    pub(super) fn mark_unchecked(&self) -> UncheckedChange {
        self.work.send_modify(|now| now.unchecked += 1);
        UncheckedChange(Arc::clone(&self.work))
    }

    /// Waits until a change begins.
    pub(super) async fn change_begins(&self) {
        self.wait_for(|now| now.changes > 0).await;
    }

    async fn wait_for(&self, is_so: impl FnMut(&ActiveWork) -> bool) {
        // The sender lives as long as `self`, so there is no error.
        let _ = self.work.subscribe().wait_for(is_so).await;
    }
}

impl UncheckedChange {
    /// Lets automatic rebalances begin until the result is dropped.
    pub(super) fn late(&self) -> LateChange {
        self.0.send_modify(|now| now.late += 1);
        LateChange(Arc::clone(&self.0))
    }
}

impl Drop for LateChange {
    fn drop(&mut self) {
        self.0.send_modify(|now| now.late -= 1);
    }
}

impl Drop for UncheckedChange {
    fn drop(&mut self) {
        self.0.send_modify(|now| now.unchecked -= 1);
    }
}

impl Drop for ChangeTurn {
    fn drop(&mut self) {
        self.0.send_modify(|now| now.changes -= 1);
    }
}

impl Drop for RebalanceTurn {
    fn drop(&mut self) {
        self.0.send_modify(|now| now.is_rebalancing = false);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    /// The result of the future, if it is ready at once.
    async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(future);
        let poll = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context)));
        match poll.await {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn a_change_waits_for_a_rebalance_and_keeps_others_from_starting() {
        let turns = Turns::default();
        let rebalance = turns.try_rebalance().unwrap();
        assert!(turns.try_rebalance().is_none(), "one rebalance at a time");
        assert!(at_once(turns.change_begins()).await.is_none());
        let change = turns.begin_change();
        tokio::pin!(change);
        assert!(at_once(change.as_mut()).await.is_none(), "the rebalance is under way");
        assert!(at_once(turns.change_begins()).await.is_some());
        drop(rebalance);
        assert!(turns.try_rebalance().is_none(), "the change goes first");
        let (change, unchecked) = change.await;
        let (other, _) = at_once(turns.begin_change()).await.unwrap();
        drop(change);
        assert!(at_once(turns.rebalance()).await.is_none(), "the other change is being made");
        drop(other);
        assert!(turns.try_automatic_rebalance().is_none(), "the check is unfinished");
        assert!(at_once(turns.rebalance()).await.is_some());
        let late = unchecked.late();
        assert!(turns.try_automatic_rebalance().is_some(), "its pods take long");
        drop(late);
        assert!(turns.try_automatic_rebalance().is_none());
        drop(unchecked);
        assert!(turns.try_automatic_rebalance().is_some());
    }

    #[tokio::test]
    async fn changes_during_a_test_are_made_one_after_another() {
        let turns = Turns::default();
        let first = turns.try_change_during_test().unwrap();
        assert!(turns.try_change_during_test().is_none());
        let (second, third) = (turns.change_during_test(false), turns.change_during_test(true));
        tokio::pin!(second, third);
        assert!(at_once(second.as_mut()).await.is_none());
        assert!(at_once(turns.another_change_waits()).await.is_none());
        assert!(at_once(third.as_mut()).await.is_none());
        assert!(at_once(turns.another_change_waits()).await.is_some());
        drop(first);
        drop(at_once(second).await.unwrap());
        assert!(at_once(third).await.is_some());
        assert!(at_once(turns.another_change_waits()).await.is_none());
    }

    #[tokio::test]
    async fn a_request_that_is_dropped_while_it_waits_is_no_change() {
        let turns = Turns::default();
        let rebalance = turns.try_rebalance().unwrap();
        assert!(at_once(turns.begin_change()).await.is_none());
        drop(rebalance);
        assert!(turns.try_automatic_rebalance().is_some());
    }
}
