//! The swarm over time, while workers come and go. All values were measured with a real Locust.

use serde_json::{Value, json};
use tokio::time::{Duration, advance};

use super::{
    LocustRelease,
    swarm::{Process, Swarm},
};

fn pods(numbers: impl Iterator<Item = usize>) -> Vec<Process> {
    let pod = |number| Process { host: format!("w-{number}"), uid: format!("{number:032x}") };
    numbers.map(pod).collect()
}

fn first_pods(count: usize) -> Vec<Process> {
    pods(0..count)
}

/// The reported users of each worker.
fn users(swarm: &Swarm) -> Vec<u64> {
    swarm.workers.iter().map(|worker| worker.reported).collect()
}

fn running(release: &str, workers: usize, form: &str) -> Swarm {
    let mut swarm = Swarm::new(release.parse().unwrap_or(LocustRelease::LATEST), "master");
    swarm.update_workers(&first_pods(workers));
    post(&mut swarm, form);
    swarm
}

fn post(swarm: &mut Swarm, form: &str) -> Value {
    swarm.start(form.as_bytes()).unwrap_or_default()
}

/// Advances the clock, then sets the number of workers.
async fn advance_time(swarm: &mut Swarm, workers: usize, time: Duration) {
    advance(time).await;
    swarm.update_workers(&first_pods(workers));
}

/// State, users and workers on the page.
fn page(swarm: &Swarm) -> (String, u64, u64) {
    let args = swarm.template_args();
    let number = |field: &str| args[field].as_u64().unwrap_or(u64::MAX);
    (
        args["state"].as_str().unwrap_or_default().to_owned(),
        number("user_count"),
        number("worker_count"),
    )
}

fn shows(state: &str, users: u64, workers: u64) -> (String, u64, u64) {
    (state.to_owned(), users, workers)
}

