//! The events of the master's log: starts of the test, and workers that joined or left.
//!
//! `GET /logs` has the last 500 lines of `locust/runners.py` and other files. Releases from 2.25 to
//! 2.47 write the same lines, except for `Worker ` before some ids.

use std::collections::BTreeSet;

use serde::Deserialize;
use time::macros::format_description;
use time::{Duration, PrimitiveDateTime};

/// Locust writes a line that belongs to another one within this time after it.
const AT_ONCE: Duration = Duration::milliseconds(250);

/// Locust writes the line of a worker this long before the start that follows from it.
const RIGHT_BEFORE: Duration = Duration::milliseconds(50);

/// The events of the master's log, the oldest one first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MasterLog {
    events: Vec<Entry>,
    /// The log begins with the start of the master: no line was dropped.
    is_whole: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    /// Time by the master's clock, in its time zone.
    at: Option<PrimitiveDateTime>,
    event: Event,
}

#[derive(Debug, Clone, PartialEq)]
enum Event {
    /// The master asked its workers to start users.
    Spawn(Spawn),
    /// The workers have started all users.
    Spawned,
    /// A worker joined. This and the next three events have the id of the worker.
    Joined(String),
    Quit(String),
    /// The worker sent no heartbeats.
    Missing(String),
    /// The missing worker sent heartbeats again.
    Healed(String),
    /// A LoadTestShape asks for a number of users.
    Shaped,
    /// The test has ended.
    Stopped,
    /// The test has ended, because no worker was connected any more.
    WorkersLost,
    StatsReset,
    /// The greenlet that receives the workers' messages has died (locust#3515).
    ListenerDied,
}

impl Event {
    /// The test has ended.
    fn is_end(&self) -> bool {
        matches!(self, Self::Stopped | Self::WorkersLost)
    }

    /// A worker joined, left, or came back.
    fn is_of_worker(&self) -> bool {
        matches!(self, Self::Joined(_) | Self::Quit(_) | Self::Missing(_) | Self::Healed(_))
    }
}

/// `Sending spawn jobs of 60 users at 10.00 spawn rate to 3 ready workers`: Locust writes this for
/// each start, also for those that it makes itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spawn {
    /// Users that were requested.
    pub users: u64,
    /// Users to start per second, with two decimals.
    pub rate: f64,
    /// Workers that were connected.
    pub workers: u64,
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
        Some(Self { events: master.iter().filter_map(|line| entry(line)).collect(), is_whole })
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
        let is_spawn = |entry: &Entry| matches!(entry.event, Event::Spawn(_));
        let place = self.events.iter().rposition(is_spawn)?;
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
        let is_spawn = |entry: &&Entry| matches!(entry.event, Event::Spawn(_));
        let first = current.iter().position(|entry| is_spawn(&entry))?;
        let at = current[first].at?;
        let later = (first + 1)..current.len();
        let last_edit = later
            .rev()
            .filter(|place| is_spawn(&&current[*place]))
            .find(|place| !is_by_locust(&current[*place..], &current[..*place]));
        let edited_at = match last_edit {
            Some(place) => Some(current[place].at?),
            None => None,
        };
        let is_first = self.is_whole && !earlier.iter().any(|entry| is_spawn(&entry));
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
        let places = (0..self.events.len()).rev();
        places
            .filter(|place| matches!(self.events[*place].event, Event::Spawn(_)))
            .find(|place| !is_by_locust(&self.events[*place..], &self.events[..*place]))
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
        let is_spawn = |entry: &Entry| matches!(entry.event, Event::Spawn(_));
        let is_own = |entry: &Entry| is_spawn(entry) && entry.at == Some(start);
        let own = self.events.iter().position(is_own);
        let later = self.events.iter().skip(own.map_or(0, |place| place + 1));
        // The log of a new master has its first lines, and not this start.
        let is_new_master = own.is_none() && self.is_whole;
        later.skip_while(|entry| !is_new_master && !entry.event.is_end()).any(is_spawn)
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

