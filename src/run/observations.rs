//! Observations of a running test, for its verdict and its reports.

use time::OffsetDateTime;

use super::report::Note;
use super::results::History;

/// The samples and events of a running test.
#[derive(Debug, Default)]
pub struct Observations {
    /// Samples of the statistics.
    pub history: History,
    /// Events, in their order.
    pub notes: Vec<Note>,
    /// The test has had all its users.
    pub has_ramped_up: bool,
    /// The lowest number of users after the ramp-up; `None` before.
    pub lowest_users: Option<u64>,
}

impl Observations {
    /// Adds an event.
    pub fn note(&mut self, text: String) {
        self.notes.push(Note { at: OffsetDateTime::now_utc(), text });
    }

    /// Takes a number of users while the test is running. `wanted` is the number that was
    /// asked for; `None` if it is unknown.
    pub(super) fn see_users(&mut self, users: u64, wanted: Option<u64>) {
        self.has_ramped_up |= wanted.is_some_and(|wanted| users >= wanted);
        if self.has_ramped_up {
            self.lowest_users = Some(self.lowest_users.map_or(users, |lowest| lowest.min(users)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_number_of_users_counts_from_the_end_of_the_ramp_up() {
        let mut seen = Observations::default();
        for (users, expected) in [(3, None), (10, Some(10)), (4, Some(4)), (10, Some(4))] {
            seen.see_users(users, Some(10));
            assert_eq!(seen.lowest_users, expected, "{users}");
        }
    }
}
