use super::super::examples::{QUIT, known, look, spawn};
use super::super::page::UserClass;
use super::*;

/// A release that keeps the number of users in its page current.
const NEW: &str = "2.47.0";
/// A release that has the master's `--users` in its page.
const OLD: &str = "2.32.2";

fn users(now: &Look, before: Option<&Look>, known: Option<&KnownStart>) -> Option<u64> {
    wanted_users(now, before, known).ok().map(|wanted| wanted.users)
}

fn log_of(users: u64) -> String {
    spawn(users, "10.00", 4)
}

#[test]
fn a_known_start_is_used_if_nothing_contradicts_it() {
    let now = || look(OLD, &[15]).with_num_users(100.0);
    for (name, now, start, expected) in [
        ("nothing contradicts it", now(), 60, Some(60)),
        ("the log agrees", now().log(&[&log_of(60)]), 60, Some(60)),
        ("the same number of users is running", look(OLD, &[60]), 60, Some(60)),
        ("the log has another start", now().log(&[&log_of(30)]), 60, None),
        ("more users are running", look(OLD, &[61]), 60, None),
        ("the test was edited in the page", look(NEW, &[30]).with_num_users(30.0), 60, Some(30)),
    ] {
        assert_eq!(users(&now, None, Some(&known(start))), expected, "{name}");
    }
    let page = look(NEW, &[15]).page(|page| page.spawn_rate = Some(2.0));
    assert_eq!(users(&page.with_num_users(80.0), None, Some(&known(60))), Some(80));
    let rate = wanted_users(&now(), None, Some(&known(60))).unwrap().spawn_rate;
    assert_eq!(rate, Some(10.0), "the page's rate is not that of this start");
}

#[test]
fn the_number_in_the_page_is_used_if_the_release_keeps_it_current() {
    let had = |users: i64| look(NEW, &[users]);
    let now = |in_page: f64| look(NEW, &[15]).with_num_users(in_page);
    for (name, now, before, expected) in [
        ("it is current", now(60.0), None, Some(60)),
        ("it is the number of running users", now(15.0), None, Some(15)),
        ("it is the number before the change", now(60.0), Some(had(60)), Some(60)),
        ("the log agrees", now(60.0).log(&[&log_of(60), QUIT]), None, Some(60)),
        ("it is the master's --users", look(OLD, &[15]).with_num_users(100.0), None, None),
        ("it is the master's --users", look("2.46.6", &[15]).with_num_users(100.0), None, None),
        ("the log has another start", now(60.0).log(&[&log_of(30)]), None, None),
        (
            "a lost worker still counts, and the log agrees",
            look(NEW, &[75]).with_num_users(60.0).log(&[&log_of(60)]),
            None,
            Some(60),
        ),
        (
            "a lost worker counted before, and the log agrees",
            now(60.0).log(&[&log_of(60), QUIT]),
            Some(had(75)),
            Some(60),
        ),
        ("more users are running", now(14.0), None, None),
        ("more users were running before", now(60.0), Some(had(61).unsteady()), None),
        ("an earlier test had more", now(60.0), Some(had(61).with_state("stopped")), Some(60)),
        ("it is not a whole number", now(15.5), None, None),
        ("it is too large", now(1e12), None, None),
    ] {
        assert_eq!(users(&now, before.as_ref(), None), expected, "{name}");
    }
}

#[test]
fn the_users_before_the_change_are_used_if_they_were_steady() {
    let (now, had) = (look(OLD, &[15]).with_num_users(100.0), || look(OLD, &[30, 30]));
    for (name, now, before, expected) in [
        ("they were steady", now.clone(), had(), Some(60)),
        ("the same number is running", look(OLD, &[60]), had(), Some(60)),
        ("the log agrees", now.clone().log(&[&log_of(60)]), had(), Some(60)),
        ("they were changing", now.clone(), had().unsteady(), None),
        ("more are running now", look(OLD, &[61]), had(), None),
        ("some were lost before", now.clone().log(&[&log_of(90)]), had(), None),
        ("no user was running", look(OLD, &[0]), look(OLD, &[0]), None),
    ] {
        assert_eq!(users(&now, Some(&before), None), expected, "{name}");
    }
}

#[test]
fn the_number_in_the_log_is_used_if_more_users_were_counted_before_the_change() {
    let now = || look(OLD, &[36]).log(&[&log_of(60), QUIT]);
    for (name, before, expected) in [
        ("a lost worker still counted", look(OLD, &[65]).log(&[&log_of(60)]), Some(60)),
        ("some users had ended by themselves", look(OLD, &[50]).log(&[&log_of(60)]), None),
        ("another number was requested", look(OLD, &[65]).log(&[&log_of(65)]), None),
        ("the earlier log is not known", look(OLD, &[65]), None),
        ("the number was changing", look(OLD, &[65]).log(&[&log_of(60)]).unsteady(), None),
    ] {
        assert_eq!(users(&now(), Some(&before), None), expected, "{name}");
    }
}

