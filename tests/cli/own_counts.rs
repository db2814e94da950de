//! Types without a scale subresource: Jobs, and the LocustTests of two operators.

use std::time::Duration;

use locustctl::sandbox::{Action, Fault, InitialObjects, Layout, LocustRelease, Options};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::scaling::run;
use support::terminal::Terminal;

const TEST: &str = "/apis/locust.cloud/v1/namespaces/default/locusttests/demo";
const JOB: &str = "/apis/batch/v1/namespaces/default/jobs/demo-worker";

fn with(layout: Layout) -> TestCluster {
    let objects = InitialObjects::Layout(layout);
    let pod_ready_after = Duration::from_millis(100);
    TestCluster::with(Options { objects, pod_ready_after, ..Options::default() })
}

fn operator() -> TestCluster {
    with(Layout::named("locust-cloud", LocustRelease::LATEST).unwrap())
}

fn job(spec: Value) -> TestCluster {
    let mut spec = spec;
    spec["template"] = json!({ "spec": { "containers": [{ "name": "c", "image": "i" }] } });
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job",
        "metadata": { "name": "demo-worker" }, "spec": spec });
    with(Layout::new([job]).unwrap())
}

/// The requests, without those of discovery.
fn requests(cluster: &TestCluster) -> Vec<String> {
    let is_discovery = |line: &String| line.contains("timeout=32s");
    let lines = cluster.request_lines().into_iter();
    lines.filter(|line| !is_discovery(line)).map(|line| line.replace("namespaces/", "")).collect()
}

#[test]
fn a_locust_test_is_scaled_by_its_workers() {
    let cluster = operator();
    for (target, old, new) in
        [("locusttest/demo", 1, 2), ("lt demo", 2, 3), ("locusttests.locust.cloud/demo", 3, 5)]
    {
        run(&cluster, &format!("scale --replicas={new} {target}"))
            .prints(&format!("locusttest.locust.cloud/demo scaled from {old} to {new}\n"));
        assert_eq!(cluster.handle().replicas(TEST), Some(new));
    }
    cluster.wait_for(JOB, |job| job["status"]["ready"] == 5);
    run(&cluster, "scale --by=-1 locusttest/demo --wait")
        .prints("locusttest.locust.cloud/demo scaled from 5 to 4\n");
}

#[test]
fn a_job_is_scaled_by_its_parallelism() {
    let cluster = job(json!({ "parallelism": 2 }));
    run(&cluster, "scale --replicas=3 job/demo-worker")
        .prints("job.batch/demo-worker scaled from 2 to 3\n");
    let expected = [
        "GET /apis/batch/v1/default/jobs/demo-worker",
        "PATCH /apis/batch/v1/default/jobs/demo-worker",
    ];
    assert_eq!(requests(&cluster), expected);
    let patch = cluster.handle().requests().pop().unwrap();
    assert_eq!(
        String::from_utf8(patch.body).unwrap(),
        r#"[{"op":"test","path":"/spec/parallelism","value":2},{"op":"add","path":"/spec/parallelism","value":3}]"#
    );
    run(&cluster, "scale --replicas=0 jobs.batch/demo-worker")
        .prints("job.batch/demo-worker scaled from 3 to 0\n");
    run(&cluster, "scale --by=+2 job demo-worker")
        .prints("job.batch/demo-worker scaled from 0 to 2\n");
    run(&cluster, "scale --replicas=2 job demo-worker")
        .prints("job.batch/demo-worker scaled from 2 to 2 (no change)\n");
}

#[test]
fn the_wait_ends_when_the_pods_of_a_job_are_ready() {
    let cluster = job(json!({ "parallelism": 1 }));
    run(&cluster, "scale --replicas=3 job/demo-worker --wait")
        .exits(0, "job.batch/demo-worker scaled from 1 to 3\n");
    assert_eq!(cluster.handle().object(JOB).unwrap()["status"]["ready"], 3);
    run(&cluster, "scale --replicas=1 job/demo-worker --timeout=20s")
        .prints("job.batch/demo-worker scaled from 3 to 1\n");
}