/// True if Locust itself made this start, because a worker joined, quit, was missing, came back or was
/// dropped. Such a start has the numbers of the last one. Locust writes the worker's line right after the start or,
/// with `--enable-rebalancing` and for a worker that came back, right before it. `since` begins with the start;
/// `before` ends just before it.
fn is_by_locust(since: &[Entry], before: &[Entry]) -> bool {
    let numbers = |entry: &Entry| match entry.event {
        Event::Spawn(Spawn { users, rate, .. }) => Some((users, rate)),
        _ => None,
    };
    let mut earlier = before.iter().rev().take_while(|entry| !entry.event.is_end());
    let last = earlier.find_map(numbers);
    let is_in_test = last.is_some();
    // Without an earlier start in this test, the log may have lost it.
    let may_repeat = match last {
        Some(last) => since.first().and_then(numbers) == Some(last),
        None => !before.iter().any(|entry| entry.event.is_end()),
    };
    if !may_repeat {
        return false;
    }
    let worker_line = since.iter().skip(1).take(3).find(|entry| entry.event.is_of_worker());
    let spawned = since.iter().skip(1).take(2).find(|entry| entry.event == Event::Spawned);
    let follows = |(spawned, line): (PrimitiveDateTime, PrimitiveDateTime)| {
        (Duration::ZERO..=AT_ONCE).contains(&(line - spawned))
    };
    let is_triggered =
        spawned.and_then(|spawned| spawned.at.zip(worker_line?.at)).is_some_and(follows);
    let at = since.first().and_then(|entry| entry.at);
    // The first start of a test is never one of Locust's own.
    let is_after_line = is_in_test
        && before.iter().rev().take(2).any(|entry| {
            matches!(entry.event, Event::Joined(_) | Event::Missing(_) | Event::Healed(_))
                && entry.at.zip(at).is_some_and(|(line, at)| {
                    (Duration::ZERO..=RIGHT_BEFORE).contains(&(at - line))
                })
        });
    is_triggered || is_after_line || at.is_some_and(|at| drops_worker(at, before))
}

/// True if Locust drops a worker at this time, and starts its users on other workers. Locust does so about a minute
/// after the worker was missing, unless the worker came back or quit. It writes no line about it.
fn drops_worker(at: PrimitiveDateTime, before: &[Entry]) -> bool {
    before.iter().enumerate().any(|(place, entry)| {
        let Event::Missing(id) = &entry.event else { return false };
        let is_back_or_gone = before[place..].iter().any(
            |entry| matches!(&entry.event, Event::Healed(one) | Event::Quit(one) if one == id),
        );
        let is_due =
            |missing: PrimitiveDateTime| (58..=63).contains(&(at - missing).whole_seconds());
        !is_back_or_gone && entry.at.is_some_and(is_due)
    })
}

fn entry(line: &str) -> Option<Entry> {
    let (time, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let form =
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second],[subsecond digits:3]");
    let event = event(rest)?;
    Some(Entry { at: PrimitiveDateTime::parse(time, form).ok(), event })
}

fn event(rest: &str) -> Option<Event> {
    if rest.contains("Unhandled exception in greenlet") && rest.contains(".client_listener ") {
        return Some(Event::ListenerDied);
    }
    let (_, message) = rest.split_once("/INFO/locust.runners: ")?;
    if let Some(numbers) = message.strip_prefix("Sending spawn jobs of ") {
        return spawn(numbers).map(Event::Spawn);
    }
    // A worker's id has no blanks. Some releases write it in quotes.
    let words = message.strip_prefix("Worker ").unwrap_or(message);
    let id = || words.split(' ').next().unwrap_or_default().trim_matches('\'').to_owned();
    let is_of_worker = |text: &str| message.contains(text);
    if message.starts_with("All users spawned") || message.starts_with("Spawning is complete") {
        Some(Event::Spawned)
    } else if message.starts_with("Resetting stats") {
        Some(Event::StatsReset)
    } else if message.starts_with("Shape test updating to ") {
        Some(Event::Shaped)
    } else if message.starts_with("The last worker ") {
        Some(Event::WorkersLost)
    } else if is_of_worker(" reported that it has stopped") {
        Some(Event::Stopped)
    } else if is_of_worker(") reported as ready. ") {
        Some(Event::Joined(id()))
    } else if is_of_worker(") quit. ") {
        Some(Event::Quit(id()))
    } else if is_of_worker(" failed to send heartbeat") {
        Some(Event::Missing(id()))
    } else if is_of_worker(" self-healed with heartbeat") {
        Some(Event::Healed(id()))
    } else {
        None
    }
}

/// `60 users at 10.00 spawn rate to 3 ready workers`
fn spawn(numbers: &str) -> Option<Spawn> {
    let (users, rest) = numbers.split_once(" users at ")?;
    let (rate, rest) = rest.split_once(" spawn rate to ")?;
    let (workers, _) = rest.split_once(" ready workers")?;
    let rate: f64 = rate.parse().ok()?;
    let spawn = Spawn { users: users.parse().ok()?, rate, workers: workers.parse().ok()? };
    rate.is_finite().then_some(spawn)
}

#[cfg(test)]
mod tests;
