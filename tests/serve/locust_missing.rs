//! `locustctl serve` if Locust is missing, does not answer, or has its workers in other pods.

use std::time::Duration;

use locustctl::sandbox::{Account, Action, Fault};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::serving::{Serving, wait_until};
use support::swarm::{running, set_master_ready};
use support::waiting::kubeconfig_of;

use super::locust::served;

#[test]
fn an_unreachable_locust_is_reported_with_its_last_state() {
    let (cluster, serving) = served(2, &[]);
    cluster.handle().delete_object("/api/v1/namespaces/default/services/locust-master");
    // On a busy machine, an answer that is late may be the first problem.
    let missing = "services \"locust-master\" not found";
    let problem = |state: &Value| state["locust"]["problem"].as_str().unwrap().contains(missing);
    let state = serving.wait_for_state(problem);
    assert_eq!(state["locust"]["users"], 60);
    serving.wait_for_log("Locust could not be reached");
    assert_eq!(serving.put("?wait=50s", r#"{"replicas": 3}"#).status, 200);
}

#[test]
fn with_none_locust_gets_no_request() {
    let cluster = running(3);
    let serving = Serving::start(&cluster, &["--locust=none"]);
    serving.wait_until_settled(3);
    cluster.handle().clear_requests();
    let scaled = serving.put("?wait=50s", r#"{"replicas": 1}"#).json();
    assert_eq!((&scaled["users"], &serving.state()["locust"]), (&Value::Null, &Value::Null));
    let requests = cluster.handle().requests();
    assert!(!requests.iter().any(|request| request.path_and_query.contains("/proxy/")));
    let answer = serving.send(serving.request("POST", "/api/rebalance"));
    answer.is_problem(404, "NotFound", "No Locust was found");
}

#[test]
fn a_missing_right_to_find_locust_is_logged_once() {
    let cluster = TestCluster::start();
    let expired = kubeconfig_of(&cluster, cluster.token(Account::Expired));
    let serving = Serving::start_with(expired, &[]);
    serving.wait_for_log("The search for Locust failed");
    for _ in 0..4 {
        // Each new viewer causes a new search.
        serving.state();
        std::thread::sleep(Duration::from_millis(400));
    }
    let log = serving.stderr();
    assert_eq!(log.matches("The search for Locust failed").count(), 1, "{log}");
}

#[test]
fn a_locust_with_workers_in_other_pods_is_named_and_its_users_are_not_redistributed() {
    let cluster = running(3);
    let labels = json!({"app": "other"});
    let container = json!({"name": "web", "image": "web:1"});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
    let spec = json!({"replicas": 2, "selector": {"matchLabels": labels}, "template": template});
    let path = "/apis/apps/v1/namespaces/default/deployments/web-worker";
    cluster.handle().put_object(path, json!({"spec": spec}));
    for arguments in [&[] as &[&str], &["--locust=service/locust-master"]] {
        let serving = Serving::start(&cluster, &[&["deployment/web-worker"], arguments].concat());
        serving.wait_until_settled(2);
        let answer = serving.send(serving.request("POST", "/api/rebalance"));
        let text = "Locust at service/locust-master has 3 workers, and none of them runs in a pod of \
                    deployment.apps/web-worker. Start serve with the address of the right Locust: --locust=URL";
        answer.is_problem(404, "NotFound", text);
    }
    let starts = cluster.request_lines();
    let starts = starts.iter().filter(|line| line.ends_with("proxy/swarm"));
    assert_eq!(starts.count(), 1, "only the start of the test");
}

#[test]
fn a_locust_that_has_not_answered_yet_is_not_taken_for_one_without_a_test() {
    let cluster = running(3);
    let hang = Fault::once(Action::Delay(Duration::from_secs(60)));
    cluster.handle().inject(hang.at("/proxy/").times(Fault::ALWAYS));
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(3);
    let refused = serving.put("", r#"{"replicas": 2}"#);
    refused.is_problem(409, "TestUnknown", "A test may have been started.");
    // The check waits for the pods, and then asks Locust.
    cluster.handle().pause_controllers();
    let reply = serving.put("", r#"{"replicas": 4}"#).json();
    assert_eq!(reply["users"]["stage"], "waiting", "{reply}");
    cluster.handle().clear_faults();
    cluster.handle().resume_controllers();
    let state = serving.wait_for_state(|state| state["history"][0]["users"]["stage"] == "well");
    let text = state["history"][0]["users"]["text"].as_str().unwrap();
    assert!(text.contains("60 users"), "{text}");
}

#[test]
fn a_master_that_is_not_ready_may_have_a_test() {
    for locust in ["auto", "service/locust-master"] {
        let cluster = running(3);
        set_master_ready(&cluster, false);
        let serving = Serving::start(&cluster, &[&format!("--locust={locust}")]);
        serving.wait_until_settled(3);
        let refused = serving.put("", r#"{"replicas": 1}"#);
        refused.is_problem(409, "TestUnknown", "A test may have been started.");
        set_master_ready(&cluster, true);
        let scaled = serving.put("?wait=50s", r#"{"replicas": 1}"#).json();
        assert_eq!(scaled["users"]["stage"], "well", "{locust}: {scaled}");
    }
}

#[test]
fn a_master_that_the_api_server_cannot_reach_may_have_a_test() {
    let cluster = running(3);
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 503,
        "reason": "ServiceUnavailable", "message": "error trying to reach service: dial tcp: i/o timeout"});
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let answer = Action::Answer { status: 503, headers, body: status.to_string().into_bytes() };
    cluster.handle().inject(Fault::once(answer).at("/proxy/").times(Fault::ALWAYS));
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(3);
    let refused = serving.put("", r#"{"replicas": 1}"#);
    refused.is_problem(409, "TestUnknown", "A test may have been started.");
}

#[test]
fn locusts_page_says_that_its_master_is_not_ready() {
    let cluster = running(2);
    let serving = Serving::start(&cluster, &["--locust-ui"]);
    serving.wait_for_state_at("/-/locustctl/api/events", |state| state["locust"]["users"] == 60);
    set_master_ready(&cluster, false);
    let text = "no endpoints available for service";
    let is_said = || serving.get("/stats/requests").text.contains(text);
    wait_until(is_said, || serving.get("/stats/requests").text);
    let answer = serving.get("/stats/requests");
    assert!(!answer.text.contains("No Locust was found"), "{answer:?}");
}

#[test]
fn before_the_first_search_has_ended_nobody_is_told_that_there_is_no_locust() {
    let cluster = running(2);
    let hang = Fault::once(Action::Delay(Duration::from_secs(60)));
    cluster.handle().inject(hang.at("/services?").times(Fault::ALWAYS));
    let serving = Serving::start(&cluster, &["--locust-ui"]);
    let answer = serving.get("/stats/requests");
    let text =
        "locustctl has not reached the Locust of deployment.apps/locust-slave yet. Try again.";
    answer.is_problem(502, "LocustSilent", text);
}