#[test]
fn the_wait_gives_the_reason_of_pods_that_do_not_start() {
    let cluster = operator();
    cluster.handle().set_pod_failure(Some(locustctl::sandbox::PodFailure::ImagePull));
    let outcome = run(&cluster, "scale --replicas=2 locusttest/demo --wait --timeout=3s");
    outcome.exits(1, "locusttest.locust.cloud/demo scaled from 1 to 2\n");
    assert!(outcome.stderr.contains("1 of 2 replicas are ready"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("ImagePullBackOff"), "{}", outcome.stderr);
}

#[test]
fn conditions_are_checked_by_the_server() {
    let cluster = operator();
    run(&cluster, "scale --current-replicas=1 --replicas=2 locusttest/demo")
        .prints("locusttest.locust.cloud/demo scaled from 1 to 2\n");
    assert!(requests(&cluster).iter().all(|line| line.starts_with("PATCH")));
    run(&cluster, "scale --current-replicas=9 --replicas=3 locusttest/demo")
        .refuses("error: Expected replicas to be 9, was 2\n");
    run(&cluster, "scale --resource-version=1 --replicas=3 locusttest/demo").exits(1, "");
    // The operator changes the object, and its version, as long as pods come and go.
    cluster.handle().pause_controllers();
    let object = cluster.handle().object(TEST).unwrap();
    let version = object["metadata"]["resourceVersion"].as_str().unwrap();
    let line = format!("scale --resource-version={version} --replicas=3 locusttest/demo");
    run(&cluster, &line).prints("locusttest.locust.cloud/demo scaled from 2 to 3\n");
}

#[test]
fn a_change_by_another_client_is_not_lost() {
    let cluster = job(json!({ "parallelism": 1 }));
    cluster.handle().inject(Fault::once(Action::RivalIncrement).on("PATCH"));
    run(&cluster, "scale --by=+1 job/demo-worker")
        .prints("job.batch/demo-worker scaled from 2 to 3\n");
}

#[test]
fn a_dry_run_changes_nothing() {
    let cluster = operator();
    for mode in ["client", "server"] {
        let line = format!("scale --replicas=4 locusttest/demo --dry-run={mode}");
        let printed = match mode {
            "client" => "locusttest.locust.cloud/demo scaled (dry run) from 1 to 4\n",
            _ => "locusttest.locust.cloud/demo scaled (server dry run) from 1 to 4\n",
        };
        run(&cluster, &line).prints(printed);
    }
    assert_eq!(cluster.handle().replicas(TEST), Some(1));
}

#[test]
fn the_printed_object_has_the_new_count() {
    let cluster = operator();
    let outcome = run(&cluster, "scale --replicas=4 locusttest/demo -o json");
    let object: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&object["kind"], &object["spec"]["workers"]), (&json!("LocustTest"), &json!(4)));
    run(&cluster, "scale --replicas=5 locusttest/demo -o name")
        .prints("locusttest.locust.cloud/demo\n");
    run(&cluster, "scale --replicas=6 locusttest/demo -o jsonpath={.spec.workers}").prints("6");
}

#[test]
fn zero_workers_are_refused_by_the_server() {
    let cluster = operator();
    let outcome = run(&cluster, "scale --replicas=0 locusttest/demo");
    outcome.exits(1, "");
    let text =
        "spec.workers: Invalid value: 0: spec.workers in body should be greater than or equal to 1";
    assert!(outcome.stderr.contains(text), "{}", outcome.stderr);
}

