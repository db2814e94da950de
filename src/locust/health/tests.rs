use super::super::examples::{QUIT, known, look, spawn};
use super::super::look::Look;
use super::super::pods::WorkerPods;
use super::*;
use crate::scaling::Pod;

const NEW: &str = "2.47.0";
const OLD: &str = "2.32.2";
const JOINED: &str = "a_1 (index 4) reported as ready. 5 workers connected.";
const STOPPED: &str = "a_1 (index 0) reported that it has stopped";
const DIED: &str = "Unhandled exception in greenlet: <Greenlet at 0x1: <bound method \
                    MasterRunner.client_listener of <locust.runners.MasterRunner object at 0x2>>>";

/// The verdict as a word.
fn name_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::NoTest => "no test",
        Verdict::Ended => "ended",
        Verdict::WorkersLost => "workers lost",
        Verdict::SingleProcess => "single process",
        Verdict::TooOld => "too old",
        Verdict::MasterBroken => "broken",
        Verdict::Foreign => "foreign",
        Verdict::Healthy => "healthy",
        Verdict::Starting => "starting",
        Verdict::Surplus => "surplus",
        Verdict::Shaped => "shaped",
        Verdict::Repairable(_) => "repairable",
        Verdict::WorkerSilent(_) => "silent",
        Verdict::Unsafe(_) => "unsafe",
        Verdict::Unknown(_) => "unknown",
    }
}

fn verdict(now: &Look, before: Option<&Look>) -> &'static str {
    name_of(&judge(now, before, None).verdict)
}

/// A start for 60 users on four workers. `count` of them have quit since.
fn quits(look: Look, count: usize) -> Look {
    quits_after(&spawn(60, "10.00", 4), look, count)
}

/// The log has this line of a start, and `count` workers have quit since.
fn quits_after(start: &str, look: Look, count: usize) -> Look {
    let quits: Vec<_> = (1..=count).map(|id| QUIT.replace("a_1", &format!("a_{id}"))).collect();
    let lines: Vec<_> = std::iter::once(start).chain(quits.iter().map(String::as_str)).collect();
    look.log(&lines)
}

/// A ready pod for each of these workers.
fn pods(names: &[&str]) -> Option<WorkerPods> {
    let pod = |name: &&str| -> Pod {
        serde_json::from_value(serde_json::json!({"metadata": {"name": name},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}}))
        .unwrap()
    };
    Some(WorkerPods::new(&names.iter().map(pod).collect::<Vec<_>>()))
}

#[test]
fn a_test_that_locust_stopped_during_a_change_because_of_its_lost_workers_is_reported() {
    const LOST: &str = "The last worker went missing, stopping test.";
    let start = spawn(60, "10.00", 1);
    let before = look(NEW, &[60]).log(&[&start]);
    let stopped = |lines: &[&str], names: &[&str]| {
        let now = look(NEW, &[0, 0]).with_state("stopped").log(lines);
        Look { pods: pods(names), ..now }
    };
    let now = stopped(&[&start, LOST, STOPPED], &["w-0", "w-1"]);
    assert_eq!(verdict(&now, Some(&before)), "workers lost");
    assert_eq!(verdict(&now.clone().with_state("running"), Some(&before)), "workers lost");
    assert_eq!(verdict(&now, None), "no test", "the test may have ended long ago");
    let after_another_test = before.clone().with_state("stopped");
    assert_eq!(verdict(&now, Some(&after_another_test)), "no test");
    assert_eq!(verdict(&stopped(&[&start, STOPPED], &["w-0"]), Some(&before)), "no test");
    assert_eq!(verdict(&stopped(&[&start, LOST], &[]), Some(&before)), "no test", "scaled to 0");
}

#[test]
fn if_a_test_cannot_be_judged_the_verdict_is_the_reason() {
    let now = || look(NEW, &[15]).with_num_users(60.0);
    let single = |mut look: Look| {
        look.stats.workers = None;
        look
    };
    let in_pods = |look: Look, names: &[&str]| Look { pods: pods(names), ..look };
    let start = spawn(60, "10.00", 1);
    for (name, now, expected) in [
        ("stopped", now().with_state("stopped"), "no test"),
        ("ready", now().with_state("ready"), "no test"),
        ("the log has its end", now().log(&[&start, STOPPED]), "ended"),
        ("the log has the next start", now().log(&[STOPPED, &start]), "unsafe"),
        ("the listener died", now().log(&[DIED]), "broken"),
        (
            "the listener died, and the test ended",
            now().with_state("stopped").log(&[DIED]),
            "broken",
        ),
        ("without workers", single(now()), "single process"),
        ("2.24", look("2.24.0", &[60]).with_num_users(60.0), "too old"),
        ("2.25", look("2.25.0", &[60]).log(&[&start]), "healthy"),
        ("no release", look("", &[60]).log(&[&start]), "healthy"),
        ("no page", Look { page: None, ..now() }, "too old"),
        ("other pods", in_pods(now(), &["x-0"]), "foreign"),
        (
            "some other pods",
            in_pods(look(NEW, &[30, 30]).with_num_users(60.0), &["w-1"]),
            "healthy",
        ),
        ("its own pods", in_pods(look(NEW, &[60]).with_num_users(60.0), &["w-0"]), "healthy"),
        ("no workers at all", in_pods(look(NEW, &[]).with_num_users(60.0), &["w-0"]), "unsafe"),
    ] {
        assert_eq!(verdict(&now, None), expected, "{name}");
    }
}

