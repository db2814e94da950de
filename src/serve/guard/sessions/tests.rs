//! The life of sessions, their limits, and a restart.

use super::*;

const ALICE: &str = "alice-s-token-0123456789";
const START: u64 = 1_800_000_000;
const HOUR: u64 = 60 * 60;

fn sessions() -> Sessions {
    Sessions::new(SessionKey::random().unwrap())
}

/// Tokens of alice and of this many others.
fn tokens(others: usize) -> (tempfile::TempDir, Tokens) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    let others: String = (0..others).map(|index| format!("{}\n", other(index))).collect();
    std::fs::write(&path, format!("alice {ALICE}\n{others}")).unwrap();
    let tokens = Tokens::load(path).unwrap();
    (directory, tokens)
}

fn other(index: usize) -> String {
    format!("token-of-somebody-{index:04}")
}

fn begin(sessions: &Sessions, now: u64, token: &str) -> String {
    sessions.begin_at(now, token.into()).unwrap()
}

/// The same sessions after a restart of serve.
fn restarted(sessions: Sessions) -> Sessions {
    Sessions::new(sessions.key)
}

#[test]
fn a_session_ends_after_its_idle_timeout_and_after_twelve_hours() {
    let (_directory, tokens) = tokens(0);
    let sessions = sessions();
    let idle = begin(&sessions, START, ALICE);
    let mut used = begin(&sessions, START, ALICE);
    for hour in 1..12 {
        let now = START + hour * HOUR;
        assert!(sessions.find_at(now, &used, &tokens).is_some(), "{hour}");
        let (renewed, left) = sessions.renew_at(now, &used).unwrap();
        assert_eq!(left, (12 - hour) * HOUR);
        used = renewed;
    }
    assert!(sessions.find_at(START + 2 * HOUR, &idle, &tokens).is_none());
    assert!(sessions.find_at(START + 12 * HOUR, &used, &tokens).is_none());
    assert!(sessions.renew_at(START + 12 * HOUR, &used).is_none());
}

#[test]
fn a_session_outlives_a_restart_and_its_last_use_is_in_the_cookie() {
    let (_directory, tokens) = tokens(3);
    let first = sessions();
    let cookie = begin(&first, START, ALICE);
    assert_eq!(first.renew_at(START + 9 * 60, &cookie), None, "the cookie is new enough");
    let (renewed, _) = first.renew_at(START + HOUR, &cookie).unwrap();
    let second = restarted(first);
    assert!(second.find_at(START + 2 * HOUR, &cookie, &tokens).is_none(), "two hours old");
    let found = second.find_at(START + 2 * HOUR, &renewed, &tokens).unwrap();
    assert_eq!(found.token.expose_secret(), ALICE);
    assert!(sessions().find_at(START + HOUR, &renewed, &tokens).is_none(), "another key");
}

#[test]
fn a_session_ends_with_its_token_also_after_a_restart() {
    let first = sessions();
    let cookie = begin(&first, START, "a-token-that-is-removed");
    let (_directory, tokens) = tokens(3);
    assert!(restarted(first).find_at(START, &cookie, &tokens).is_none());
}

#[test]
fn a_session_that_was_ended_stays_ended() {
    let (_directory, tokens) = tokens(0);
    let sessions = sessions();
    let (one, other) = (begin(&sessions, now(), ALICE), begin(&sessions, now(), ALICE));
    assert!(one != other && sessions.end(&one));
    assert!(!sessions.end(&one) && !sessions.end("x"));
    assert!(sessions.find(&one, &tokens).is_none() && sessions.find(&other, &tokens).is_some());
    assert!(sessions.renew_at(now() + HOUR, &one).is_none());
}

#[test]
fn a_session_from_the_future_is_refused() {
    let (_directory, tokens) = tokens(0);
    let cookie = begin(&sessions(), START + HOUR, ALICE);
    assert!(sessions().find_at(START, &cookie, &tokens).is_none());
    let sessions = sessions();
    let cookie = begin(&sessions, START + 4 * 60, ALICE);
    assert!(sessions.find_at(START, &cookie, &tokens).is_some(), "the clocks differ a little");
    let cookie = begin(&sessions, START + HOUR, ALICE);
    assert!(sessions.find_at(START, &cookie, &tokens).is_none());
}

#[test]
fn a_new_session_ends_the_least_recently_used_one_of_its_token() {
    let (_directory, tokens) = tokens(1);
    let sessions = sessions();
    let is_open = |cookie: &str| sessions.find_at(START + 9, cookie, &tokens).is_some();
    let first = begin(&sessions, START, ALICE);
    let second = begin(&sessions, START + 1, ALICE);
    let of_other = begin(&sessions, START + 2, &other(0));
    (2..MAX_PER_TOKEN).for_each(|_| drop(begin(&sessions, START + 2, ALICE)));
    sessions.find_at(START + 3, &first, &tokens).unwrap();
    begin(&sessions, START + 3, ALICE);
    assert!(is_open(&first) && !is_open(&second));
    (0..MAX_SESSIONS).for_each(|_| drop(begin(&sessions, START + 4, ALICE)));
    assert!(is_open(&of_other));
}

#[test]
fn the_least_recently_used_session_is_known_within_a_second() {
    let (_directory, tokens) = tokens(0);
    let sessions = sessions();
    let cookies: Vec<_> = (0..2 * MAX_PER_TOKEN).map(|_| begin(&sessions, START, ALICE)).collect();
    let is_open = |cookie: &String| sessions.find_at(START, cookie, &tokens).is_some();
    let open: Vec<_> = cookies.iter().map(is_open).collect();
    assert!(open[..MAX_PER_TOKEN].iter().all(|is_open| !is_open), "{open:?}");
    assert!(open[MAX_PER_TOKEN..].iter().all(|is_open| *is_open), "{open:?}");
}

#[test]
fn when_all_places_are_taken_the_token_with_most_sessions_loses_one() {
    let (_directory, tokens) = tokens(12);
    let sessions = sessions();
    let single = begin(&sessions, START, ALICE);
    let of_many = begin(&sessions, START + 1, &other(0));
    for index in 2..MAX_SESSIONS {
        let token = if index <= MAX_PER_TOKEN { 0 } else { 1 + index % 10 };
        begin(&sessions, START + 2, &other(token));
    }
    begin(&sessions, START + 3, &other(11));
    assert!(sessions.find_at(START + 4, &single, &tokens).is_some());
    assert!(sessions.find_at(START + 4, &of_many, &tokens).is_none());
}

#[test]
fn the_memory_of_ended_sessions_is_limited_and_none_of_them_comes_back() {
    let (_directory, tokens) = tokens(1);
    let sessions = sessions();
    let of_other = begin(&sessions, START, &other(0));
    let first = begin(&sessions, START, ALICE);
    let last =
        (0..MAX_ENDED + MAX_PER_TOKEN + 10).map(|_| begin(&sessions, START, ALICE)).last().unwrap();
    assert!(sessions.lock().ended.len() <= MAX_ENDED);
    assert!(sessions.find_at(START + 1, &first, &tokens).is_none());
    assert!(sessions.find_at(START + 1, &last, &tokens).is_some(), "the newest is open");
    assert!(sessions.find_at(START + 1, &of_other, &tokens).is_some());
}