#[test]
fn the_test_of_the_other_operator_is_not_changed() {
    let both = ["locust-cloud", "locust-io"]
        .map(|name| format!("--sandbox --layout={name} status locusttest/demo --locust=none"));
    for line in both {
        let outcome = support::locustctl(&line).run();
        assert!(outcome.stdout.contains("1 desired, 1 current, 1 ready"), "{outcome:?}");
    }
    let cluster = with(Layout::named("locust-io", LocustRelease::LATEST).unwrap());
    for target in ["locusttest/demo", "locusttests.locust.io/demo", "locusttests.v1.locust.io/demo"]
    {
        run(&cluster, &format!("scale --replicas=3 {target}")).refuses(
            "error: locusttest.locust.io/demo was not changed, because its operator ignores changes: \
             delete it, and create it again with another number of workers\n",
        );
    }
    assert!(requests(&cluster).is_empty(), "{:?}", requests(&cluster));
}

#[test]
fn a_job_with_completions_gets_a_warning() {
    let cluster = job(json!({ "parallelism": 1, "completions": 2 }));
    let outcome = run(&cluster, "scale --replicas=3 job/demo-worker --wait");
    outcome.exits(0, "job.batch/demo-worker scaled from 1 to 3\n");
    let warning = "Warning: job.batch/demo-worker ends after 2 completions, so fewer pods than \
                   requested may run\n";
    assert!(outcome.stderr.starts_with(warning), "{}", outcome.stderr);
    assert_eq!(cluster.handle().object(JOB).unwrap()["status"]["active"], 2);
}

#[test]
fn many_jobs_are_scaled_at_once() {
    let cluster = with(Layout::named("locust-io", LocustRelease::LATEST).unwrap());
    run(&cluster, "scale --replicas=2 jobs --all").prints(
        "job.batch/demo-master scaled from 1 to 2\njob.batch/demo-worker scaled from 1 to 2\n",
    );
}

/// Adds a HorizontalPodAutoscaler for the workers.
fn with_autoscaler() -> TestCluster {
    let cluster = TestCluster::start();
    let path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/by-cpu";
    let reference =
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "locust-slave" });
    let spec = json!({ "scaleTargetRef": reference, "minReplicas": 2, "maxReplicas": 10 });
    cluster.handle().put_object(path, json!({ "spec": spec }));
    cluster.handle().clear_requests();
    cluster
}

const WARNING: &str = "Warning: HorizontalPodAutoscaler \"by-cpu\" keeps deployment.apps/locust-slave \
                       between 2 and 10 replicas, so it may undo a manual scale\n";

#[test]
fn a_scale_that_waits_warns_about_autoscalers() {
    let cluster = with_autoscaler();
    let outcome = run(&cluster, "scale --replicas=3 --wait");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 1 to 3\n");
    assert!(outcome.stderr.contains(WARNING), "{}", outcome.stderr);
    let outcome = run(&cluster, "scale --replicas=0 --wait");
    assert!(!outcome.stderr.contains("Warning"), "{}", outcome.stderr);
}

#[test]
fn a_scale_in_a_script_asks_for_no_autoscalers() {
    let cluster = with_autoscaler();
    run(&cluster, "scale --replicas=3").prints("deployment.apps/locust-slave scaled from 1 to 3\n");
    assert_eq!(cluster.request_lines().len(), 2);
}

#[test]
fn a_scale_on_a_terminal_warns_about_autoscalers() {
    let cluster = with_autoscaler();
    let (code, screen) = Terminal::start(&cluster, "scale --replicas=3").end();
    assert_eq!(code, Some(0), "{screen}");
    let line = "deployment.apps/locust-slave scaled from 1 to 3\n";
    assert_eq!(screen, format!("{line}{WARNING}"));
}

#[test]
fn a_missing_right_to_list_autoscalers_is_silent() {
    let cluster = with_autoscaler();
    let forbidden = Action::Answer { status: 403, headers: Vec::new(), body: Vec::new() };
    cluster.handle().inject(Fault::once(forbidden).at("/horizontalpodautoscalers"));
    let outcome = run(&cluster, "scale --replicas=3 --wait");
    outcome.exits(0, "deployment.apps/locust-slave scaled from 1 to 3\n");
    assert!(!outcome.stderr.contains("autoscaler"), "{}", outcome.stderr);
}
