//! The events of the master's log: starts of the test, and workers that joined or left.
//!
//! `GET /logs` has the last 500 lines of `locust/runners.py` and other files. Releases from 2.25 to
//! 2.47 write the same lines, except for `Worker ` before some ids.

mod event;
mod origin;

use std::collections::BTreeSet;

use serde::Deserialize;
use time::PrimitiveDateTime;

pub use event::Spawn;
use event::{Entry, Event, entry};

/// The events of the master's log, the oldest one first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MasterLog {
    events: Vec<Entry>,
    /// The log begins with the start of the master: no line was dropped.
    is_whole: bool,
}

/// How the running test was started.
#[derive(Debug, Clone, PartialEq)]
pub struct TestStart {
    /// Time by the master's clock, in its time zone.
    pub at: PrimitiveDateTime,
    /// Time of the last edit or rebalance; `None` if there was none.
    pub edited_at: Option<PrimitiveDateTime>,
    /// This is the first test of the master. Otherwise the page may have the run time of an earlier
    /// test.
    pub is_first: bool,
    /// The log has the start itself. Otherwise older lines may have been dropped, and this is a later start.
    pub is_certain: bool,
    /// Time of the last reset of the statistics after the start; `None` if there was none.
    pub reset_at: Option<PrimitiveDateTime>,
    /// Time of the last event in the log.
    pub last_event_at: PrimitiveDateTime,
}

impl MasterLog {
    /// Reads the answer to `GET /logs`; `None` if it has another form.
    pub fn parse(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Logs {
            // Releases up to 2.31 use the name `logs`.
            #[serde(alias = "logs")]
            master: Vec<String>,
        }
        let Logs { master } = serde_json::from_slice(body).ok()?;
        let is_whole = master.first().is_some_and(|line| line.contains("locust.main: Starting"))
            || master.iter().take(20).any(|line| line.contains("locust.main: Starting Locust "));
        let mut events: Vec<_> = master.iter().filter_map(|line| entry(line)).collect();
        origin::mark_starts_by_locust(&mut events, is_whole);
        Some(Self { events, is_whole })
    }

    /// The last start, also if Locust made it itself.
    pub fn last_spawn(&self) -> Option<Spawn> {
        self.events.iter().rev().find_map(|entry| match entry.event {
            Event::Spawn(spawn) => Some(spawn),
            _ => None,
        })
    }

    /// The number of workers that left since the last start, with their users. A worker that was missing and came
    /// back has kept its users, so it does not count. A worker without users does not count either. `connected` is
    /// the number of workers now. `None` if the log does not show it.
    pub fn left_since_spawn(&self, connected: u64) -> Option<u64> {
        let place = self.events.iter().rposition(Entry::is_spawn)?;
        let spawn = self.last_spawn()?;
        let (mut joined, mut left) = (Vec::new(), Vec::new());
        for Entry { event, .. } in &self.events[place..] {
            match event {
                Event::Joined(id) => joined.push(id),
                Event::Quit(id) | Event::Missing(id) if !left.contains(&id) => left.push(id),
                Event::Healed(id) => match left.iter().position(|one| *one == id) {
                    Some(place) => drop(left.remove(place)),
                    // A worker that was missing at the start has got no users.
                    None => joined.push(id),
                },
                _ => {}
            }
        }
        let count = |number: usize| i64::try_from(number).ok();
        let workers = i64::try_from(spawn.workers).ok()?;
        let expected = workers.checked_add(count(joined.len())?)? - count(left.len())?;
        // Locust starts the users again when a worker quits or joins, and logs the worker after that start. The
        // number of workers in the start includes that worker if it joined, and not if it quit.
        let (in_start, moved) = match i64::try_from(connected).ok()?.checked_sub(expected)? {
            -1 => (1, None),
            0 => (0, None),
            1 => (0, left.first().copied()),
            _ => return None,
        };
        // A start gives users to the workers that were connected then, and not to later ones.
        let without_users: BTreeSet<_> = joined.into_iter().skip(in_start).chain(moved).collect();
        u64::try_from(left.iter().filter(|id| !without_users.contains(*id)).count()).ok()
    }