#[test]
fn the_users_are_compared_with_the_wanted_number() {
    let now = |shares: &[i64]| look(NEW, shares).with_num_users(60.0);
    for (name, now, expected) in [
        ("all are there", now(&[30, 30]), ("healthy", 0)),
        ("still starting", now(&[5, 5]).with_state("spawning"), ("starting", 0)),
        ("started by code", look(NEW, &[60]).with_num_users(20.0), ("unknown", 0)),
        ("one worker is idle", now(&[60, 0]), ("repairable", 1)),
        ("fewer users than workers", look(NEW, &[1, 1, 0]).with_num_users(2.0), ("healthy", 0)),
        ("as many users as workers", look(NEW, &[2, 0]).with_num_users(2.0), ("repairable", 1)),
        ("no worker", now(&[]), ("unsafe", 0)),
    ] {
        let health = judge(&now, None, None);
        assert_eq!((name_of(&health.verdict), health.idle), expected, "{name}");
    }
    let replaced = look(OLD, &[89]).log(&[&spawn(60, "10.00", 1)]);
    let health = judge(&replaced, Some(&look(OLD, &[60])), None);
    assert_eq!(name_of(&health.verdict), "unknown", "the reason for the surplus is unknown");
}

#[test]
fn missing_users_are_repairable_only_if_their_workers_left() {
    let now = |shares: &[i64]| look(NEW, shares).with_num_users(60.0);
    let four = || now(&[15, 15, 15, 15]);
    for (name, now, before, expected) in [
        ("one of four left", quits(now(&[15, 15, 15]), 1), None, "repairable"),
        ("three of four left", quits(now(&[15]), 3), None, "repairable"),
        ("one user more is gone", quits(now(&[15, 15, 14]), 1), None, "unsafe"),
        ("no worker left", quits(now(&[15, 15, 15, 14]), 0), None, "unsafe"),
        (
            "no worker left, and all users were there before",
            quits(now(&[15, 15, 15, 14]), 0),
            Some(four()),
            "unsafe",
        ),
        ("lost before, too", quits(now(&[15]), 3), Some(quits(now(&[15, 15]), 2)), "repairable"),
        (
            "some had ended before",
            quits(now(&[15, 15, 15]), 1),
            Some(quits(now(&[15, 15, 15, 11]), 0)),
            "unsafe",
        ),
        (
            "they were still starting before",
            quits(now(&[15, 15, 15]), 1),
            Some(quits(now(&[15, 15, 15, 11]), 0).unsteady()),
            "repairable",
        ),
        (
            "the earlier log does not show it",
            quits(now(&[15, 15, 15]), 1),
            Some(now(&[15, 15, 15, 11])),
            "repairable",
        ),
        (
            "a worker that joined later, without users, left",
            now(&[15, 15, 15, 0]).log(&[&spawn(60, "10.00", 4), JOINED, QUIT]),
            None,
            "unsafe",
        ),
        ("no log", now(&[15, 15, 15]), Some(four()), "repairable"),
        ("no log, one user more is gone", now(&[15, 15, 14]), Some(four()), "unsafe"),
        ("no log, no worker left", now(&[15, 15, 15, 14]), Some(four()), "unsafe"),
        (
            "no log, some had ended before",
            now(&[15, 15, 15]),
            Some(now(&[15, 15, 15, 11])),
            "unsafe",
        ),
        (
            "no log, still starting before",
            now(&[10, 10]),
            Some(now(&[10, 10, 10]).unsteady()),
            "repairable",
        ),
        (
            "no log, more than before, no worker left",
            now(&[15, 15]),
            Some(now(&[10, 10]).unsteady()),
            "unsafe",
        ),
        ("no log, no earlier look", now(&[15, 15, 15]), None, "unsafe"),
    ] {
        assert_eq!(verdict(&now, before.as_ref()), expected, "{name}");
    }
}

