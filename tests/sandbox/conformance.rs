//! The sandbox answers as a real API server does. Each recording is replayed in the state in which
//! it was made. Status, headers and body are compared.

use std::time::Duration;

use locustctl::sandbox::{Account, ClusterHandle, InitialObjects, Options, Rights};
use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};

use crate::http::Answer;
use crate::recordings::{Compare, agrees, comparable, recording, recordings};

/// The state of the cluster before a recording.
enum State {
    /// Deployment `locust-slave` with this count in its spec and this count in its status.
    Workers {
        wanted: i64,
        counted: i64,
    },
    /// The same as `Workers`. The request has the object's current resourceVersion.
    CurrentVersion {
        wanted: i64,
        counted: i64,
    },
    /// The objects in the recorded response.
    AsAnswered,
    /// The custom resource `big` with this many workers, and `unset` without a count.
    Swarms {
        big: i64,
    },
    /// An object of another type with one replica.
    One {
        path: &'static str,
        app: &'static str,
    },
    /// A Locust master with one worker, with or without a test for 5 users.
    Locust {
        is_running: bool,
    },
    Any,
}

/// The account of a request. The recordings do not have the administrator's token.
enum Caller {
    Admin,
    Anonymous,
    /// The credentials in the recorded headers. The user bob has no rights.
    Recorded,
}

use Caller::{Admin, Anonymous, Recorded};
use Compare::{EntriesAmong, Exactly, Fields};
use State::{Any, AsAnswered, CurrentVersion, Locust, One, Swarms, Workers};

const fn workers(wanted: i64, counted: i64) -> State {
    Workers { wanted, counted }
}

const TESTED: &[(&str, State, Caller, Compare)] = &[
    ("01", workers(2, 2), Admin, Exactly),
    ("02", workers(2, 2), Admin, Exactly),
    ("03", workers(3, 2), Admin, Exactly),
    ("04", workers(3, 3), Admin, Exactly),
    ("05", workers(4, 3), Admin, Exactly),
    ("06", CurrentVersion { wanted: 4, counted: 4 }, Admin, Exactly),
    ("07", workers(2, 4), Admin, Exactly),
    ("08", CurrentVersion { wanted: 2, counted: 2 }, Admin, Exactly),
    ("09", workers(0, 0), Admin, Exactly),
    ("10", workers(0, 0), Admin, Exactly),
    ("11", workers(0, 0), Admin, Exactly),
    ("12", workers(0, 0), Admin, Exactly),
    ("13", workers(1, 0), Admin, Exactly),
    ("14", workers(2, 2), Admin, Exactly),
    ("15", workers(3, 3), Admin, Exactly),
    ("16", workers(3, 3), Admin, Exactly),
    ("17", workers(3, 3), Admin, Exactly),
    ("18", workers(3, 3), Admin, Exactly),
    ("19", AsAnswered, Admin, Exactly),
    ("20", workers(2, 2), Admin, Exactly),
    ("21", workers(2, 2), Admin, Exactly),
    ("22", workers(2, 2), Admin, Exactly),
    ("23", workers(2, 2), Admin, Exactly),
    ("24", workers(2, 2), Admin, Exactly),
    ("25", workers(2, 2), Admin, Exactly),
    ("26", workers(2, 2), Admin, Exactly),
    ("27", workers(2, 2), Admin, Exactly),
    ("28", workers(2, 2), Admin, Exactly),
    ("29", Any, Admin, Exactly),
    ("30", Any, Admin, Exactly),
    ("31", workers(2, 2), Admin, Exactly),
    ("32", Any, Admin, Exactly),
    ("33", Any, Admin, Exactly),
    ("34", Any, Admin, Exactly),
    ("35", workers(2, 2), Anonymous, Exactly),
    ("36", workers(2, 2), Recorded, Exactly),
    ("37", workers(2, 2), Recorded, Exactly),
    ("38", workers(2, 2), Recorded, Exactly),
    ("39", workers(2, 2), Admin, Exactly),
    ("40", AsAnswered, Admin, Exactly),
    ("41", workers(2, 2), Admin, Exactly),
    ("42", workers(2, 2), Admin, Exactly),
    ("43", Any, Admin, EntriesAmong("/resources", "/name")),
    ("44", Any, Admin, EntriesAmong("/resources", "/name")),
    ("45", Any, Admin, EntriesAmong("/groups", "/name")),
    ("46", Any, Admin, EntriesAmong("/items", "/metadata/name")),
    ("47", Any, Admin, Compare::Version),
    ("48", workers(2, 2), Admin, Exactly),
    ("49", Any, Admin, Exactly),
    (
        "50",
        One { path: "/apis/apps/v1/namespaces/default/statefulsets/web", app: "web" },
        Admin,
        Exactly,
    ),
    (
        "51",
        One { path: "/apis/apps/v1/namespaces/default/replicasets/front", app: "front" },
        Admin,
        Exactly,
    ),
    (
        "52",
        One { path: "/api/v1/namespaces/default/replicationcontrollers/old", app: "old" },
        Admin,
        Exactly,
    ),
    ("53", Swarms { big: 4 }, Admin, Exactly),
    ("54", Swarms { big: 4 }, Admin, Exactly),
    ("55", Swarms { big: 4 }, Admin, Exactly),
    ("56", Swarms { big: 4 }, Admin, Exactly),
    ("57", Swarms { big: 4 }, Admin, Exactly),
    ("58", Swarms { big: 6 }, Admin, Exactly),
    ("61", Locust { is_running: false }, Admin, Exactly),
    ("62", Locust { is_running: false }, Admin, Exactly),
    ("63", Locust { is_running: false }, Admin, Fields),
    ("64", Locust { is_running: false }, Admin, Exactly),
    ("65", Locust { is_running: true }, Admin, Fields),
    ("66", Locust { is_running: true }, Admin, Exactly),
    ("67", Locust { is_running: false }, Admin, Exactly),
    ("68", Locust { is_running: false }, Admin, Exactly),
    ("69", Locust { is_running: false }, Admin, Exactly),
    ("70", Locust { is_running: false }, Recorded, Exactly),
];

