//! Names from a server that would forge a line, objects that are being deleted, and types without a scale
//! subresource.

use locustctl::sandbox::{Action, Fault};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::fake_locust::{FakeLocust, reply};
use support::scaling::{at, run};
use support::{SLAVE, locustctl};

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

/// A cluster whose `deployment/locust-slave` is being deleted, and no controller acts.
fn with_deletion() -> TestCluster {
    let cluster = at(1);
    let mut object = cluster.handle().object(SLAVE).unwrap();
    object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    object["metadata"]["finalizers"] = json!(["example.com/hold"]);
    cluster.handle().put_object(SLAVE, object);
    cluster
}

#[test]
fn status_shows_that_the_object_is_being_deleted() {
    let cluster = with_deletion();
    let outcome = run(&cluster, "status --locust=none");
    assert!(
        outcome
            .stdout
            .contains("\nTerminating: since 2026-01-01T00:00:00Z; waiting for finalizers\n"),
        "{outcome:?}"
    );
    outcome.warns(
        &outcome.stdout,
        "Warning: deployment.apps/locust-slave is being deleted, so no new pods will start\n",
    );
    let json: Value =
        serde_json::from_str(&run(&cluster, "status --locust=none -o json").stdout).unwrap();
    assert_eq!(json["deletionTimestamp"], "2026-01-01T00:00:00Z");
}

#[test]
fn a_wait_for_an_object_that_is_being_deleted_ends_at_once() {
    let cluster = with_deletion();
    let outcome = run(&cluster, "scale --replicas=3 --wait --timeout=1h");
    outcome.exits(1, "deployment.apps/locust-slave scaled from 1 to 3\n");
    let error = "error: deployment.apps/locust-slave was scaled to 3, but its deletion began at \
                 2026-01-01T00:00:00Z, so no new pods will start\n";
    assert!(outcome.stderr.ends_with(error), "{outcome:?}");
}

/// An API server with a type `halves`: its preferred version v2 has no scale subresource. v1 has one if
/// `has_scale_in_v1`. The server answers a request for the scale as if the object did not exist.
fn with_halves(has_scale_in_v1: bool) -> FakeLocust {
    FakeLocust::start(move |request, stream| {
        let resource = |name: &str| {
            json!({"name": name, "singularName": "half", "namespaced": true, "kind": "Half",
                "verbs": ["get", "list", "patch"]})
        };
        let list = |version: &str, resources: Vec<Value>| {
            json!({"kind": "APIResourceList", "apiVersion": "v1",
                "groupVersion": format!("example.com/{version}"), "resources": resources})
        };
        let version = |version: &str| json!({"groupVersion": format!("example.com/{version}"), "version": version});
        let path = request.path.split('?').next().unwrap();
        let found = match path {
            "/api" => json!({"kind": "APIVersions", "versions": []}),
            "/apis" => json!({"kind": "APIGroupList", "groups": [{"name": "example.com",
                "versions": [version("v2"), version("v1")], "preferredVersion": version("v2")}]}),
            "/apis/example.com/v2" => list("v2", vec![resource("halves")]),
            "/apis/example.com/v1" if has_scale_in_v1 => {
                list("v1", vec![resource("halves"), resource("halves/scale")])
            }
            "/apis/example.com/v1" => list("v1", vec![resource("halves")]),
            "/apis/example.com/v2/namespaces/default/halves" => json!({"kind": "HalfList",
                "apiVersion": "example.com/v2", "metadata": {"resourceVersion": "1"},
                "items": [{"metadata": {"name": "h1", "namespace": "default"}}]}),
            _ => {
                let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                    "message": "halves.example.com \"h1\" not found", "reason": "NotFound", "code": 404,
                    "details": {"name": "h1", "group": "example.com", "kind": "halves"}});
                let head = "404 Not Found\nContent-Type: application/json";
                return reply(stream, head, status.to_string());
            }
        };
        reply(stream, "200 OK\nContent-Type: application/json", found.to_string());
    })
}

#[test]
fn a_version_without_scale_is_named_instead_of_the_same_object() {
    const ERROR: &str = "Error from server (NotFound): halves.example.com \"h1\" not found\n";
    for (has_scale_in_v1, advice) in [
        (
            true,
            "half.example.com/h1 cannot be scaled in the version example.com/v2: halves.example.com have no \
             scale subresource there, but they have one in example.com/v1: locustctl scale --replicas=2",
        ),
        (
            false,
            "half.example.com/h1 cannot be scaled: halves.example.com have no scale subresource\n",
        ),
    ] {
        let server = with_halves(has_scale_in_v1);
        let line = format!("scale --replicas=2 half/h1 --server={}", server.url());
        let outcome = locustctl(&line).run();
        assert_eq!((outcome.code, &*outcome.stdout), (Some(1), ""), "{outcome:?}");
        let begin = format!("{ERROR}{advice}");
        assert!(outcome.stderr.starts_with(&begin), "{outcome:?}");
        assert_eq!(outcome.stderr.ends_with(" halves.v1.example.com/h1\n"), has_scale_in_v1);
        assert!(!outcome.stderr.contains("similar"), "{outcome:?}");
    }
}

#[test]
fn a_type_that_cannot_be_scaled_is_named() {
    let cluster = TestCluster::start();
    run(&cluster, "scale --replicas=2 pod/x").refuses(
        "Error from server (NotFound): the server could not find the requested resource\n\
         pod/x cannot be scaled: pods have no scale subresource\n",
    );
}