#[test]
fn missing_users_of_connected_workers_have_ended() {
    let now = |shares: &[i64]| look(NEW, shares).with_num_users(60.0);
    let before = quits(now(&[15; 4]), 0);
    let ended = |now: Look| have_users_ended(&now, &before);
    assert!(ended(quits(now(&[15, 15, 15, 14]), 0)) && ended(quits(now(&[15, 15, 14]), 1)));
    assert!(!ended(quits(now(&[15, 15, 15]), 1)) && !ended(before.clone()));
    assert!(!ended(quits(now(&[15, 15, 15, 14]), 0).unsteady()), "the number is changing");
    assert!(!ended(quits(now(&[]), 4)), "no worker is left");
    assert!(ended(quits(now(&[15, 15, 15, 0]), 0)), "all users of a worker");
}

#[test]
fn a_new_worker_without_users_may_not_have_started_them() {
    let now = |shares: &[i64]| look(NEW, shares).with_num_users(60.0);
    let before = now(&[15; 4]);
    let is_starting = |shares: &[i64]| is_worker_starting(60, &now(shares), Some(&before));
    assert!(is_starting(&[12, 12, 12, 12, 0]) && !is_starting(&[12; 5]));
    assert!(!is_starting(&[15, 15, 15, 0]), "its users have ended");
    assert!(is_worker_starting(60, &now(&[0; 4]), None), "there is no earlier look");
    assert!(!is_worker_starting(2, &now(&[1, 1, 0]), None), "fewer users than workers");
}

#[test]
fn with_fewer_users_than_workers_an_earlier_look_shows_which_worker_had_users() {
    let now = |shares: &[i64]| quits_after(&spawn(3, "10.00", 4), look(NEW, shares), 1);
    let now = |shares: &[i64]| now(shares).with_num_users(3.0);
    let before = |shares: &[i64]| look(NEW, shares).with_num_users(3.0);
    assert_eq!(verdict(&now(&[1, 1, 0]), None), "unsafe");
    assert_eq!(verdict(&now(&[1, 1, 0]), Some(&before(&[1, 1, 0, 1]))), "repairable");
    // A user has ended, and a worker without users left.
    assert_eq!(verdict(&now(&[1, 1, 0]), Some(&before(&[1, 1, 1, 0]))), "unsafe");
}

#[test]
fn a_silent_worker_of_a_ready_pod_is_waited_for() {
    let with = |state: &str, names: &[&str]| {
        let mut now = quits(look(NEW, &[15, 15, 15, 0]).with_num_users(60.0), 1);
        let silent = now.stats.workers.iter_mut().flatten().last().unwrap();
        (silent.state, silent.user_count) = (state.to_owned(), 15);
        now.page.as_mut().unwrap().worker_count = Some(3);
        Look { pods: pods(names), ..now }
    };
    let all = ["w-0", "w-1", "w-2", "w-3"];
    let health = judge(&with("missing", &all), None, None);
    let reason = "the worker in pod w-3 sends no heartbeats, and it may come back with its users";
    assert_eq!(health.verdict, Verdict::WorkerSilent(reason.to_owned()));
    assert!(!health.needs_rebalance());
    assert_eq!(verdict(&with("missing", &all[..3]), None), "repairable", "its pod is gone");
}

#[test]
fn the_users_of_one_worker_are_rounded_up() {
    let start = spawn(61, "10.00", 4);
    let now = look(NEW, &[15, 15, 15]).with_num_users(61.0).log(&[&start, QUIT]);
    assert_eq!(verdict(&now, None), "repairable");
    let start = spawn(60, "10.00", 0);
    let now = look(NEW, &[15]).with_num_users(60.0).log(&[&start]);
    assert_eq!(verdict(&now, None), "unsafe", "no worker had users");
}

#[test]
fn statistics_that_do_not_fit_the_users_do_not_explain_the_loss() {
    let mut before = look(NEW, &[30, 30, 30]).with_num_users(60.0);
    before.page.as_mut().unwrap().user_count = 60;
    let now = look(NEW, &[30]).with_num_users(60.0);
    assert_eq!(verdict(&now, Some(&before)), "repairable");
    before.page.as_mut().unwrap().user_count = 50;
    let before = before.unsteady();
    assert_eq!(verdict(&look(NEW, &[]).with_num_users(60.0), Some(&before)), "unsafe");
    let none = Look { stats: Default::default(), ..look(NEW, &[]).with_num_users(60.0) };
    assert_eq!(verdict(&none, Some(&before)), "single process");
}

#[test]
fn stale_statistics_show_no_idle_workers() {
    let mut now = look(NEW, &[60, 0]).with_num_users(60.0);
    now.stats.user_count = 30;
    assert_eq!(verdict(&now, None), "healthy");
}