/// Watches have their own tests.
const WATCHES: &[&str] = &["59", "60"];

#[test]
fn every_recording_has_a_test() {
    for (name, _) in recordings() {
        let number = &name[..2];
        let claimed = TESTED.iter().filter(|row| row.0 == number).count()
            + WATCHES.iter().filter(|watch| **watch == number).count();
        assert_eq!(claimed, 1, "{name}");
    }
}

#[test]
fn responses_match_the_recordings() {
    let mut disagreements = Vec::new();
    for (number, state, identity, compare) in TESTED {
        let recording = recording(number);
        let cluster = match state {
            Swarms { .. } => paused(Options { custom_resources: true, ..empty() }),
            Locust { .. } => paused(Options { objects: InitialObjects::Locust, ..empty() }),
            _ => paused(empty()),
        };
        arrange(cluster.handle(), state, &recording);
        if let Locust { is_running: true } = state {
            send(&cluster, &crate::recordings::recording("64")["request"], &Admin);
        }
        let request = replayable(&recording["request"], state, cluster.handle());
        let answer = send(&cluster, &request, identity);
        if let Err(problem) = agrees(&answer, &recording["response"], compare) {
            disagreements.push(format!("{number}: {problem}"));
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}

fn empty() -> Options {
    let pod_ready_after = Duration::from_millis(200);
    Options { objects: InitialObjects::Empty, pod_ready_after, ..Options::default() }
}

fn paused(options: Options) -> TestCluster {
    let cluster = TestCluster::with(options);
    cluster.handle().pause_controllers();
    cluster.handle().add_account("bobtoken", "bob", Rights::None);
    cluster
}

fn arrange(cluster: &ClusterHandle, state: &State, recording: &Value) {
    match state {
        Workers { wanted, counted } | CurrentVersion { wanted, counted } => {
            // The requests address the object of recording 40, with other counts.
            let mut deployment =
                crate::recordings::recording("40")["response"]["body"]["items"][0].clone();
            deployment["spec"]["replicas"] = json!(wanted);
            deployment["status"]["replicas"] = json!(counted);
            cluster.put_object(WORKERS, deployment);
        }
        AsAnswered => {
            let body = &recording["response"]["body"];
            let object = if body["items"].is_array() { &body["items"][0] } else { body };
            cluster.put_object(WORKERS, object.clone());
        }
        One { path, app } => {
            let labels = json!({ "app": app });
            let selector = if path.starts_with("/apis") {
                json!({ "matchLabels": labels })
            } else {
                labels.clone()
            };
            let template = json!({
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "a", "image": "example.com/a:1" }] },
            });
            let spec = json!({ "replicas": 1, "selector": selector, "template": template });
            cluster.put_object(path, json!({ "spec": spec, "status": { "replicas": 1 } }));
        }
        Swarms { big } => {
            let path = "/apis/load.example.com/v1/namespaces/default/swarms/big";
            cluster.set_replicas(path, *big);
        }
        Locust { .. } | Any => {}
    }
}

