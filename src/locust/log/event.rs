//! The events in the lines of the master's log.

use time::PrimitiveDateTime;
use time::macros::format_description;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Time by the master's clock, in its time zone.
    pub at: Option<PrimitiveDateTime>,
    pub event: Event,
    /// Locust itself made this start.
    pub is_by_locust: bool,
}

impl Entry {
    pub fn is_spawn(&self) -> bool {
        matches!(self.event, Event::Spawn(_))
    }

    /// True for a start that does not follow from a change of the workers.
    pub fn is_start_by_hand(&self) -> bool {
        self.is_spawn() && !self.is_by_locust
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
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
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Stopped | Self::WorkersLost)
    }

    /// A worker joined, left, or came back.
    pub fn is_of_worker(&self) -> bool {
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
    /// Workers that get users.
    pub workers: u64,
}

/// Reads a line of the log; `None` if it has no event.
pub(super) fn entry(line: &str) -> Option<Entry> {
    let (time, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let form =
        format_description!("[year]-[month]-[day] [hour]:[minute]:[second],[subsecond digits:3]");
    let event = event(rest)?;
    Some(Entry { at: PrimitiveDateTime::parse(time, form).ok(), event, is_by_locust: false })
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