#[test]
fn earlier_misjudgements_do_not_return() {
    let start = |users: u64, workers: u64| spawn(users, "10.00", workers);
    let fixed = |look: Look| {
        look.page(|page| {
            let class = super::super::page::UserClass { fixed_count: 6 };
            page.users.insert("A".to_owned(), class);
        })
    };
    let by_code = look(NEW, &[30, 30]).with_num_users(20.0);
    let old_master = look(OLD, &[10, 10]).with_num_users(100.0);
    for (name, now, before, expected) in [
        (
            "master with -u 100",
            old_master.clone().log(&[&start(20, 2)]),
            None,
            ("healthy", Some(20)),
        ),
        ("the same without a log", old_master, None, ("unknown", None)),
        ("started by code", by_code.clone().log(&[&start(60, 2)]), None, ("healthy", Some(60))),
        ("the same without a log", by_code.clone(), None, ("unknown", None)),
        (
            "started by code, then scaled",
            look(NEW, &[30]).with_num_users(20.0).log(&[&start(60, 2), QUIT]),
            Some(by_code),
            ("unsafe", Some(60)),
        ),
        (
            "a killed worker still counts",
            look(NEW, &[15; 5]).with_num_users(60.0).log(&[&start(60, 4)]),
            None,
            ("surplus", Some(60)),
        ),
        (
            "edited to fewer users during the scale",
            look(OLD, &[30]).log(&[&start(60, 3), &start(30, 2), QUIT]),
            Some(look(OLD, &[20; 3]).log(&[&start(60, 3)])),
            ("healthy", Some(30)),
        ),
        (
            "lost before the scale",
            quits(look(OLD, &[15]), 3),
            Some(quits(look(OLD, &[15, 15]), 2)),
            ("unknown", None),
        ),
        (
            "only fixed_count",
            fixed(look(NEW, &[3, 3])).with_num_users(60.0),
            None,
            ("healthy", Some(6)),
        ),
        (
            "scaled while still spawning",
            look(NEW, &[10]).with_num_users(60.0).with_state("spawning"),
            Some(look(NEW, &[10, 10]).with_num_users(60.0).with_state("spawning")),
            ("starting", Some(60)),
        ),
        (
            "started on an old release",
            look(OLD, &[5, 5]).with_state("spawning").log(&[&start(60, 2)]),
            None,
            ("starting", Some(60)),
        ),
        (
            "started on an old release, without a log",
            look(OLD, &[5, 5]).with_state("spawning"),
            None,
            ("starting", None),
        ),
        ("2.15", look("2.15.1", &[15]), None, ("too old", None)),
    ] {
        let health = judge(&now, before.as_ref(), None);
        assert_eq!((name_of(&health.verdict), health.wanted), expected, "{name}");
    }
}

#[test]
fn a_repair_repeats_the_last_start() {
    let now = Look {
        classes: Some(vec!["A".to_owned()]),
        ..quits(look(NEW, &[15]).with_num_users(60.0), 3)
    };
    let health = judge(&now, None, Some(&known(60)));
    assert!(health.needs_rebalance() && health.is_alarming());
    let Verdict::Repairable(repair) = &health.verdict else { panic!("{health:?}") };
    let Repair { start, wanted, .. } = repair;
    assert_eq!((start.users, start.spawn_rate, start.run_time), (60, 10.0, None));
    assert_eq!((&*start.user_classes, *wanted), (&["A".to_owned()][..], 60));
    let no_rate = spawn(60, "0.00", 4);
    let now = quits_after(&no_rate, look(OLD, &[15]), 3);
    let before = look(OLD, &[15; 4]).log(&[&no_rate]);
    let health = judge(&now, Some(&before), None);
    assert_eq!(health.verdict, Verdict::Unsafe("Locust does not report the spawn rate".to_owned()));
}

#[test]
fn a_test_with_a_shape_is_never_repairable() {
    let shaped = |shares: &[i64]| look(NEW, shares).page(|page| page.has_shape = true);
    let start = spawn(60, "10.00", 4);
    for (name, now, before, expected) in [
        ("no source", shaped(&[15]), None, ("healthy", None)),
        ("the log has the number", shaped(&[15]).log(&[&start]), None, ("shaped", Some(60))),
        ("all are there", shaped(&[60]).log(&[&start]), None, ("healthy", Some(60))),
        ("one worker is idle", shaped(&[60, 0]).log(&[&start]), None, ("shaped", Some(60))),
        ("as before", shaped(&[15]), Some(shaped(&[60])), ("shaped", Some(60))),
        ("it was changing", shaped(&[15]), Some(shaped(&[60]).unsteady()), ("healthy", None)),
        (
            "the log is newer",
            shaped(&[15]).log(&[&spawn(30, "10.00", 4)]),
            Some(shaped(&[60])),
            ("shaped", Some(30)),
        ),
        (
            "the next step",
            shaped(&[15]).log(&[&start]).with_state("spawning"),
            None,
            ("starting", Some(60)),
        ),
    ] {
        let health = judge(&now, before.as_ref(), None);
        assert_eq!((name_of(&health.verdict), health.wanted), expected, "{name}");
    }
}
