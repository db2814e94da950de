//! Tables in docs/ that list what the program prints: the metrics of `serve`, and the fields of `status -o json`.

use std::collections::BTreeSet;

use locustctl::sandbox::{Action, Fault};
use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::layouts::named;
use support::serving::Serving;
use support::swarm::{ask, running};
use support::{SLAVE, locustctl};

use super::text_of;

/// The rows of the tables in a section, as cells. Heads and rules are left out.
fn rows(file: &str, heading: &str) -> Vec<Vec<String>> {
    let text = text_of(file);
    let (_, section) = text.split_once(&format!("\n{heading}\n")).expect(heading);
    let section = section.split("\n#").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| `"));
    lines.map(|line| line.split('|').skip(1).map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The words in backticks.
fn names(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// The metrics in the answer of `/metrics`, each with its type and the names of its labels.
fn printed_metrics(text: &str) -> BTreeSet<(String, String, Vec<String>)> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let metric = |(family, kind): (&str, &str)| {
        let suffix = if kind == "counter" { "_total" } else { "" };
        let name = format!("{family}{suffix}");
        let sample = text.lines().find(|line| line.starts_with(family)).expect("a sample");
        let labels = sample.split_once('{').map_or("", |(_, rest)| rest.split('}').next().unwrap());
        let labels = labels.split(',').filter_map(|label| label.split_once('='));
        let labels = labels.map(|(label, _)| label.to_owned()).filter(|label| label != "le");
        (name, kind.to_owned(), labels.collect())
    };
    types.map(metric).collect()
}

#[test]
fn the_document_has_the_metrics_with_their_types_and_labels() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &["--locust=none"]);
    serving.wait_until_settled(1);
    serving.put("", r#"{"replicas": 2}"#);
    let row = |cells: Vec<String>| {
        let [name, kind, labels, ..] = cells.as_slice() else { panic!("{cells:?}") };
        (names(name).next().unwrap(), kind.clone(), names(labels).collect())
    };
    let documented: BTreeSet<_> =
        rows("docs/serve.md", "## Metrics").into_iter().map(row).collect();
    assert_eq!(documented, printed_metrics(&serving.get("/metrics").text));
}

/// Adds the paths of all values: `a.b`, and `a[]` for the items of a list.
fn add_paths(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                add_paths(value, &format!("{path}{dot}{name}"), paths);
            }
        }
        Value::Array(items) => {
            items.iter().for_each(|item| add_paths(item, &format!("{path}[]"), paths));
        }
        _ => {
            paths.insert(path.to_owned());
        }
    }
}

fn add_printed(cluster: &TestCluster, line: &str, paths: &mut BTreeSet<String>) {
    let outcome = locustctl(line).kubeconfig(cluster.kubeconfig()).run();
    let object: Value = serde_json::from_str(&outcome.stdout).expect(&outcome.stderr);
    add_paths(&object, "", paths);
}

/// Answers the GETs of this path with an object.
fn answer(cluster: &TestCluster, path: &str, body: &Value) {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let answer = Action::Answer { status: 200, headers, body: body.to_string().into_bytes() };
    cluster.handle().inject(Fault::once(answer).at(path).times(Fault::ALWAYS));
}

/// A running test. The Deployment is being deleted, KEDA manages it, and Locust has lost a worker.
fn with_everything() -> TestCluster {
    let cluster = running(2);
    let mut object = cluster.handle().object(SLAVE).unwrap();
    object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    object["metadata"]["finalizers"] = json!(["example.com/hold"]);
    cluster.handle().pause_controllers();
    cluster.handle().put_object(SLAVE, object);
    let scaled = json!({
        "metadata": {"name": "users", "annotations": {"autoscaling.keda.sh/paused-replicas": "4"}},
        "spec": {"scaleTargetRef": {"name": "locust-slave"}, "idleReplicaCount": 0},
    });
    let list = json!({"kind": "List", "apiVersion": "v1", "items": [scaled]});
    answer(&cluster, "/scaledobjects", &list);
    let mut stats = ask(&cluster, "GET", "stats/requests", "");
    stats["workers"].as_array_mut().unwrap().pop();
    answer(&cluster, "stats/requests", &stats);
    cluster
}

#[test]
fn the_document_has_the_fields_of_the_status() {
    let rows = rows("docs/scale.md", "### Fields of `status -o json`");
    let documented: BTreeSet<_> =
        rows.iter().flat_map(|cells| names(&cells[0]).collect::<Vec<_>>()).collect();
    let mut printed = BTreeSet::new();
    add_printed(&with_everything(), "status -o json", &mut printed);
    add_printed(&named("tutorial"), "status -A -o json", &mut printed);
    // The Service of this master has no endpoints.
    add_printed(&named("no-endpoints"), "status -A -o json", &mut printed);
    assert_eq!(documented, printed);
}
