//! The HTTP API of `locustctl serve`: its answers, and its requests to the cluster.

use std::time::Duration;

use locustctl::sandbox::{Account, Action, Fault, Options, PodFailure, Rights, Rule};
use serde_json::json;
use support::cluster::{TestCluster, WORKERS};
use support::serving::Serving;
use support::waiting::kubeconfig_of;

#[test]
fn reading_the_count_sends_no_request_to_the_cluster() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    cluster.handle().clear_requests();
    for _ in 0..50 {
        let scale = serving.get("/api/scale").json();
        assert_eq!(
            scale,
            json!({"target": {"type": "deployment.apps", "name": "locust-slave",
                "namespace": "default", "cluster": cluster.server(), "context": "sandbox",
                "simulated": false},
                "replicas": 1, "current": 1, "ready": 1, "settled": true})
        );
    }
    let asked: Vec<_> = cluster.request_lines();
    assert!(!asked.iter().any(|line| line.contains(WORKERS)), "{asked:?}");
}

#[test]
fn a_change_returns_the_old_and_the_new_count_and_is_visible_immediately() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    for (body, old, new) in [
        (r#"{"replicas": 3}"#, 1, 3),
        (r#"{"by": 2}"#, 3, 5),
        (r#"{"by": -1}"#, 5, 4),
        (r#"{"replicas": 4}"#, 4, 4),
        (r#"{"replicas": 2, "currentReplicas": 4}"#, 4, 2),
        (r#"{"by": -7}"#, 2, 0),
    ] {
        let reply = serving.put("", body);
        assert_eq!(reply.status, 200, "{reply:?}");
        let answer = reply.json();
        assert_eq!((&answer["old"], &answer["new"]), (&json!(old), &json!(new)), "{body}");
        assert_eq!(answer["dryRun"], false);
        assert_eq!(serving.get("/api/scale").json()["replicas"], new, "{body}");
        assert_eq!(cluster.workers(), new);
    }
    serving.wait_until_settled(0);
}

#[test]
fn a_change_is_a_get_and_a_patch_and_with_a_condition_only_a_patch() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    let scale = format!("{WORKERS}/scale");
    let sent = |body: &str| {
        cluster.handle().clear_requests();
        assert_eq!(serving.put("", body).status, 200);
        let lines = cluster.request_lines();
        lines.into_iter().filter(|line| line.contains(&scale)).collect::<Vec<_>>()
    };
    let get = format!("GET {scale}");
    let lines = sent(r#"{"replicas": 3}"#);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0] == get && lines[1].starts_with("PATCH "), "{lines:?}");
    let lines = sent(r#"{"replicas": 2, "currentReplicas": 3}"#);
    assert!(lines.len() == 1 && lines[0].starts_with("PATCH "), "{lines:?}");
}

#[test]
fn invalid_bodies_are_refused_before_any_request() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &["--min-replicas=1", "--max-replicas=10"]);
    serving.wait_until_settled(1);
    cluster.handle().clear_requests();
    for (query, body, status, reason, detail) in [
        ("", "{}", 400, "BadRequest", "The body needs replicas or by"),
        ("", "", 400, "BadRequest", "{\"replicas\": 3}"),
        ("", r#"{"replicas": "3"}"#, 400, "BadRequest", "invalid type: string"),
        ("", r#"{"replicas": 3, "by": 1}"#, 400, "BadRequest", "must not have both"),
        ("", r#"{"workers": 3}"#, 400, "BadRequest", "unknown field"),
        (
            "?dryrun=true",
            r#"{"replicas": 3}"#,
            400,
            "BadRequest",
            "parameter \"dryrun\" is unknown",
        ),
        ("?wait=soon", r#"{"replicas": 3}"#, 400, "BadRequest", "duration"),
        ("", r#"{"replicas": -1}"#, 422, "Invalid", "from 0 to 2147483647"),
        ("", r#"{"replicas": 4294967297}"#, 422, "Invalid", "from 0 to 2147483647"),
    ] {
        serving.put(query, body).is_problem(status, reason, detail);
    }
    let text = serving.request("PUT", "/api/scale").body("{\"replicas\": 3}");
    serving.send(text).is_problem(415, "UnsupportedMediaType", "application/json");
    let lines = cluster.request_lines();
    assert!(!lines.iter().any(|line| line.contains(WORKERS)), "{lines:?}");
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn the_limits_also_apply_to_relative_changes() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &["--min-replicas=1", "--max-replicas=10"]);
    serving.wait_until_settled(1);
    let allowed = "the limits of serve are 1 to 10 replicas (--min-replicas, --max-replicas)";
    for body in [r#"{"replicas": 11}"#, r#"{"replicas": 0}"#, r#"{"by": 10}"#, r#"{"by": -1}"#] {
        serving.put("", body).is_problem(422, "Invalid", allowed);
    }
    assert_eq!(serving.put("", r#"{"by": 9}"#).json()["new"], 10);
    assert_eq!(cluster.workers(), 10);
}

#[test]
fn a_condition_that_does_not_hold_is_a_409_with_the_present_count() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    let reply = serving.put("", r#"{"replicas": 3, "currentReplicas": 9}"#);
    reply.is_problem(409, "Conflict", "Expected replicas to be 9, was 1");
    assert_eq!(reply.json()["currentReplicas"], 1);
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_dry_run_changes_nothing_and_is_not_in_the_history() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    let answer = serving.put("?dryRun=true&wait=5s", r#"{"replicas": 3}"#).json();
    assert_eq!(
        (&answer["old"], &answer["new"], &answer["dryRun"]),
        (&json!(1), &json!(3), &json!(true))
    );
    assert_eq!(answer["settled"], false);
    assert_eq!(cluster.workers(), 1);
    assert_eq!(serving.state()["history"], json!([]));
    serving.wait_for_log("action=\"scale (dry run)\" old=1 new=3 outcome=scaled");
}

#[test]
fn with_wait_the_answer_comes_when_all_workers_are_ready() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    let answer = serving.put("?wait=50s", r#"{"replicas": 4}"#).json();
    assert_eq!((&answer["ready"], &answer["settled"]), (&json!(4), &json!(true)));
    let answer = serving.put("?wait=50s", r#"{"replicas": 1}"#).json();
    assert_eq!((&answer["ready"], &answer["settled"]), (&json!(1), &json!(true)));
}

#[test]
fn a_wait_that_times_out_reports_the_change_and_the_reason() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
    let reply = serving.put("?wait=5s", r#"{"replicas": 3}"#);
    reply.is_problem(504, "Timeout", "was scaled from 1 to 3, but after 5s only 1 of 3");
    reply.is_problem(504, "Timeout", "2 pods: ");
    let problem = reply.json();
    assert_eq!(
        (&problem["old"], &problem["new"], &problem["ready"]),
        (&json!(1), &json!(3), &json!(1))
    );
    assert_eq!(cluster.workers(), 3);
}

#[test]
fn a_wait_ends_with_the_count_of_another_change() {
    let options = Options { pod_ready_after: Duration::from_secs(60), ..Options::default() };
    let cluster = TestCluster::with(options);
    let serving = Serving::start(&cluster, &[]);
    serving.wait_for_scale(|reply| reply.status == 200);
    let reply = std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let other = support::serving::Http::new();
            let url = format!("{}/api/scale?wait=30s", serving.url());
            let request = other.request("PUT", &url).header("content-type", "application/json");
            other.send(request.body(r#"{"replicas": 3}"#))
        });
        cluster.wait_for(WORKERS, |object| object["spec"]["replicas"] == 3);
        serving.wait_for_state(|state| state["replicas"]["desired"] == 3);
        cluster.handle().set_replicas(WORKERS, 5);
        running.join().unwrap()
    });
    reply.is_problem(409, "Overtaken", "another client scaled it to 5 in the meantime");
    assert_eq!(reply.json()["currentReplicas"], 5);
}

#[test]
fn a_refusal_by_the_cluster_is_passed_on_with_its_reason() {
    let cluster = TestCluster::start();
    let viewer = kubeconfig_of(&cluster, cluster.token(Account::Viewer));
    let serving = Serving::start_with(viewer, &[]);
    serving.wait_until_settled(1);
    serving.put("", r#"{"replicas": 3}"#).is_problem(403, "Forbidden", "cannot patch resource");
    serving.wait_for_log("old=1 new=3 outcome=failed");

    let patch = |status: u16, reason: &str| {
        let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
            "message": "no", "reason": reason, "code": status});
        // In one hour. serve must not wait that long.
        let headers = [("content-type", "application/json"), ("retry-after", "3600")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let body = body.to_string().into_bytes();
        Fault::once(Action::Answer { status, headers, body }).on("PATCH")
    };
    let serving = Serving::start(&cluster, &[]);
    for (status, reason, expected) in [
        (400, "BadRequest", 400),
        (404, "NotFound", 404),
        (429, "TooManyRequests", 429),
        (401, "Unauthorized", 502),
        (422, "Invalid", 422),
    ] {
        cluster.handle().inject(patch(status, reason).times(20));
        serving.put("", r#"{"replicas": 3}"#).is_problem(expected, reason, "no");
        cluster.handle().clear_faults();
    }
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn a_lost_answer_is_not_reported_as_a_failed_change() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    cluster.handle().inject(Fault::once(Action::CloseAfter).on("PATCH"));
    let reply = serving.put("", r#"{"replicas": 3}"#);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.json()["message"].as_str().unwrap().contains("but it has 3 replicas now"));
    cluster.handle().inject(Fault::once(Action::CloseAfter).on("PATCH"));
    let reply = serving.put("", r#"{"by": 1}"#);
    assert_eq!(reply.status, 502, "{reply:?}");
    reply.is_problem(502, "Unknown", "is at 4 now");
    let state = serving.wait_for_state(|state| state["replicas"]["desired"] == 4);
    assert_eq!(state["history"][0]["outcome"], "unknown", "{state:#}");
}

#[test]
fn a_missing_target_is_a_404_until_it_exists() {
    let cluster = TestCluster::start();
    let object = cluster.handle().object(WORKERS).unwrap();
    cluster.handle().delete_object(WORKERS);
    let serving = Serving::start(&cluster, &["deployment/locust-slave"]);
    let reply = serving.wait_for_scale(|reply| reply.status == 404);
    reply.is_problem(404, "NotFound", "There is no deployment.apps \"locust-slave\"");
    serving.put("", r#"{"replicas": 3}"#).is_problem(404, "NotFound", "locust-slave");
    cluster.handle().put_object(WORKERS, object);
    serving.wait_until_settled(1);
}

#[test]
fn changes_by_other_clients_are_reported_as_such() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    assert_eq!(serving.put("", r#"{"replicas": 2}"#).status, 200);
    serving.wait_until_settled(2);
    cluster.handle().set_replicas(WORKERS, 4);
    let state = serving.wait_for_state(|state| state["replicas"]["desired"] == 4);
    let change = |index: usize| {
        let entry = &state["history"][index];
        (entry["old"].clone(), entry["new"].clone(), entry["outcome"].clone())
    };
    assert_eq!(change(0), (json!(2), json!(4), json!("observed")));
    assert_eq!(change(1), (json!(1), json!(2), json!("scaled")));
    assert_eq!(state["history"].as_array().unwrap().len(), 2, "{state:#}");
}

#[test]
fn other_types_and_custom_resources_are_served() {
    let cluster = TestCluster::with(Options {
        custom_resources: true,
        pod_ready_after: Duration::from_millis(50),
        ..Options::default()
    });
    let serving = Serving::start(&cluster, &["swarm/big"]);
    serving.wait_for_scale(|reply| reply.status == 200 && reply.json()["replicas"] == 4);
    let answer = serving.put("", r#"{"replicas": 6}"#).json();
    assert_eq!((&answer["old"], &answer["new"]), (&json!(4), &json!(6)));
    assert_eq!(serving.get("/api/scale").json()["ready"], json!(null));
}

#[test]
fn serve_works_with_the_minimal_rights() {
    let cluster = TestCluster::start();
    let rules = vec![
        Rule::new(&["get", "watch"], &["apps"], &["deployments"], &["locust-slave"]),
        Rule::new(&["get", "patch"], &["apps"], &["deployments/scale"], &["locust-slave"]),
    ];
    cluster.handle().add_account("serve-token-of-the-test", "serve", Rights::Rules(rules));
    let serving = Serving::start_with(kubeconfig_of(&cluster, "serve-token-of-the-test"), &[]);
    serving.wait_until_settled(1);
    assert_eq!(serving.put("?wait=50s", r#"{"replicas": 3}"#).json()["ready"], 3);
    let state = serving.wait_for_state(|state| !state["podsUnknown"].is_null());
    assert!(state["podsUnknown"].as_str().unwrap().contains("forbidden"), "{state:#}");
    serving.wait_for_log("cannot read the autoscalers of");
}

#[test]
fn metrics_count_requests_and_changes() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    serving.put("?wait=50s", r#"{"replicas": 3}"#);
    serving.put("", r#"{"replicas": 3}"#);
    serving.put("", r#"{"replicas": 300}"#);
    serving.get("/nothing-here");
    let reply = serving.get("/metrics");
    assert!(reply.header("content-type").starts_with("application/openmetrics-text"));
    for line in [
        "locustctl_replicas_desired 3.0",
        "locustctl_replicas_ready 3.0",
        "locustctl_cluster_connected 1",
        "locustctl_scale_operations_total{outcome=\"scaled\"} 1",
        "locustctl_scale_operations_total{outcome=\"unchanged\"} 1",
        "locustctl_scale_operations_total{outcome=\"failed\"} 1",
        "locustctl_http_requests_total{route=\"/api/scale\",method=\"PUT\",code=\"200\"} 2",
        "locustctl_http_requests_total{route=\"none\",method=\"GET\",code=\"404\"} 1",
        "locustctl_watch_restarts_total 0",
        "locustctl_event_streams 0",
    ] {
        assert!(reply.text.lines().any(|is| is == line), "{line} is not in\n{}", reply.text);
    }
}

#[test]
fn health_and_readiness_differ() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    assert_eq!(serving.get("/healthz").text, "ok\n");
    serving.wait_until_settled(1);
    let ready = serving.get("/readyz");
    assert_eq!((ready.status, &*ready.text), (200, "ok\n"));
}

#[test]
fn unknown_paths_and_methods_are_problems() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.get("/nothing-here").is_problem(404, "NotFound", "/api/openapi.json");
    let reply = serving.send(serving.request("DELETE", "/api/scale"));
    assert_eq!((reply.status, reply.header("allow")), (405, "GET,HEAD,PUT"));
}

#[test]
fn unknown_counts_are_missing_in_the_metrics() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &["deployment/nobody"]);
    serving.wait_for_scale(|reply| reply.status == 404);
    let metrics = serving.get("/metrics").text;
    assert!(metrics.contains("locustctl_replicas_desired NaN\n"), "{metrics}");
}

#[test]
fn other_bodies_than_objects_and_repeated_parameters_are_refused() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    serving.put("", "[3]").is_problem(400, "BadRequest", "must be an object");
    let twice = serving.put("?dryRun=true&dryRun=false", r#"{"replicas": 3}"#);
    twice.is_problem(400, "BadRequest", "repeated");
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn the_page_shows_a_failure_and_does_not_ask_about_a_change_that_is_refused() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &["--max-replicas=10"]);
    serving.wait_until_settled(1);
    assert_eq!(serving.post("worker_count=1000").status, 422);
    let page = serving.get("/?done=1").text;
    assert!(page.contains("class=\"note bad\""), "{page}");
    assert!(page.contains("locust-slave was not scaled."), "{page}");
    assert_eq!(cluster.workers(), 1);
}

#[test]
fn the_page_gives_the_advice_for_an_unknown_result_once() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    cluster.handle().inject(Fault::once(Action::CloseAfter).on("PATCH"));
    let reply = serving.put("", r#"{"replicas": 3, "currentReplicas": 1}"#);
    reply.is_problem(502, "Unknown", "check it before you try again");
    let page = serving.get("/?done=1").text;
    let (_, notice) = page.split_once("id=\"notice\"").unwrap();
    let (notice, _) = notice.split_once("</p>").unwrap();
    assert!(notice.contains(">locust-slave may have been scaled to 3. The cluster"), "{notice}");
    assert_eq!(notice.to_lowercase().matches("check").count(), 1, "{notice}");
}
