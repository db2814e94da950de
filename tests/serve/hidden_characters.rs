//! Names of the cluster and of users with characters that are not visible.

use serde_json::json;
use support::cluster::TestCluster;
use support::serving::Serving;

const AUTOSCALERS: &str = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";

#[test]
fn names_from_the_cluster_are_shown_with_escapes() {
    let cluster = TestCluster::start();
    cluster.handle().put_object(
        &format!("{AUTOSCALERS}/work\u{200b}ers\u{1b}[2J\u{e0041}"),
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "spec": {"minReplicas": 1, "maxReplicas": 5, "scaleTargetRef":
                {"apiVersion": "apps/v1", "kind": "Deployment", "name": "locust-slave"}}}),
    );
    let serving = Serving::start(&cluster, &[]);
    let state = serving.wait_for_state(|state| state["autoscalers"][0].is_object());
    assert_eq!(state["autoscalers"][0]["name"], "work\\u{200b}ers\\u{1b}[2J\\u{e0041}");
    let page = serving.get("/").text;
    assert!(page.contains("work\\u{200b}ers"), "{page}");
    assert!(!page.contains(['\u{200b}', '\u{1b}', '\u{e0041}']), "{page}");
}

#[test]
fn a_user_name_with_a_hidden_character_is_refused() {
    let cluster = TestCluster::start();
    let flags = ["--auth-proxy-header=X-Forwarded-User", "--trusted-proxy=127.0.0.0/8"];
    let serving = Serving::start(&cluster, &flags);
    serving.wait_for_log("watching deployment");
    for name in ["alice\u{200b}", "alice\u{202e}", "alice\u{e0041}", "\u{feff}alice"] {
        let request = serving.request("GET", "/").header("x-forwarded-user", name.as_bytes());
        let reply = serving.send(request);
        reply.is_problem(401, "Unauthorized", "valid name");
    }
}

#[test]
fn an_error_repeats_a_request_with_escapes() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    let body = format!("{{\"replicas\": 3, \"a{}\": 1}}", '\u{202e}');
    let reply = serving.put("", &body);
    assert_eq!(reply.status, 400);
    assert!(!reply.text.contains('\u{202e}'), "{reply:?}");
}