/// The recorded request, with the current resourceVersion in place of the recorded one.
fn replayable(request: &Value, state: &State, cluster: &ClusterHandle) -> Value {
    let mut request = request.clone();
    if matches!(state, CurrentVersion { .. }) {
        let version = cluster.object(WORKERS).unwrap()["metadata"]["resourceVersion"].clone();
        match &mut request["body"] {
            Value::Array(operations) => operations[0]["value"] = version,
            merge => merge["metadata"]["resourceVersion"] = version,
        }
    }
    request
}

fn send(cluster: &TestCluster, request: &Value, identity: &Caller) -> Answer {
    let recorded = request["headers"].as_object().into_iter().flatten();
    let mut headers: Vec<(&str, String)> =
        recorded.map(|(name, value)| (name.as_str(), value.as_str().unwrap().to_owned())).collect();
    if matches!(identity, Admin) {
        headers.push(("authorization", format!("Bearer {}", cluster.token(Account::Admin))));
    }
    let body = match &request["body"] {
        Value::Null => Vec::new(),
        // Malformed JSON is recorded as text.
        Value::String(text) => text.clone().into_bytes(),
        json => json.to_string().into_bytes(),
    };
    let (method, path) = (request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
    crate::http::send(&crate::http::client(cluster), cluster, method, path, &headers, body).unwrap()
}

fn events(text: &str) -> Vec<Value> {
    text.lines().map(|line| comparable(&serde_json::from_str(line).unwrap())).collect()
}

/// The ReplicaSet and the pods of the recorded Deployment.
fn arrange_settled_workers(cluster: &TestCluster, deployment: &Value) {
    let handle = cluster.handle();
    handle.put_object(WORKERS, deployment.clone());
    let deployment = handle.object(WORKERS).unwrap();
    let owner = |object: &Value| {
        json!([{
            "apiVersion": "apps/v1", "kind": object["kind"], "name": object["metadata"]["name"],
            "uid": object["metadata"]["uid"], "controller": true,
        }])
    };
    let set_path = "/apis/apps/v1/namespaces/default/replicasets/locust-slave-6d7c48678c";
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"]["pod-template-hash"] = json!("6d7c48678c");
    let labels = template["metadata"]["labels"].clone();
    let set = json!({
        "metadata": {
            "labels": labels, "ownerReferences": owner(&deployment),
            "annotations": { "deployment.kubernetes.io/revision": "1" },
        },
        "spec": { "replicas": 2, "selector": { "matchLabels": labels }, "template": template },
        "status": {
            "replicas": 2, "fullyLabeledReplicas": 2, "readyReplicas": 2, "availableReplicas": 2, "observedGeneration": 1,
        },
    });
    handle.put_object(set_path, set);
    let set = handle.object(set_path).unwrap();
    for suffix in ["aaaaa", "bbbbb"] {
        let pod = json!({
            "metadata": { "labels": labels, "ownerReferences": owner(&set) },
            "spec": template["spec"],
            "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] },
        });
        handle.put_object(
            &format!("/api/v1/namespaces/default/pods/locust-slave-6d7c48678c-{suffix}"),
            pod,
        );
    }
}

#[test]
fn a_watch_sees_a_scale_up_as_recorded() {
    let recording = recording("59");
    let cluster = paused(empty());
    let settled = crate::recordings::recording("40")["response"]["body"]["items"][0].clone();
    arrange_settled_workers(&cluster, &settled);
    cluster.handle().resume_controllers();
    let version = cluster.handle().resource_version();
    let path = recording["request"]["path"].as_str().unwrap();
    let path = path
        .replace("timeoutSeconds=8", "timeoutSeconds=2")
        .replace("=369", &format!("={version}"));
    let watch = json!({ "method": "GET", "path": path });
    cluster.handle().set_replicas(WORKERS, 5);
    let answer = send(&cluster, &watch, &Admin);
    let expected: Vec<Value> = recording["response"]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            comparable(
                &line.as_str().map_or(line.clone(), |text| serde_json::from_str(text).unwrap()),
            )
        })
        .collect();
    for (given, expected) in events(&answer.body).iter().zip(&expected) {
        assert_eq!(given, expected);
    }
    assert_eq!(events(&answer.body).len(), expected.len());
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[test]
fn a_watch_from_an_old_version_replays_the_history_as_recorded() {
    let recording = recording("60");
    let cluster = paused(empty());
    let lines = recording["response"]["body"].as_str().unwrap();
    for line in lines.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        cluster.handle().put_object(WORKERS, event["object"].clone());
    }
    let answer = send(&cluster, &recording["request"], &Admin);
    agrees(
        &Answer { body: "null".to_owned(), ..answer },
        &json!({"status": 200, "headers": recording["response"]["headers"], "body": null}),
        &Exactly,
    )
    .unwrap();
    let answer = send(&cluster, &recording["request"], &Admin);
    assert_eq!(events(&answer.body), events(lines));
}
