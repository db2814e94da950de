//! How many users a running test wants. A number that may be stale is never taken.

use super::look::Look;
use super::start::KnownStart;

/// Users that the test wants, and the numbers that ask Locust for them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Users that the test has when nothing is wrong: fewer than `asked` with `fixed_count` classes.
    pub users: u64,
    /// The number of users to ask for.
    pub asked: u64,
    /// Users to start in a second; `None` where nobody tells.
    pub spawn_rate: Option<f64>,
    /// The smaller number that Locust's page has: the test was started in another way, by code.
    pub exceeds: Option<u64>,
}

/// Why it is not known how many users a test wants, in a sentence without its subject.
pub type Unknown = String;

/// Users that the test wants, by the first source that is known to be current:
///
/// 1. `known`: a start that locustctl made or relayed, and that nobody has edited since;
/// 2. the page's `num_users`, where the release keeps it current and it fits the users that run;
/// 3. the users `before` the change, if the test was running and their number was steady;
/// 4. the users that run now, if the master's log confirms that they are what was asked for last.
///
/// The master's log is never a source, but a number that it contradicts is not taken.
///
/// # Errors
/// [`Unknown`]
pub fn wanted(
    now: &Look,
    before: Option<&Look>,
    known: Option<&KnownStart>,
) -> Result<Wanted, Unknown> {
    let Some(page) = &now.page else { return Err("Locust's page cannot be read".to_owned()) };
    let most = most_users(now, before);
    let logged = now.log.as_ref().and_then(|log| log.last_spawn());
    let reachable = |asked: u64| page.reachable(asked, now.classes.as_deref());
    let is_logged = |asked: u64| logged.is_none_or(|logged| logged.users == asked);
    let told = page.num_users.filter(|_| page.follows_starts()).and_then(whole);
    let exceeds = told.filter(|told| most > reachable(*told));
    let fits = |asked: u64| is_logged(asked) && most <= reachable(asked);
    let with =
        |asked: u64, spawn_rate| Wanted { users: reachable(asked), asked, spawn_rate, exceeds };

    if let Some(known) = known.filter(|known| fits(known.start.users) && known.is_current(page)) {
        return Ok(with(known.start.users, Some(known.start.spawn_rate)));
    }
    if let Some(told) = told.filter(|told| fits(*told)) {
        return Ok(with(told, page.spawn_rate.or(logged.map(|logged| logged.rate))));
    }
    // The page's spawn rate belongs to another start, unless the log has the same.
    let rate = match logged {
        Some(logged) => page
            .spawn_rate
            .filter(|rate| (rate - logged.rate).abs() < 0.01)
            .or(Some(logged.rate).filter(|rate| *rate > 0.0)),
        None => page.spawn_rate.filter(|_| told.is_none()),
    };
    // With `fixed_count` classes the number that was asked for is larger than the users.
    let asked_for = |users: u64| match logged {
        Some(logged) if reachable(logged.users) == users => Some(logged.users),
        Some(_) => None,
        None => Some(users),
    };
    let had = before.filter(|before| before.is_steady).and_then(|before| positive(before.users()));
    if let Some(asked) = had.filter(|had| most <= *had).and_then(asked_for) {
        return Ok(with(asked, rate));
    }
    let have = positive(now.users()).filter(|have| *have == most);
    if let (Some(asked), Some(_)) = (have.and_then(asked_for), logged) {
        return Ok(with(asked, rate));
    }
    Err(explain(now, before, logged.map(|logged| logged.users)))
}

/// The highest number of users that was seen.
fn most_users(now: &Look, before: Option<&Look>) -> u64 {
    let before = before.filter(|before| before.is_running()).map_or(0, Look::users);
    positive(now.users().max(before)).unwrap_or(0)
}

fn positive(users: i64) -> Option<u64> {
    u64::try_from(users).ok().filter(|users| *users > 0)
}

fn whole(users: f64) -> Option<u64> {
    (users.fract() == 0.0 && users < 1e12).then_some(users as u64)
}

fn explain(now: &Look, before: Option<&Look>, logged: Option<u64>) -> Unknown {
    let users = now.users();
    let had = before.filter(|before| before.is_running()).map(Look::users);
    match (logged, had) {
        (Some(logged), Some(had)) => format!(
            "{users} users are running, {had} were running before this change, and Locust's log says \
             that {logged} were asked for last"
        ),
        (Some(logged), None) => format!(
            "{users} users are running, and Locust's log says that {logged} were asked for last"
        ),
        (None, Some(had)) => {
            format!("{users} users are running, and {had} were running before this change")
        }
        (None, None) => {
            format!("{users} users are running, and no source says how many were requested")
        }
    }
}

#[cfg(test)]
mod tests;