/// The log without times, from line `skipped` on.
fn log(swarm: &Swarm, skipped: usize) -> Vec<String> {
    let lines = swarm.journal.lines().skip(skipped);
    lines.map(|line| line.split_once("] ").unwrap_or_default().1.to_owned()).collect()
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn scaling_from_5_to_1_leaves_15_of_60_users() {
    let mut swarm = running("2.47.0", 5, "user_count=60&spawn_rate=20");
    assert_eq!(users(&swarm), [12; 5]);
    swarm.update_workers(&first_pods(1));
    assert_eq!(page(&swarm), shows("spawning", 48, 4), "the master waits for reports");
    advance_time(&mut swarm, 1, SECOND).await;
    assert_eq!(page(&swarm), shows("running", 15, 1));
    assert_eq!(swarm.template_args()["num_users"], 60);
    post(&mut swarm, "user_count=60&spawn_rate=20");
    assert_eq!(users(&swarm), [60]);
}

#[tokio::test(start_paused = true)]
async fn after_a_rebalance_a_later_scale_down_can_lose_users() {
    let mut swarm = running("2.47.0", 6, "user_count=60&spawn_rate=20");
    for (workers, is_rebalanced, expected) in [
        (5, false, 60),
        (5, true, 60),
        (4, false, 60),
        (3, false, 45),
        (3, true, 60),
        (2, false, 40),
    ] {
        swarm.update_workers(&first_pods(workers));
        advance_time(&mut swarm, workers, SECOND).await;
        if is_rebalanced {
            post(&mut swarm, "user_count=60&spawn_rate=20");
        }
        assert_eq!(page(&swarm), shows("running", expected, workers as u64));
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_new_worker_gets_users_and_later_ones_stay_idle() {
    let mut swarm = running("2.47.0", 2, "user_count=20&spawn_rate=10");
    swarm.update_workers(&first_pods(3));
    assert_eq!(users(&swarm), [7, 7, 6]);
    swarm.update_workers(&first_pods(5));
    assert_eq!(users(&swarm), [7, 7, 6, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_test_stops_without_workers_and_cannot_be_started() {
    let mut swarm = running("2.47.0", 2, "user_count=20&spawn_rate=10");
    swarm.update_workers(&[]);
    advance_time(&mut swarm, 0, SECOND).await;
    assert_eq!(page(&swarm), shows("stopped", 0, 0));
    assert_eq!(post(&mut swarm, "user_count=5&spawn_rate=5")["success"], true);
    let warning = "master/WARNING/locust.runners: You can't start a distributed test before at least one worker processes has connected";
    assert_eq!(log(&swarm, 0).last().map(String::as_str), Some(warning));
    swarm.update_workers(&first_pods(1));
    assert_eq!(page(&swarm), shows("stopped", 0, 1), "the test stays stopped when workers return");
}

#[tokio::test(start_paused = true)]
async fn an_invalid_form_is_refused_with_locusts_message() {
    let mut swarm = running("2.47.0", 1, "user_count=5&spawn_rate=1");
    let missing = "Missing or invalid user_count or spawn_rate from /swarm request";
    for (form, message) in [
        ("", missing),
        ("user_count=-1&spawn_rate=1", missing),
        ("user_count=1&spawn_rate=0", missing),
        ("user_count=abc&spawn_rate=1", "Invalid user_count value: 'abc' (must be an integer)"),
        ("user_count=1&spawn_rate=x", "Invalid spawn_rate value: 'x' (must be a number)"),
    ] {
        let answer = post(&mut swarm, form);
        assert_eq!((&answer["success"], &answer["message"]), (&json!(false), &json!(message)));
        let line = format!("master/ERROR/locust.web: {message}");
        assert_eq!(log(&swarm, 0).last(), Some(&line));
    }
    assert_eq!(page(&swarm), shows("running", 5, 1));
}

#[tokio::test(start_paused = true)]
async fn starting_a_running_test_again_keeps_its_statistics() {
    let mut swarm = running("2.47.0", 1, "user_count=10&spawn_rate=1");
    advance_time(&mut swarm, 1, 10 * SECOND).await;
    let requests = |swarm: &Swarm| swarm.stats()["stats"][0]["num_requests"].clone();
    assert_eq!(requests(&swarm), 50);
    post(&mut swarm, "user_count=10&spawn_rate=1");
    assert_eq!(requests(&swarm), 50);
    let history = swarm.template_args()["history"].clone();
    assert_eq!(history.as_array().map(Vec::len), Some(2));
    swarm.stop();
    post(&mut swarm, "user_count=10&spawn_rate=1");
    assert_eq!((requests(&swarm), &swarm.template_args()["history"]), (json!(0), &json!([])));
}

#[tokio::test(start_paused = true)]
async fn a_report_covers_the_time_since_the_start_or_the_last_reset() {
    let mut swarm = running("2.47.0", 1, "user_count=10&spawn_rate=1");
    let start = swarm.report(false)["start_time"].clone();
    advance_time(&mut swarm, 1, 63 * SECOND).await;
    let (report, file) = (swarm.report(true), swarm.file_name());
    assert_eq!(
        (&report["start_time"], &report["duration"]),
        (&start, &json!("1 minute and 3 seconds"))
    );
    assert_eq!(report["show_download_link"], false);
    assert!(file.starts_with("Locust_2") && file.ends_with("_locustfile.py"), "{file}");
    let ends = report["end_time"].clone();
    assert_eq!(
        report["history"].as_array().and_then(|all| all.last()).map(|one| &one["time"]),
        Some(&ends)
    );
    swarm.reset();
    let report = swarm.report(false);
    assert_eq!((&report["start_time"], &report["history"]), (&ends, &json!([])));
}

#[tokio::test(start_paused = true)]
async fn the_test_stops_after_its_run_time() {
    let mut swarm = running("2.47.0", 2, "user_count=10&spawn_rate=10&run_time=1m");
    assert_eq!(swarm.template_args()["run_time"], 60);
    advance_time(&mut swarm, 2, 59 * SECOND).await;
    assert_eq!(page(&swarm), shows("running", 10, 2));
    advance_time(&mut swarm, 2, SECOND).await;
    assert_eq!(page(&swarm), shows("stopped", 0, 2));
    let id = format!("w-0_{:032x} (index 0)", 0);
    let lines = log(&swarm, 6);
    assert_eq!(lines[0], format!("master/INFO/locust.runners: {id} reported that it has stopped"));
    assert_eq!(
        lines[1],
        format!("master/INFO/locust.runners: {id} reported as ready. 2 workers connected.")
    );
}

#[tokio::test(start_paused = true)]
async fn since_2_47_0_a_second_start_cancels_the_run_time() {
    for (release, state) in [("2.47.0", "running"), ("2.46.7", "stopped")] {
        let mut swarm = running(release, 1, "user_count=10&spawn_rate=10&run_time=4");
        advance_time(&mut swarm, 1, SECOND).await;
        post(&mut swarm, "user_count=10&spawn_rate=10");
        advance_time(&mut swarm, 1, 4 * SECOND).await;
        assert_eq!(page(&swarm).0, state, "{release}");
        assert_eq!(swarm.template_args()["run_time"], 4, "{release}");
    }
}

#[tokio::test(start_paused = true)]
async fn before_2_46_7_the_form_does_not_set_num_users() {
    for (release, expected) in [("2.46.7", json!(60)), ("2.46.4", json!(null))] {
        let swarm = running(release, 1, "user_count=60&spawn_rate=10");
        let args = swarm.template_args();
        assert_eq!((&args["num_users"], &args["version"]), (&expected, &json!(release)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_matches_locust_when_three_workers_leave() {
    let mut swarm = running("2.47.0", 4, "user_count=60&spawn_rate=20");
    swarm.update_workers(&first_pods(1));
    advance_time(&mut swarm, 1, SECOND).await;
    let quit = |number: usize| {
        format!(
            "INFO/locust.runners: Worker 'w-{number}_{number:032x}' (index {number}) quit. 0 workers ready."
        )
    };
    let unknown = |message: &str, number: usize| {
        format!(
            "WARNING/locust.runners: Got {message} message from unknown worker w-{number}_{number:032x}. Asking worker to quit."
        )
    };
    let expected = [
        "INFO/locust.runners: Sending spawn jobs of 60 users at 20.00 spawn rate to 4 ready workers".to_owned(),
        "INFO/locust.runners: All users spawned: {\"U\": 60} (60 total users)".to_owned(),
        "INFO/locust.runners: Sending spawn jobs of 60 users at 20.00 spawn rate to 3 ready workers".to_owned(),
        "INFO/locust.runners: Spawning is complete and report waittime is expired, but not all reports received from workers: {\"U\": 45} (45 total users)".to_owned(),
        quit(1),
        quit(2),
        quit(3),
        unknown("spawning", 2),
        unknown("spawning", 3),
        unknown("spawning_complete", 2),
        unknown("spawning_complete", 3),
    ];
    assert_eq!(log(&swarm, 6), expected.map(|line| format!("master/{line}")));
    assert_eq!(page(&swarm), shows("running", 20, 1));
}

#[tokio::test(start_paused = true)]
async fn up_to_2_46_5_several_workers_leaving_together_break_the_master() {
    let mut swarm = running("2.46.4", 4, "user_count=60&spawn_rate=20");
    swarm.update_workers(&first_pods(1));
    assert_eq!(page(&swarm), shows("spawning", 45, 3));
    advance_time(&mut swarm, 1, SECOND).await;
    assert_eq!(page(&swarm), shows("running", 20, 1));
    let last = log(&swarm, 0).pop().unwrap_or_default();
    assert!(last.contains("/CRITICAL/locust.runners: Unhandled exception in greenlet"), "{last}");
    assert!(last.ends_with(&format!("KeyError: 'w-2_{:032x}'", 2)), "{last}");
    advance_time(&mut swarm, 3, 4 * SECOND).await;
    assert_eq!(
        page(&swarm),
        shows("stopped", 0, 0),
        "the broken master does not register new workers"
    );
    assert_eq!(swarm.stats()["workers"][0]["state"], "missing");
    assert_eq!(post(&mut swarm, "user_count=60&spawn_rate=20")["success"], true);
    advance_time(&mut swarm, 3, 60 * SECOND).await;
    assert_eq!(page(&swarm), shows("stopped", 0, 0));
    assert_eq!(swarm.stats()["workers"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn up_to_2_46_5_workers_leaving_one_by_one_do_not_break_the_master() {
    let mut swarm = running("2.46.4", 4, "user_count=60&spawn_rate=20");
    for (workers, users) in [(3, 60), (2, 40), (1, 20)] {
        swarm.update_workers(&first_pods(workers));
        advance_time(&mut swarm, workers, SECOND).await;
        assert_eq!(page(&swarm), shows("running", users, workers as u64));
    }
    post(&mut swarm, "user_count=60&spawn_rate=20");
    advance_time(&mut swarm, 1, 10 * SECOND).await;
    assert_eq!(page(&swarm), shows("running", 60, 1));
}
