//! Tells which starts in the master's log Locust itself made.
//!
//! Locust starts the users again when a worker joins, quits, is missing, comes back or is dropped. Such a start has
//! the numbers of the last one. Except for a drop, Locust also writes a line about the worker.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use time::Duration;

use super::event::{Entry, Event, Spawn};

/// Locust writes the line of a worker at most this long after the end of the start that the worker caused.
const AT_ONCE: Duration = Duration::milliseconds(250);

/// With `--enable-rebalancing`, and for a worker that came back, Locust writes the line of the worker at most this long
/// before the start.
const RIGHT_BEFORE: Duration = Duration::milliseconds(50);

/// Locust drops a worker when it has been missing for this time. Locust counts 60 ticks of at least one second. It
/// does not count while it starts users after another drop.
const UNTIL_DROPPED: RangeInclusive<Duration> = Duration::seconds(58)..=Duration::seconds(180);

/// Locust notices all workers of one tick within this time. Two ticks are at least one second apart.
const SAME_TICK: Duration = Duration::milliseconds(500);

/// Sets [`Entry::is_by_locust`] of each start. Also corrects the number of workers in a start for a worker that came
/// back: Locust writes the number without this worker, but gives it users.
///
/// `is_whole`: no line of the log was dropped.
pub(super) fn mark_starts_by_locust(events: &mut [Entry], is_whole: bool) {
    let starts = (0..events.len()).filter(|place| events[*place].is_spawn());
    let repeats: Vec<_> = starts.filter(|place| may_repeat(events, *place, is_whole)).collect();
    for place in repeats.iter().copied() {
        let line_before = worker_line_before(events, place);
        let is_for_healed = matches!(line_before, Some(Event::Healed(_)));
        events[place].is_by_locust = line_before.is_some() || has_worker_line_after(events, place);
        if let Event::Spawn(spawn) = &mut events[place].event {
            spawn.workers = spawn.workers.saturating_add(u64::from(is_for_healed));
        }
    }
    for place in starts_after_drops(events, &repeats) {
        events[place].is_by_locust = true;
    }
}

fn numbers(entry: &Entry) -> Option<(u64, f64)> {
    match entry.event {
        Event::Spawn(Spawn { users, rate, .. }) => Some((users, rate)),
        _ => None,
    }
}

/// The numbers of the last start before this one in the same test.
fn last_start(events: &[Entry], place: usize) -> Option<(u64, f64)> {
    let mut earlier = events[..place].iter().rev().take_while(|entry| !entry.event.is_end());
    earlier.find_map(numbers)
}

/// The start has the numbers of the last one in this test. Without an earlier start, true only if the log is incomplete
/// and shows no end of a test.
fn may_repeat(events: &[Entry], place: usize, is_whole: bool) -> bool {
    match last_start(events, place) {
        Some(last) => numbers(&events[place]) == Some(last),
        None => !is_whole && !events[..place].iter().any(|entry| entry.event.is_end()),
    }
}

/// The line of a worker right before the start that it caused. The first start of a test is never one of Locust's own.
fn worker_line_before(events: &[Entry], start: usize) -> Option<&Event> {
    last_start(events, start)?;
    let at = events[start].at?;
    let mut latest = events[..start].iter().rev().take(2);
    let line = latest.find(|entry| {
        matches!(entry.event, Event::Joined(_) | Event::Missing(_) | Event::Healed(_))
            && entry.at.is_some_and(|line| (Duration::ZERO..=RIGHT_BEFORE).contains(&(at - line)))
    })?;
    Some(&line.event)
}

/// The line of a worker comes right after the end of the start.
fn has_worker_line_after(events: &[Entry], start: usize) -> bool {
    let find = |count: usize, is_wanted: fn(&Event) -> bool| {
        let mut next = events[start..].iter().skip(1).take(count);
        next.find(|entry| is_wanted(&entry.event)).and_then(|entry| entry.at)
    };
    let spawned = find(2, |event| *event == Event::Spawned);
    let line = find(3, Event::is_of_worker);
    spawned
        .zip(line)
        .is_some_and(|(spawned, line)| (Duration::ZERO..=AT_ONCE).contains(&(line - spawned)))
}

/// A group of drops that have possible starts in common.
struct Drops {
    count: usize,
    starts: BTreeSet<usize>,
}

/// The starts that Locust made after it had dropped missing workers. Locust makes one start for all workers that went
/// missing in the same tick. If more starts than drops are possible, a client sent some of them, and the log does not
/// tell which. Then none of these is returned.
fn starts_after_drops(events: &[Entry], repeats: &[usize]) -> BTreeSet<usize> {
    let mut all: Vec<Drops> = Vec::new();
    let mut last_missing = None;
    for (place, entry) in events.iter().enumerate() {
        let (Event::Missing(id), Some(missing)) = (&entry.event, entry.at) else { continue };
        // Locust does not drop a worker that came back or quit, and starts no users after the end of the test.
        let is_cancelled = |entry: &Entry| match &entry.event {
            Event::Healed(one) | Event::Quit(one) => one == id,
            event => event.is_end(),
        };
        let after = &events[place..];
        let end = after.iter().position(is_cancelled).map_or(events.len(), |at| place + at);
        let is_due = |start: &usize| {
            (place..end).contains(start)
                && !events[*start].is_by_locust
                && events[*start].at.is_some_and(|at| UNTIL_DROPPED.contains(&(at - missing)))
        };
        let due: BTreeSet<_> = repeats.iter().copied().filter(is_due).collect();
        if due.is_empty() {
            continue;
        }
        let is_same_drop = last_missing.is_some_and(|last| missing - last <= SAME_TICK);
        last_missing = Some(missing);
        match all.last_mut() {
            Some(drops) if !drops.starts.is_disjoint(&due) => {
                drops.count += usize::from(!is_same_drop);
                drops.starts.extend(due);
            }
            _ => all.push(Drops { count: 1, starts: due }),
        }
    }
    let certain = all.into_iter().filter(|drops| drops.starts.len() <= drops.count);
    certain.flat_map(|drops| drops.starts).collect()
}
