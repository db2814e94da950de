//! The simulated Locust of different releases, through the API server.

use std::time::Duration;

use locustctl::sandbox::{Account, Options};
use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::locustctl;
use support::serving::{Http, Reply, wait_until};
use support::swarm::wait_for_workers;

const PODS: &str = "/api/v1/namespaces/default/pods";

fn cluster(release: &str) -> TestCluster {
    let pod_ready_after = Duration::from_millis(100);
    let locust_release = release.parse().unwrap();
    TestCluster::with(Options { pod_ready_after, locust_release, ..Options::default() })
}

fn ask(cluster: &TestCluster, method: &str, path: &str, form: &str) -> Reply {
    let http = Http::new();
    let proxy = "/api/v1/namespaces/default/services/locust-master:8089/proxy";
    let request = http.request(method, &format!("{}{proxy}{path}", cluster.server()));
    http.send(request.bearer_auth(cluster.token(Account::Admin)).body(form.to_owned()))
}

/// The JSON in `window.templateArgs`.
fn args(page: &Reply) -> Value {
    let (_, args) = page.text.split_once("window.templateArgs = ").unwrap();
    serde_json::Deserializer::from_str(args).into_iter().next().unwrap().unwrap()
}

/// State, users and workers on the page.
fn shown(cluster: &TestCluster) -> (Value, Value, Value) {
    let mut args = args(&ask(cluster, "GET", "/", ""));
    (args["state"].take(), args["user_count"].take(), args["worker_count"].take())
}

