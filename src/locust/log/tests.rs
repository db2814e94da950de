use serde_json::json;
use time::Duration;
use time::macros::datetime;

use super::*;

/// A log with these lines, whose times are in seconds after 14:15.
fn log(lines: &[(f64, &str)]) -> MasterLog {
    let line = |(at, message): &(f64, &str)| {
        let millis = (at * 1000.0).round() as u64;
        let (minutes, millis) = (15 + millis / 60_000, millis % 60_000);
        let level = if message.contains("Unhandled") { "CRITICAL" } else { "INFO" };
        let logger = if message.starts_with("Starting") { "main" } else { "runners" };
        format!(
            "[2026-11-26 14:{minutes:02}:{:02},{:03}] host/{level}/locust.{logger}: {message}",
            millis / 1000,
            millis % 1000
        )
    };
    let master: Vec<String> = lines.iter().map(line).collect();
    MasterLog::parse(json!({"master": master, "workers": {}}).to_string().as_bytes()).unwrap()
}

const STARTED: (f64, &str) = (0.0, "Starting Locust 2.47.0");
const READY: &str = "a_1 (index 0) reported as ready. 1 workers connected.";
const QUIT: &str = "Worker 'a_1' (index 0) quit. 0 workers ready.";
const MISSING: &str = "Worker a_1 failed to send heartbeat, setting state to missing.";
const STOPPED: &str = "a_1 (index 0) reported that it has stopped";
const SPAWNED: &str = "All users spawned: {\"U\": 60} (60 total users)";
const LATE: &str = "Spawning is complete and report waittime is expired, but not all reports received from \
     workers: {\"U\": 45} (45 total users)";
const TO_4: &str = "Sending spawn jobs of 60 users at 10.00 spawn rate to 4 ready workers";
const TO_3: &str = "Sending spawn jobs of 60 users at 10.00 spawn rate to 3 ready workers";
const TO_5: &str = "Sending spawn jobs of 60 users at 10.00 spawn rate to 5 ready workers";

#[test]
fn the_last_start_is_read_from_its_line() {
    let spawn =
        log(&[(1.0, "Sending spawn jobs of 7 users at 2.50 spawn rate to 2 ready workers")])
            .last_spawn();
    assert_eq!(spawn, Some(Spawn { users: 7, rate: 2.5, workers: 2 }));
    assert_eq!(log(&[(1.0, READY)]).last_spawn(), None);
    for hostile in [
        "Sending spawn jobs of -7 users at 2.50 spawn rate to 2 ready workers",
        "Sending spawn jobs of 7 users at inf spawn rate to 2 ready workers",
        "Sending spawn jobs of 7 users",
    ] {
        assert_eq!(log(&[(1.0, hostile)]).last_spawn(), None, "{hostile}");
    }
    let other = json!({"master": ["[2026-11-26 14:15:31,096] h/INFO/root: Sending spawn jobs of 7 users at 2.50 spawn rate to 2 ready workers", "x", ""]});
    assert_eq!(MasterLog::parse(other.to_string().as_bytes()).unwrap().last_spawn(), None);
}

#[test]
fn starts_in_the_log_of_older_releases_are_read() {
    let body = json!({"logs": ["[2026-11-26 14:15:31,096] h/INFO/locust.runners: Worker a_1 (index 0) reported as ready. 1 workers connected."]});
    assert!(MasterLog::parse(body.to_string().as_bytes()).is_some());
    assert_eq!(MasterLog::parse(b"{\"other\": []}"), None);
    assert_eq!(MasterLog::parse(b"<html>"), None);
}

