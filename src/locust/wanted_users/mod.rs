//! How many users a running test should have. A number that may be stale is never used.

use super::look::Look;
use super::start::KnownStart;
use crate::text::quantity;

/// Users that the test should have, and the numbers that request them from Locust.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WantedUsers {
    /// Users that the test has when nothing is wrong. With `fixed_count` classes they are fewer than
    /// `request`.
    pub users: u64,
    /// The number of users to request.
    pub request: u64,
    /// Users to start per second; `None` if no source has it.
    pub spawn_rate: Option<f64>,
    /// A smaller number in Locust's page: the test was not started through the web API.
    pub smaller_in_page: Option<u64>,
}

/// The reason why the number is unknown: a clause for a message.
pub type Unknown = String;

/// Returns the users that the test should have, from the first source that is certain:
///
/// 1. `known`: a start that locustctl sent or relayed, if the test was not edited since;
/// 2. the page's `num_users`, if the release keeps it current and it fits the users that are running;
/// 3. the users `before` the change, if the test was running and their number was steady; if they were more
///    than the master's log requests, the number in the log;
/// 4. the users that are running now, if the master's log confirms that this number was requested
///    last.
///
/// The master's log is not a source itself. A number that it contradicts is not used.
///
/// # Errors
/// No source is certain.
pub fn wanted_users(
    now: &Look,
    before: Option<&Look>,
    known: Option<&KnownStart>,
) -> Result<WantedUsers, Unknown> {
    let Some(page) = &now.page else { return Err("Locust's page cannot be read".to_owned()) };
    let most = most_users(now, before);
    let logged = now.log.as_ref().and_then(|log| log.last_spawn());
    let reachable = |request: u64| page.reachable(request, now.classes.as_deref());
    let is_logged = |request: u64| logged.is_none_or(|logged| logged.users == request);
    let in_page = page.num_users.filter(|_| page.follows_starts()).and_then(whole);
    // More users are possible for a short time: Locust counts a lost worker for some seconds, and old
    // users may finish their tasks. So a number that the log confirms is used even then.
    let has_more = |request: u64| {
        most > reachable(request) && logged.is_none_or(|logged| logged.users != request)
    };
    let smaller_in_page = in_page.filter(|users| has_more(*users));
    let fits = |request: u64| is_logged(request) && !has_more(request);
    let with = |request: u64, spawn_rate| WantedUsers {
        users: reachable(request),
        request,
        spawn_rate,
        smaller_in_page,
    };

    if let Some(known) = known.filter(|known| fits(known.start.users) && known.is_current(page)) {
        return Ok(with(known.start.users, Some(known.start.spawn_rate)));
    }
    if let Some(in_page) = in_page.filter(|users| fits(*users)) {
        return Ok(with(in_page, page.spawn_rate.or(logged.map(|logged| logged.rate))));
    }
    // The page's spawn rate belongs to another start, unless the log has the same rate.
    let rate = match logged {
        Some(logged) => page
            .spawn_rate
            .filter(|rate| (rate - logged.rate).abs() < 0.01)
            .or(Some(logged.rate).filter(|rate| *rate > 0.0)),
        None => page.spawn_rate.filter(|_| in_page.is_none()),
    };
    // With `fixed_count` classes the request is larger than the number of users.
    let request_for = |users: u64| match logged {
        Some(logged) if reachable(logged.users) == users => Some(logged.users),
        Some(_) => None,
        None => Some(users),
    };
    let had = before.filter(|before| before.is_steady).and_then(|before| positive(before.users()));
    if let Some(request) = had.filter(|had| most <= *had).and_then(request_for) {
        return Ok(with(request, rate));
    }
    // Before the change Locust still counted the users of a worker that was already gone. The users that the
    // log requests were all there.
    let logged_before = before.and_then(|before| before.log.as_ref()?.last_spawn());
    if let (Some(logged), Some(earlier), Some(had)) = (logged, logged_before, had)
        && earlier.users == logged.users
        && had > reachable(logged.users)
    {
        return Ok(with(logged.users, rate));
    }
    let have = positive(now.users()).filter(|have| *have == most);
    if let (Some(request), Some(_)) = (have.and_then(request_for), logged) {
        return Ok(with(request, rate));
    }
    Err(explain(now, before, logged.map(|logged| logged.users)))
}

/// The highest number of users that was seen in this test.
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
    let users = quantity(now.users(), "user");
    let had = before.filter(|before| before.is_running()).map(Look::users);
    match (logged, had) {
        (Some(logged), Some(had)) => format!(
            "the test has {users}, it had {had} before this change, and the last start in Locust's log was for {logged}"
        ),
        (Some(logged), None) => {
            format!("the test has {users}, and the last start in Locust's log was for {logged}")
        }
        (None, Some(had)) if now.users() > had => {
            format!("the test has {users}, more than the {had} before this change")
        }
        (None, Some(had)) => format!(
            "the test has {users}; it had {had} before this change, and the number was still changing"
        ),
        (None, None) => format!("the test has {users}, and no source says how many were requested"),
    }
}

#[cfg(test)]
mod tests;