#[test]
fn the_running_users_are_used_if_the_log_confirms_them() {
    let now = look(OLD, &[20]).with_num_users(100.0);
    for (name, now, before, expected) in [
        ("the log confirms them", now.clone().log(&[&log_of(20)]), None, Some(20)),
        ("the last start counts", now.clone().log(&[&log_of(60), &log_of(20)]), None, Some(20)),
        ("no log", now.clone(), None, None),
        ("no start in the log", now.clone().log(&[QUIT]), None, None),
        ("fewer than in the log", now.clone().log(&[&log_of(60)]), None, None),
        (
            "more were running before",
            now.clone().log(&[&log_of(20)]),
            Some(look(OLD, &[30]).unsteady()),
            None,
        ),
    ] {
        assert_eq!(users(&now, before.as_ref(), None), expected, "{name}");
    }
}

#[test]
fn classes_with_a_fixed_count_have_fewer_users_than_requested() {
    let fixed = |look: Look| {
        look.page(|page| {
            page.users.insert("A".to_owned(), UserClass { fixed_count: 6 });
        })
    };
    let expected =
        |spawn_rate| Ok(WantedUsers { users: 6, request: 60, spawn_rate, smaller_in_page: None });
    let in_page = fixed(look(NEW, &[6])).with_num_users(60.0);
    assert_eq!(wanted_users(&in_page, None, None), expected(Some(10.0)));
    let logged = fixed(look(OLD, &[3])).log(&[&log_of(60)]);
    assert_eq!(wanted_users(&logged, Some(&look(OLD, &[3, 3])), None), expected(Some(10.0)));
    let known = known(60);
    assert_eq!(wanted_users(&fixed(look(OLD, &[6])), None, Some(&known)), expected(Some(10.0)));
}

#[test]
fn a_spawn_rate_of_another_start_is_not_used() {
    let rate =
        |version: &str, in_page: Option<f64>, in_log: Option<&str>, num_users: Option<f64>| {
            let now = look(version, &[60]).page(|page| {
                page.spawn_rate = in_page;
                page.num_users = num_users;
            });
            let log = in_log.map(|rate| spawn(60, rate, 4));
            let now = match &log {
                Some(line) => now.log(&[line]),
                None => now,
            };
            wanted_users(&now, Some(&look(version, &[60])), None).unwrap().spawn_rate
        };
    for (name, found, expected) in [
        ("both agree", rate(OLD, Some(10.0), Some("10.00"), None), Some(10.0)),
        ("the log has two decimals", rate(OLD, Some(2.504), Some("2.50"), None), Some(2.504)),
        ("they differ", rate(OLD, Some(0.02), Some("0.01"), None), Some(0.01)),
        ("they differ", rate(OLD, Some(5.0), Some("10.00"), None), Some(10.0)),
        ("the log rounds to zero", rate(OLD, Some(5.0), Some("0.00"), None), None),
        ("both round to zero", rate(OLD, Some(0.001), Some("0.00"), None), Some(0.001)),
        ("only the log", rate(OLD, None, Some("10.00"), None), Some(10.0)),
        ("only the page", rate(OLD, Some(5.0), None, Some(20.0)), Some(5.0)),
        ("the page has another start", rate(NEW, Some(5.0), None, Some(20.0)), None),
        ("the page has this start", rate(NEW, Some(5.0), None, Some(60.0)), Some(5.0)),
        ("the page has no rate", rate(NEW, None, Some("10.00"), Some(60.0)), Some(10.0)),
    ] {
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn an_unknown_number_is_explained() {
    let now = || look(OLD, &[15]);
    let had = look(OLD, &[30]).unsteady();
    let fewer = look(OLD, &[15]);
    let earlier_test = look(OLD, &[30]).with_state("stopped");
    let log = log_of(60);
    for (now, before, expected) in [
        (now(), None, "the test has 15 users, and no source says how many were requested"),
        (
            now(),
            Some(&had),
            "the test has 15 users; it had 30 before this change, and the number was still changing",
        ),
        (
            look(OLD, &[30]),
            Some(&fewer),
            "the test has 30 users, more than the 15 before this change",
        ),
        (
            now(),
            Some(&earlier_test),
            "the test has 15 users, and no source says how many were requested",
        ),
        (
            now().log(&[&log]),
            None,
            "the test has 15 users, and the last start in Locust's log was for 60",
        ),
        (
            now().log(&[&log]),
            Some(&had),
            "the test has 15 users, it had 30 before this change, and the last start in Locust's log was for 60",
        ),
        (Look::default(), None, "Locust's page cannot be read"),
    ] {
        assert_eq!(wanted_users(&now, before, None), Err(expected.to_owned()));
    }
}