#[test]
fn workers_whose_users_locust_has_moved_do_not_count_as_left() {
    let start = [STARTED, (1.0, TO_4), (1.2, SPAWNED)];
    let with = |more: &[(f64, &str)]| log(&[&start, more].concat());
    assert_eq!(with(&[]).left_since_spawn(4), Some(0));
    // Locust moves the users of the first worker itself, and writes the worker's line after that.
    let first = [(5.0, TO_3), (6.0, LATE), (6.001, QUIT)];
    assert_eq!(with(&first).left_since_spawn(3), Some(0));
    let (second, third) = (QUIT.replace('1', "2"), QUIT.replace('1', "3"));
    let three = [&first[..], &[(6.002, &second), (6.003, &third)]].concat();
    assert_eq!(with(&three).left_since_spawn(1), Some(2));
    // Locust does the same when a worker joins.
    let joined = [(5.0, TO_5), (5.1, SPAWNED), (5.101, READY)];
    assert_eq!(with(&joined).left_since_spawn(5), Some(0));
    // Locust does not move the users of a second worker.
    assert_eq!(with(&[(5.0, READY)]).left_since_spawn(5), Some(0));
    assert_eq!(with(&[(5.0, QUIT)]).left_since_spawn(3), Some(1));
    assert_eq!(with(&[(5.0, MISSING)]).left_since_spawn(3), Some(1));
    let healed =
        [(5.0, MISSING), (6.0, "Worker a_1 self-healed with heartbeat, setting state to ready.")];
    assert_eq!(with(&healed).left_since_spawn(4), Some(0), "it has kept its users");
    let healed_and_gone = [&healed[..], &[(9.0, QUIT)]].concat();
    assert_eq!(with(&healed_and_gone).left_since_spawn(3), Some(1));
    // Locust writes a start for a worker that came back without counting this worker, and gives it users.
    let again = [&healed[..], &[(6.001, TO_3), (6.1, SPAWNED)]].concat();
    assert_eq!(with(&again).last_spawn().map(|spawn| spawn.workers), Some(4));
    assert_eq!(with(&again).left_since_spawn(4), Some(0));
    let other_quit = QUIT.replace('1', "2");
    let and_gone = [&again[..], &[(9.0, &*other_quit)]].concat();
    assert_eq!(with(&and_gone).left_since_spawn(3), Some(1));
    assert_eq!(with(&[]).left_since_spawn(9), None, "the log does not fit the workers");
    assert_eq!(log(&[(1.0, READY)]).left_since_spawn(1), None);
}

#[test]
fn workers_without_users_do_not_count_as_left() {
    let start = [STARTED, (1.0, TO_4), (1.2, SPAWNED)];
    let with = |more: &[(f64, &str)]| log(&[&start, more].concat());
    let (other, other_quit) = (READY.replace('1', "2"), QUIT.replace('1', "2"));
    assert_eq!(with(&[(5.0, READY), (9.0, QUIT)]).left_since_spawn(4), Some(0));
    assert_eq!(with(&[(5.0, READY), (9.0, &other_quit)]).left_since_spawn(4), Some(1));
    let old_form = "Worker a_1 (index 0) reported as ready. 1 workers connected.";
    assert_eq!(with(&[(5.0, old_form), (9.0, QUIT)]).left_since_spawn(4), Some(0));
    assert_eq!(with(&[(5.0, READY), (9.0, MISSING)]).left_since_spawn(4), Some(0));
    // Two workers join at the same time. Locust starts users on the first one only.
    let two = [(5.0, TO_5), (5.1, SPAWNED), (5.101, READY), (5.102, &other)];
    let and = |line| [&two[..], &[(9.0, line)]].concat();
    assert_eq!(with(&and(QUIT)).left_since_spawn(5), Some(1));
    assert_eq!(with(&and(&other_quit)).left_since_spawn(5), Some(0));
    // A worker that was missing at the start comes back, and another one leaves.
    let healed = "Worker a_9 self-healed with heartbeat, setting state to ready.";
    assert_eq!(log(&[(1.0, TO_3), (5.0, healed), (9.0, QUIT)]).left_since_spawn(3), Some(1));
    assert_eq!(log(&[(1.0, TO_3), (5.0, healed)]).left_since_spawn(4), Some(0));
    // One worker that is missing first, and then quits.
    assert_eq!(with(&[(5.0, MISSING), (9.0, QUIT)]).left_since_spawn(3), Some(1));
}

#[test]
fn the_start_of_a_test_is_its_first_start_after_the_last_end() {
    let at = datetime!(2026-11-26 14:15:01);
    let first = log(&[STARTED, (1.0, TO_4), (1.2, SPAWNED)]);
    let start = |is_first, is_certain, last| {
        Some(TestStart {
            at,
            edited_at: None,
            is_first,
            is_certain,
            reset_at: None,
            last_event_at: datetime!(2026-11-26 14:15:00) + Duration::milliseconds(last),
        })
    };
    assert_eq!(first.test_start(), start(true, true, 1200));
    let second = log(&[STARTED, (0.2, TO_4), (0.5, STOPPED), (0.6, READY), (1.0, TO_4)]);
    assert_eq!(second.test_start(), start(false, true, 1000));
    let cut = log(&[(1.0, TO_4), (1.2, SPAWNED)]);
    assert_eq!(cut.test_start(), start(false, false, 1200));
    assert_eq!(log(&[STARTED, (1.0, TO_4), (2.0, STOPPED)]).test_start(), None);
}

