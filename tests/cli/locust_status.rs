//! `status` shows a running test and its workers.

use locustctl::sandbox::{Action, Fault};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::swarm::{ask, running, wait_for_workers};

use super::locust::run;

#[test]
fn status_shows_the_test_and_each_worker() {
    let cluster = running(5);
    run(&cluster, "scale --replicas=2 --wait");
    wait_for_workers(&cluster, 2);
    let outcome = run(&cluster, "status");
    assert_eq!(outcome.code, Some(0));
    let expected = "Warning: the test has 30 of 60 users\n\
                    To redistribute the users, run: locustctl rebalance deployment/locust-slave\n";
    assert_eq!(outcome.stderr, expected);
    for line in [
        "Locust:      service/locust-master, release 2.47.0\n",
        "State:       running, 30 of 60 users, 15.0 requests/s, 0.0 % failures\n",
        "Workers:     2 connected\n\nWORKER                         STATE     USERS  CPU    MEMORY\n",
        "  running   15     8 %    56 MB\n",
    ] {
        assert!(outcome.stdout.contains(line), "{line} is not in {}", outcome.stdout);
    }
    let object: Value = serde_json::from_str(&run(&cluster, "status -o json").stdout).unwrap();
    let locust = &object["locust"];
    assert_eq!((&locust["users"], &locust["usersWanted"]), (&json!(30), &json!(60)));
    assert_eq!(locust["workers"].as_array().unwrap().len(), 2);
    assert_eq!(locust["notCounted"], json!([]));
    assert!(!run(&cluster, "status deploy/locust-master").stdout.contains("Locust:"));
}

#[test]
fn status_of_the_cluster_shows_a_test_that_the_statistics_do_not_have_yet() {
    let cluster = running(2);
    let stale = json!({"state": "stopped", "user_count": 0, "workers": []}).to_string();
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let answer = Action::Answer { status: 200, headers, body: stale.into_bytes() };
    cluster.handle().inject(Fault::once(answer).at("stats/requests").times(Fault::ALWAYS));
    let outcome = run(&cluster, "status -A");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.ends_with("  running  2          60\n"), "{outcome:?}");
}

#[test]
fn status_names_pods_whose_state_differs_in_locust() {
    let cluster = running(3);
    let stats = ask(&cluster, "GET", "stats/requests", "");
    let mut workers = stats["workers"].as_array().unwrap().clone();
    workers[0]["user_count"] = json!(0);
    workers[1]["cpu_usage"] = json!(95.0);
    workers[2]["state"] = json!("missing");
    let pod =
        |worker: &Value| worker["id"].as_str().unwrap().rsplit_once('_').unwrap().0.to_owned();
    let [idle, busy, missing] = [0, 1, 2].map(|place| pod(&workers[place]));
    let other = format!("other-deployment-1_{:032x}", 7);
    workers.push(json!({"id": other, "state": "running", "user_count": 40}));
    let stats =
        json!({"state": "running", "user_count": 60, "worker_count": 3, "workers": workers});
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let answer = Action::Answer { status: 200, headers, body: stats.to_string().into_bytes() };
    cluster.handle().inject(Fault::once(answer).at("stats/requests").times(3));
    let outcome = run(&cluster, "status");
    let lines: Vec<_> = outcome.stderr.lines().map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            format!("Warning: ready, but not connected to Locust: {missing}"),
            format!("Warning: workers without heartbeats: {missing}"),
            format!("Warning: workers without users: {idle}"),
            format!("Warning: workers above 90 % CPU: {busy}"),
            format!(
                "Warning: 1 of 3 workers has no users; a rebalance must wait: the worker in pod {missing} sends no \
                 heartbeats, and it may come back with its users"
            ),
            "Note: connected workers in other pods: 1".to_owned(),
        ],
        "{outcome:?}"
    );
}

#[test]
fn status_works_without_locust() {
    let cluster = TestCluster::start();
    cluster.handle().delete_object("/api/v1/namespaces/default/services/locust-master");
    let master = "/apis/apps/v1/namespaces/default/deployments/locust-master";
    cluster.handle().set_replicas(master, 0);
    cluster.wait_for(master, |object| object["status"]["replicas"].as_i64().unwrap_or(0) == 0);
    let outcome = run(&cluster, "status");
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    let row = "Locust:      there is no Locust in namespace default; if its master runs elsewhere, name it \
               with --locust=URL\n";
    assert!(outcome.stdout.ends_with(row), "{outcome:?}");
    for line in ["status --locust=none", "status deploy/locust-master", "status -o yaml"] {
        let outcome = run(&cluster, line);
        assert!(!outcome.stdout.to_lowercase().contains("\nlocust:"), "{outcome:?}");
    }
    let outcome = run(&cluster, "status --locust=service/locust-master");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("services \"locust-master\" not found"), "{outcome:?}");
}
