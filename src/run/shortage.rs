//! Notices when a running test loses users, and when it has them again.

use tokio::time::Instant;

/// A shortage of users, from one look at the test to the next.
#[derive(Debug, Default)]
pub(super) struct Shortage {
    /// The first look at which users were missing; `None` if the test has all its users.
    since: Option<Instant>,
    is_noted: bool,
    /// The reason against a redistribution, at the last look.
    reason: Option<Reason>,
    is_reason_noted: bool,
}

/// The connected workers, compared with the look before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WorkerChange {
    /// At least one worker has left.
    Left,
    None,
}

/// The reason why missing users are not redistributed.
#[derive(Debug, Clone)]
pub(super) struct Reason {
    /// Identifies the reason: equal for equal reasons, even if the numbers in `text` differ.
    pub kind: String,
    pub text: String,
}

impl Shortage {
    /// Takes the numbers of one look at a test in state `running`. Returns a note when users are lost, and when the
    /// test has all of them again.
    ///
    /// The numbers of a single look may be between two states of Locust. If no worker has left, two looks in turn
    /// must show the loss.
    pub(super) fn update(
        &mut self,
        users: u64,
        wanted: u64,
        change: WorkerChange,
    ) -> Option<String> {
        if users >= wanted {
            let ended = std::mem::take(self);
            let seconds = ended.since.filter(|_| ended.is_noted)?.elapsed().as_secs();
            let all = match wanted {
                1 => "its only user".to_owned(),
                _ => format!("all its {wanted} users"),
            };
            return Some(format!("the test has {all} again, after {seconds} s"));
        }
        let is_first = self.since.is_none();
        self.since.get_or_insert_with(Instant::now);
        if self.is_noted || (is_first && change == WorkerChange::None) {
            return None;
        }
        self.is_noted = true;
        Some(format!("the test has {users} of {wanted} users"))
    }

    /// Takes the reason why the users are not redistributed. Returns it once, when two looks in turn have shown it.
    pub(super) fn explain(&mut self, reason: Option<Reason>) -> Option<String> {
        let kind = |reason: &Option<Reason>| reason.as_ref().map(|reason| reason.kind.clone());
        if kind(&self.reason) != kind(&reason) {
            self.reason = reason;
            self.is_reason_noted = false;
            return None;
        }
        if self.is_reason_noted {
            return None;
        }
        self.is_reason_noted = reason.is_some();
        reason.map(|reason| reason.text)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lost_users_are_noted_at_once_if_a_worker_has_left_and_otherwise_at_the_second_look() {
        let mut shortage = Shortage::default();
        assert_eq!(shortage.update(12, 12, WorkerChange::Left), None);
        let lost = Some("the test has 8 of 12 users".to_owned());
        assert_eq!(shortage.update(8, 12, WorkerChange::Left), lost);
        assert_eq!(shortage.update(7, 12, WorkerChange::Left), None);
        advance(Duration::from_secs(60)).await;
        let back = Some("the test has all its 12 users again, after 60 s".to_owned());
        assert_eq!(shortage.update(12, 12, WorkerChange::None), back);
        assert_eq!(shortage.update(12, 12, WorkerChange::None), None);
        assert_eq!(shortage.update(8, 12, WorkerChange::None), None);
        assert_eq!(shortage.update(8, 12, WorkerChange::None), lost);
        // One look alone is not noted, and neither is its end.
        shortage = Shortage::default();
        assert_eq!(shortage.update(8, 12, WorkerChange::None), None);
        assert_eq!(shortage.update(13, 12, WorkerChange::None), None);
    }

    #[test]
    fn a_reason_is_noted_once_when_it_stays() {
        let mut shortage = Shortage::default();
        let mut explain = |kind: Option<&str>, users: i32| {
            let text = format!("{users} users");
            let reason = kind.map(|kind| Reason { kind: kind.to_owned(), text });
            shortage.explain(reason)
        };
        assert_eq!(explain(Some("a"), 9), None);
        assert_eq!(explain(Some("b"), 9), None);
        assert_eq!(explain(Some("b"), 8), Some("8 users".to_owned()));
        // Another number is not another reason.
        assert_eq!(explain(Some("b"), 7), None);
        assert_eq!(explain(None, 0), None);
        assert_eq!(explain(None, 0), None);
        assert_eq!(explain(Some("a"), 6), None);
        assert_eq!(explain(Some("a"), 6), Some("6 users".to_owned()));
    }
}
