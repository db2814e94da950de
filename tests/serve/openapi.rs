//! The OpenAPI description of the HTTP API, compared with real answers.

use std::process::Command;

use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::serving::{Serving, wait_until};

#[test]
#[ignore = "needs schemathesis: tests/run.sh runs it"]
fn every_answer_matches_the_description() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new("schemathesis")
        .arg("--config-file")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/schemathesis.toml"))
        .arg("run")
        .arg(format!("{}/api/openapi.json", serving.url()))
        // A stream of events does not end.
        .args(["--exclude-path", "/api/events", "--max-examples", "100", "--no-color"])
        .args(["--seed", "1", "--workers", "1"])
        .current_dir(directory.path())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    // A run without any check would succeed as well.
    assert!(stdout.contains("Tested: 8") && stdout.contains("No issues found"), "{stdout}");
}

#[test]
fn the_description_has_this_version_and_every_route() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    let reply = serving.get("/api/openapi.json");
    assert_eq!(reply.header("content-type"), "application/json");
    let description = reply.json();
    assert_eq!(description["openapi"], "3.1.0");
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    let paths: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
    assert_eq!(
        paths,
        [
            "/api/events",
            "/api/question",
            "/api/rebalance",
            "/api/samples",
            "/api/scale",
            "/healthz",
            "/metrics",
            "/readyz"
        ],
        "a route that is not described, or one that is not there"
    );
    for path in paths.into_iter().filter(|path| *path != "/api/events") {
        let method = if path == "/api/rebalance" { "POST" } else { "GET" };
        let query = if path == "/api/question" { "?replicas=2" } else { "" };
        let status = serving.send(serving.request(method, &format!("{path}{query}"))).status;
        assert!(matches!(status, 200 | 503), "{path}");
    }
}

#[test]
fn every_field_of_an_answer_is_described() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    let description = serving.get("/api/openapi.json").json();
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let described =
        |schema: &str| fields(&description["components"]["schemas"][schema]["properties"]);
    let mut scale = fields(&serving.get("/api/scale").json());
    let mut changed = fields(&serving.put("", r#"{"replicas": 2}"#).json());
    for (found, schema) in [(&mut scale, "Scale"), (&mut changed, "Changed")] {
        let mut expected = described(schema);
        expected.sort();
        found.sort();
        assert_eq!(*found, expected, "{schema}");
    }
    let question = fields(&serving.get("/api/question?replicas=9").json());
    assert_eq!(question, described("Question"));
    let rebalanced = serving.send(serving.request("POST", "/api/rebalance")).json();
    assert_eq!(fields(&rebalanced).len(), described("Rebalanced").len(), "{rebalanced}");
    let read = || serving.get("/api/samples").json();
    wait_until(|| read()["samples"] != json!([]), || "a sample".to_owned());
    let samples = read();
    assert_eq!(fields(&samples), described("Samples"));
    let sample = &samples["samples"][0];
    assert_eq!(fields(sample).len(), described("Sample").len(), "{samples}");
    let target = serving.get("/api/scale").json()["target"].clone();
    assert_eq!(fields(&target).len(), described("Target").len(), "{target}");
    let problem = fields(&serving.put("", r#"{"replicas": 3, "currentReplicas": 7}"#).json());
    let described_fields = described("Problem");
    assert!(problem.iter().all(|field| described_fields.contains(field)), "{problem:?}");
}