fn log(cluster: &TestCluster) -> Vec<String> {
    let logs = ask(cluster, "GET", "/logs", "").json();
    logs["master"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn scale(cluster: &TestCluster, replicas: i64) {
    cluster.handle().set_replicas(WORKERS, replicas);
}

/// A cluster with a running test for 60 users on this many workers.
fn running(release: &str, workers: usize) -> TestCluster {
    let cluster = cluster(release);
    scale(&cluster, workers.try_into().unwrap());
    wait_for_workers(&cluster, workers);
    ask(&cluster, "POST", "/swarm", "user_count=60&spawn_rate=20");
    cluster
}

fn pods(cluster: &TestCluster, selector: &str) -> Vec<String> {
    let http = Http::new();
    let url = format!("{}{PODS}?labelSelector={selector}", cluster.server());
    let list =
        http.send(http.request("GET", &url).bearer_auth(cluster.token(Account::Admin))).json();
    let names =
        list["items"].as_array().unwrap().iter().map(|pod| pod["metadata"]["name"].as_str());
    names.map(|name| name.unwrap().to_owned()).collect()
}

#[test]
fn up_to_2_46_5_two_workers_leaving_together_break_the_master() {
    let cluster = running("2.46.4", 3);
    scale(&cluster, 1);
    let ended = (json!("stopped"), json!(0), json!(0));
    // The broken master ends the test after 4 s.
    let broken = [(json!("running"), json!(30), json!(1)), ended.clone()];
    wait_until(|| broken.contains(&shown(&cluster)), || "30 users".to_owned());
    let lines = log(&cluster);
    let error = "/CRITICAL/locust.runners: Unhandled exception in greenlet";
    let line = lines.iter().find(|line| line.contains(error));
    let line = line.unwrap_or_else(|| panic!("{lines:#?}"));
    assert!(line.contains("\nKeyError: 'locust-slave-"), "{line}");
    wait_until(|| shown(&cluster) == ended, || "the end".to_owned());
    let stats = ask(&cluster, "GET", "/stats/requests", "").json();
    assert_eq!(stats["workers"][0]["state"], "missing");
    let last = log(&cluster).pop().unwrap();
    assert!(last.ends_with("The last worker went missing, stopping test."), "{last}");
}

#[test]
fn the_workers_reconnect_to_a_new_master_pod() {
    let cluster = running("2.46.4", 3);
    scale(&cluster, 1);
    wait_until(|| shown(&cluster).0 == "stopped", || "the end of the test".to_owned());
    let list = pods(&cluster, "role%3Dmaster");
    cluster.handle().delete_object(&format!("{PODS}/{}", list[0]));
    let is_new = || {
        let page = ask(&cluster, "GET", "/", "");
        page.status == 200 && args(&page)["state"] == "ready"
    };
    wait_until(is_new, || "a new master".to_owned());
    wait_for_workers(&cluster, 1);
    assert!(log(&cluster)[0].ends_with("/INFO/locust.main: Starting Locust 2.46.4"));
}

#[test]
fn since_2_46_6_the_master_survives_two_workers_leaving_together() {
    let cluster = running("2.46.7", 3);
    scale(&cluster, 1);
    wait_until(
        || shown(&cluster) == (json!("running"), json!(30), json!(1)),
        || "30 users".to_owned(),
    );
    let line = log(&cluster).pop().unwrap();
    assert!(line.contains("/WARNING/locust.runners: Got spawning_complete message"), "{line}");
    scale(&cluster, 2);
    wait_for_workers(&cluster, 2);
}

#[test]
fn since_2_47_0_stop_and_reset_are_post_requests() {
    for (release, right, wrong) in [("2.47.0", "POST", "GET"), ("2.46.7", "GET", "POST")] {
        let cluster = running(release, 1);
        for path in ["/stats/reset", "/stop"] {
            assert_eq!(ask(&cluster, wrong, path, "").status, 405, "{release} {path}");
            assert_eq!(ask(&cluster, right, path, "").status, 200, "{release} {path}");
        }
        assert_eq!(shown(&cluster).0, "stopped", "{release}");
    }
}

#[test]
fn before_2_32_2_an_unknown_path_and_a_wrong_method_are_errors_500() {
    for (release, statuses) in [("2.32.2", (405, 404)), ("2.32.1", (500, 500))] {
        let cluster = cluster(release);
        let (method, path) =
            (ask(&cluster, "POST", "/stop", ""), ask(&cluster, "GET", "/nothing", ""));
        assert_eq!((method.status, path.status), statuses, "{release}");
        assert_eq!(method.text.starts_with("405 Method Not Allowed: "), statuses.0 == 500);
        assert_eq!(path.text.starts_with("404 Not Found: "), statuses.1 == 500);
    }
}

#[test]
fn older_releases_lack_later_features() {
    let cluster = running("2.46.4", 1);
    assert_eq!(args(&ask(&cluster, "GET", "/", ""))["num_users"], Value::Null);
    assert_eq!(ask(&cluster, "POST", "/swarm", "user_count=x&spawn_rate=1").status, 500);
    let cluster = self::cluster("2.32.2");
    assert_eq!(ask(&cluster, "GET", "/worker-count", "").status, 404);
    assert_eq!(ask(&cluster, "GET", "/stats/requests", "").json().get("worker_count"), None);
    assert!(ask(&cluster, "GET", "/logs", "").json()["master"].is_array());
    let cluster = self::cluster("2.25.0");
    assert!(ask(&cluster, "GET", "/logs", "").json()["logs"].is_array());
}

#[test]
fn a_report_can_be_downloaded() {
    let cluster = running("2.47.0", 1);
    let shown = ask(&cluster, "GET", "/stats/report", "");
    assert_eq!(
        (shown.header("content-disposition"), &args(&shown)["show_download_link"]),
        ("", &json!(true))
    );
    let file = ask(&cluster, "GET", "/stats/report?download=1", "");
    let name = file.header("content-disposition");
    assert!(name.starts_with("attachment;filename=Locust_2"), "{name}");
    assert_eq!(args(&file)["show_download_link"], false);
    assert_eq!(args(&file)["start_time"], args(&shown)["start_time"]);
}

#[test]
fn a_run_time_ends_the_test() {
    let cluster = running("2.47.0", 1);
    let answer = ask(&cluster, "POST", "/swarm", "user_count=60&spawn_rate=20&run_time=1s").json();
    assert_eq!(answer["run_time"], 1);
    wait_until(|| shown(&cluster).0 == "stopped", || "the end of the test".to_owned());
    assert_eq!(args(&ask(&cluster, "GET", "/", ""))["run_time"], 1);
}

#[test]
fn with_host_network_workers_have_the_name_of_the_node() {
    let cluster = cluster("2.47.0");
    let mut deployment = cluster.handle().object(WORKERS).unwrap();
    deployment["spec"]["template"]["spec"]["hostNetwork"] = json!(true);
    cluster.handle().put_object(WORKERS, deployment);
    let ids = || {
        let stats = ask(&cluster, "GET", "/stats/requests", "").json();
        let ids = stats["workers"].as_array().unwrap().iter().map(|one| one["id"].to_string());
        ids.collect::<Vec<_>>()
    };
    wait_until(
        || matches!(ids().as_slice(), [id] if id.starts_with("\"sandbox_")),
        || format!("{:?}", ids()),
    );
}

#[test]
fn a_release_that_cannot_be_simulated_is_refused() {
    for (release, problem) in [
        ("2.21.0", "must be from 2.22.0 to 2.47.0"),
        ("latest", "must be a release such as 2.46.4"),
    ] {
        let outcome = locustctl(&format!("sandbox --locust-release={release}")).run();
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        let error = format!(
            "error: invalid argument \"{release}\" for \"--locust-release\" flag: {problem}\n"
        );
        assert!(outcome.stderr.starts_with(&error), "{outcome:?}");
    }
}

/// The header of a CSV file, and the fields of its last row.
fn first_and_last(csv: &str) -> (&str, usize) {
    let last = csv.trim_end().rsplit("\r\n").next().unwrap();
    (csv.split("\r\n").next().unwrap(), last.split(',').count())
}

fn recording(release: &str, file: &str) -> String {
    let results = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/locust/results");
    std::fs::read_to_string(format!("{results}/{release}/{file}")).unwrap()
}

#[test]
fn the_results_have_the_form_of_a_real_locust() {
    for release in ["2.46.4", "2.47.0"] {
        let cluster = running(release, 1);
        let form = "user_count=60&spawn_rate=20&failure_percent=50";
        ask(&cluster, "POST", "/swarm", form);
        let has_failures = || {
            let stats = ask(&cluster, "GET", "/stats/requests", "").json();
            stats["stats"][0]["num_failures"].as_u64() > Some(0)
        };
        wait_until(has_failures, || "a failed request".to_owned());
        let stats = ask(&cluster, "GET", "/stats/requests", "").json();
        let live: Value = serde_json::from_str(&recording(release, "live.json")).unwrap();
        let rates = |stats: &Value| stats["stats"][0].get("total_rps").is_some();
        assert_eq!(rates(&stats), rates(&live), "{release}");
        for (path, file) in [("requests", "requests.csv"), ("failures", "failures.csv")] {
            let reply = ask(&cluster, "GET", &format!("/stats/{path}/csv"), "");
            let recorded = recording(release, file);
            assert_eq!(first_and_last(&reply.text), first_and_last(&recorded), "{release} {path}");
            assert_eq!((reply.status, reply.header("content-type")), (200, "text/csv"));
            let name = reply.header("content-disposition");
            assert!(name.starts_with("attachment;filename=Locust_2"), "{name}");
            assert!(name.ends_with(&format!("_locustfile.py_{file}")), "{name}");
        }
        let exceptions = ask(&cluster, "GET", "/exceptions/csv", "").text;
        let recorded = recording(release, "exceptions.csv");
        assert_eq!(Some(exceptions.trim_end()), recorded.split("\r\n").next());
    }
}

#[test]
fn before_a_test_the_results_are_empty_as_those_of_a_real_locust() {
    let cluster = self::cluster("2.47.0");
    let reply = ask(&cluster, "GET", "/stats/requests/csv", "");
    assert_eq!(reply.text, recording("2.47.0", "before.csv"));
    let history = ask(&cluster, "GET", "/stats/requests_full_history/csv", "");
    let error = "Error: Server was not started with option to generate full history.";
    assert_eq!((history.status, history.text.as_str()), (404, error));
}
