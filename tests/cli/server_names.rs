//! Names from a server that would forge a line.

use locustctl::sandbox::{Action, Fault};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::fake_locust::{FakeLocust, reply};
use support::scaling::run;

/// ESC, a line break, CR and a direction mark.
const FORGED: &str = "a\ndeployment.apps/b scaled from 1 to 3\r\u{1b}[2K\u{202e}";

fn answer(cluster: &TestCluster, method: &str, path: &str, body: &Value) {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let body = body.to_string().into();
    let answer = Action::Answer { status: 200, headers, body };
    cluster.handle().inject(Fault::once(answer).on(method).at(path).times(Fault::ALWAYS));
}

#[test]
fn a_name_from_the_server_cannot_forge_a_line() {
    let cluster = TestCluster::start();
    let name = FORGED.replace('/', ".");
    let item = json!({"metadata": {"name": name, "namespace": "default", "resourceVersion": "1"},
        "spec": {"replicas": 1}});
    answer(
        &cluster,
        "GET",
        "deployments?",
        &json!({"kind": "DeploymentList",
        "apiVersion": "apps/v1", "metadata": {"resourceVersion": "1"}, "items": [item]}),
    );
    answer(
        &cluster,
        "PATCH",
        "/scale",
        &json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": name}, "spec": {"replicas": 3}, "status": {"replicas": 1}}),
    );
    answer(
        &cluster,
        "GET",
        "/scale",
        &json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": name}, "spec": {"replicas": 1}, "status": {"replicas": 1}}),
    );
    let escaped =
        "deployment.apps/a\\u{a}deployment.apps.b scaled from 1 to 3\\u{d}\\u{1b}[2K\\u{202e}";
    let outcome = run(&cluster, "scale --replicas=3 deployments --all");
    outcome.prints(&format!("{escaped} scaled from 1 to 3\n"));
    let outcome = run(&cluster, "scale --replicas=3 deployments --all -o name");
    outcome.prints(&format!("{escaped}\n"));
}

#[test]
fn a_worker_of_locust_cannot_forge_a_line() {
    let cluster = TestCluster::start();
    let stats =
        json!({"state": "running\nServer: x", "user_count": 1, "total_rps": 0, "fail_ratio": 0,
        "workers": [{"id": format!("w\nw2  running  9_{:032x}", 1), "state": "running\u{1b}[1A",
            "user_count": 1, "cpu_usage": 1}]})
        .to_string();
    let locust = FakeLocust::start(move |request, stream| {
        let json = "200 OK\nContent-Type: application/json";
        match &*request.path {
            "/stats/requests" => reply(stream, json, &stats),
            _ => reply(stream, "404 NOT FOUND\nContent-Type: text/html", "no"),
        }
    });
    let outcome = run(&cluster, &format!("status --locust={}", locust.url()));
    assert!(!outcome.stdout.contains("\nServer: x"), "{outcome:?}");
    assert!(!outcome.stdout.contains("\nw2 "), "{outcome:?}");
    assert!(!outcome.stdout.contains('\u{1b}'), "{outcome:?}");
}