    /// The start of the running test; `None` if the log does not have it.
    pub fn test_start(&self) -> Option<TestStart> {
        let is_end = |entry: &Entry| entry.event.is_end();
        let after = self.events.iter().rposition(is_end).map_or(0, |place| place + 1);
        let (earlier, current) = self.events.split_at(after);
        let first = current.iter().position(Entry::is_spawn)?;
        let at = current[first].at?;
        let mut later = current[first + 1..].iter().rev();
        let edited_at = match later.find(|entry| entry.is_start_by_hand()) {
            Some(edit) => Some(edit.at?),
            None => None,
        };
        let is_first = self.is_whole && !earlier.iter().any(Entry::is_spawn);
        let is_certain = self.is_whole || !earlier.is_empty();
        let mut latest = current[first..].iter().rev();
        let reset = latest.clone().find(|entry| entry.event == Event::StatsReset);
        let reset_at = reset.and_then(|entry| entry.at);
        let last_event_at = latest.find_map(|entry| entry.at)?;
        Some(TestStart { at, edited_at, is_first, is_certain, reset_at, last_event_at })
    }

    /// Time of the last start or edit of the running test, by the master's clock. Starts that Locust
    /// made itself do not count.
    pub fn last_start_by_hand(&self) -> Option<PrimitiveDateTime> {
        self.events[self.place_of_last_start_by_hand()?].at
    }

    fn place_of_last_start_by_hand(&self) -> Option<usize> {
        self.events.iter().rposition(Entry::is_start_by_hand)
    }

    /// Locust itself moves users when the next worker joins or leaves. It does so only for the first worker after a
    /// start by a client. After a start that only redistributes the users, it does not: its dispatcher stays marked as
    /// in progress. False if the log does not have the start.
    pub fn will_move_users(&self) -> bool {
        let Some(place) = self.place_of_last_start_by_hand() else { return false };
        let is_end = |entry: &Entry| entry.event.is_end();
        let begin = self.events[..place].iter().rposition(is_end).map_or(0, |end| end + 1);
        let earlier = &self.events[begin..place];
        let users = |entry: &Entry| match entry.event {
            Event::Spawn(spawn) => Some(spawn.users),
            _ => None,
        };
        let last = earlier.iter().rposition(|entry| users(entry).is_some());
        let redistributes = last.is_some_and(|last| {
            users(&earlier[last]) == users(&self.events[place])
                && earlier[last..].iter().any(|entry| entry.event.is_of_worker())
        });
        !redistributes && !self.events[place..].iter().any(|entry| entry.event.is_of_worker())
    }

    /// The test has ended since the last start. The state of the runner may differ: Locust 2.47 can
    /// stay `running` if the test is stopped while Locust itself starts users.
    pub fn has_ended(&self) -> bool {
        let mut latest = self.events.iter().rev().map(|entry| &entry.event);
        let last = latest.find(|event| event.is_end() || matches!(event, Event::Spawn(_)));
        last.is_some_and(Event::is_end)
    }

    /// Locust has stopped the last test, because its last worker quit or sent no heartbeats.
    pub fn has_lost_all_workers(&self) -> bool {
        let mut latest = self.events.iter().rev().map(|entry| &entry.event);
        latest.find(|event| matches!(event, Event::WorkersLost | Event::Spawn(_)))
            == Some(&Event::WorkersLost)
    }

    /// A LoadTestShape sets the users of the test. Pages up to 2.30 do not show it if the start form has fields
    /// for the users.
    pub fn is_shaped(&self) -> bool {
        let mut latest = self.events.iter().rev().map(|entry| &entry.event);
        latest.find(|event| event.is_end() || **event == Event::Shaped) == Some(&Event::Shaped)
    }

    /// A later test than that of this start has begun, so the statistics are those of the later one. False if
    /// the log does not show it.
    pub fn has_later_test(&self, start: PrimitiveDateTime) -> bool {
        let is_own = |entry: &Entry| entry.is_spawn() && entry.at == Some(start);
        let own = self.events.iter().position(is_own);
        let later = self.events.iter().skip(own.map_or(0, |place| place + 1));
        // The log of a new master has its first lines, and not this start.
        let is_new_master = own.is_none() && self.is_whole;
        later.skip_while(|entry| !is_new_master && !entry.event.is_end()).any(Entry::is_spawn)
    }

    /// The statistics were reset after a start, as with `--reset-stats`.
    pub fn resets_stats(&self) -> bool {
        self.events.iter().any(|entry| entry.event == Event::StatsReset)
    }

    /// The master no longer receives messages from its workers (locust#3515).
    pub fn is_listener_dead(&self) -> bool {
        self.events.iter().any(|entry| entry.event == Event::ListenerDied)
    }
}

#[cfg(test)]
mod tests;