#[test]
fn a_start_after_the_end_of_a_test_is_that_of_a_later_test() {
    let own = datetime!(2026-11-26 14:15:01);
    let has_later = |lines: &[(f64, &str)]| log(lines).has_later_test(own);
    // An edit, and a test before this one, are no later tests.
    let start = [STARTED, (0.2, TO_4), (0.5, STOPPED), (1.0, TO_4), (5.0, TO_3), (6.0, STOPPED)];
    assert!(!has_later(&start) && has_later(&[&start[..], &[(9.0, TO_3)]].concat()));
    // The oldest lines of a long log are dropped.
    assert!(!has_later(&[(5.0, TO_4), (6.0, STOPPED)]));
    assert!(has_later(&[(5.0, TO_4), (6.0, STOPPED), (7.0, TO_4)]));
    // The master was restarted.
    assert!(has_later(&[STARTED, (7.0, TO_4)]) && !has_later(&[STARTED, (7.0, READY)]));
}

#[test]
fn automatic_starts_by_locust_are_not_edits() {
    let is_edited = |more: &[(f64, &str)]| {
        let start = [STARTED, (1.0, TO_4), (1.2, SPAWNED)];
        log(&[&start, more].concat()).test_start().unwrap().edited_at.is_some()
    };
    assert!(is_edited(&[(5.0, TO_4), (5.1, SPAWNED)]));
    assert!(!is_edited(&[(5.0, TO_3), (6.0, LATE), (6.001, QUIT)]));
    assert!(!is_edited(&[(5.0, TO_5), (5.003, SPAWNED), (5.004, READY)]));
    // The worker left later, for another reason.
    assert!(is_edited(&[(5.0, TO_4), (5.1, SPAWNED), (9.0, QUIT)]));
    // The test is started as soon as a worker is connected.
    let by_hand = |lines: &[(f64, &str)]| log(lines).last_start_by_hand().is_some();
    assert!(by_hand(&[STARTED, (1.0, READY), (1.002, TO_4), (1.1, SPAWNED)]));
    assert!(by_hand(&[STARTED, (0.5, TO_4), (0.9, STOPPED), (1.0, READY), (1.002, TO_4)]));
    // With --enable-rebalancing, and for a worker that came back, the worker's line is the first one.
    let healed = "Worker a_1 self-healed with heartbeat, setting state to running.";
    for line in [READY, MISSING, healed] {
        assert!(!is_edited(&[(5.0, line), (5.002, TO_4), (5.1, SPAWNED)]), "{line}");
        assert!(is_edited(&[(5.0, line), (5.9, TO_4), (6.0, SPAWNED)]), "{line}");
    }
    // A missing worker is dropped a minute later.
    assert!(!is_edited(&[(5.0, MISSING), (65.1, TO_3), (66.1, LATE)]));
    assert!(!is_edited(&[(5.0, MISSING), (113.0, TO_3)]), "the master was slow");
    assert!(is_edited(&[(5.0, MISSING), (65.1, TO_3), (80.0, TO_3)]), "there was one drop");
    let other = MISSING.replace('1', "2");
    let two_drops = [(5.0, MISSING), (10.0, &*other), (65.1, TO_3), (80.0, TO_3)];
    assert!(!is_edited(&two_drops), "the second drop had to wait for the first start");
    // Locust drops two workers at a time, and makes one start.
    let one_drop = [(5.0, MISSING), (5.001, &*other), (65.1, TO_3)];
    assert!(!is_edited(&one_drop) && is_edited(&[&one_drop[..], &[(80.0, TO_3)]].concat()));
    // An edit after one drop does not change the judgement of a later drop.
    let lines = [(5.0, MISSING), (65.1, TO_3), (80.0, TO_3), (200.0, &*other), (260.1, TO_3)];
    let edited_at = log(&[&[STARTED, (1.0, TO_4), (1.2, SPAWNED)], &lines[..]].concat());
    let edited_at = edited_at.test_start().unwrap().edited_at;
    assert_eq!(edited_at, Some(datetime!(2026-11-26 14:16:20)));
    // A worker that was missing before the test does not make the first start Locust's own.
    assert!(by_hand(&[STARTED, (0.5, MISSING), (61.0, TO_4)]));
    let before = [(0.5, MISSING), (1.0, TO_4), (30.0, STOPPED), (50.0, TO_4), (61.0, TO_4)];
    let second = log(&[&[STARTED], &before[..]].concat()).last_start_by_hand();
    assert_eq!(second, Some(datetime!(2026-11-26 14:16:01)), "the test of the drop has ended");
    for at in [25.1, 190.0] {
        assert!(is_edited(&[(5.0, MISSING), (at, TO_3)]), "{at}");
    }
    assert!(is_edited(&[(5.0, MISSING), (7.0, healed), (65.1, TO_3)]), "it came back");
    assert!(is_edited(&[(5.0, MISSING), (7.0, QUIT), (65.1, TO_3)]), "it quit");
    // Locust repeats the numbers of the last start.
    for other in [TO_3.replace("60 users", "61 users"), TO_3.replace("10.00", "11.00")] {
        assert!(is_edited(&[(5.0, MISSING), (65.1, &other)]), "{other}");
        assert!(is_edited(&[(5.0, &other), (5.1, SPAWNED), (5.101, READY)]), "{other}");
    }
}

#[test]
fn locust_moves_users_at_the_first_change_of_the_workers() {
    let moves = |more: &[(f64, &str)]| {
        log(&[&[STARTED, (0.5, READY), (1.0, TO_4)], more].concat()).will_move_users()
    };
    assert!(moves(&[]) && !moves(&[(5.0, TO_3), (6.0, LATE), (6.001, QUIT)]));
    assert!(!moves(&[(5.0, QUIT)]));
    let after_quit = |start| [(5.0, QUIT), (9.0, start), (9.1, SPAWNED)];
    assert!(!moves(&after_quit(TO_3)), "a start that only redistributes the users");
    assert!(moves(&after_quit(&TO_3.replace("60 users", "80 users"))));
    assert!(moves(&[(9.0, TO_4), (9.1, SPAWNED)]), "nothing to redistribute");
    assert!(!log(&[STARTED, (0.5, READY)]).will_move_users(), "no start");
}

#[test]
fn a_shape_sets_the_users_until_its_test_ends() {
    let shape = "Shape test updating to 60 users at 10.00 spawn rate";
    assert!(!log(&[STARTED, (1.0, TO_4)]).is_shaped());
    let running = [STARTED, (1.0, shape), (1.1, TO_4), (1.2, SPAWNED), (5.0, QUIT)];
    assert!(log(&running).is_shaped());
    assert!(!log(&[&running[..], &[(9.0, STOPPED), (12.0, TO_4)]].concat()).is_shaped());
}

#[test]
fn an_end_a_reset_and_a_broken_master_are_recognised() {
    let start = [STARTED, (1.0, TO_4), (1.2, SPAWNED)];
    let with = |message: &str| log(&[&start[..], &[(2.0, message)]].concat());
    assert!(!with(QUIT).has_ended() && with(STOPPED).has_ended());
    for lost in
        ["The last worker quit, stopping test.", "The last worker went missing, stopping test."]
    {
        assert!(with(lost).has_ended() && with(lost).has_lost_all_workers());
        assert!(log(&[(1.0, lost), (2.0, STOPPED)]).has_lost_all_workers());
        assert!(!log(&[(1.0, lost), (2.0, TO_4)]).has_lost_all_workers());
    }
    assert!(!with(STOPPED).has_lost_all_workers());
    assert!(!log(&[(1.0, STOPPED), (2.0, TO_4)]).has_ended());
    assert!(with("Resetting stats\n").resets_stats() && !with(QUIT).resets_stats());
    let died = "Unhandled exception in greenlet: <Greenlet at 0x7f: <bound method \
                MasterRunner.client_listener of <locust.runners.MasterRunner object at 0x7f>>>\n\
                Traceback (most recent call last):\nKeyError: 'a_1'";
    assert!(with(died).is_listener_dead() && !with(QUIT).is_listener_dead());
    assert!(!with(&died.replace("client_listener", "heartbeat_worker")).is_listener_dead());
}
