//! Discovery of types that are not built in, aggregated and legacy.

use locustctl::sandbox::{Action, Discovery, Fault, Options};
use support::cluster::TestCluster;
use support::scaling::run;

const FORMS: [Discovery; 2] = [Discovery::Aggregated, Discovery::LegacyOnly];

fn cluster(discovery: Discovery) -> TestCluster {
    TestCluster::with(Options { custom_resources: true, discovery, ..Options::default() })
}

fn answer(status: u16, path: &str, body: &str) -> Fault {
    let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    let body = body.as_bytes().to_vec();
    let action = Action::Answer { status, headers, body };
    let path_contains = Some(path.to_owned());
    Fault { path_contains, times: Fault::ALWAYS, ..Fault::once(action) }
}

/// The paths of the discovery requests.
fn asked(cluster: &TestCluster) -> Vec<String> {
    let lines = cluster.request_lines();
    lines.into_iter().filter(|line| line.contains("?timeout=32s")).collect()
}

#[test]
fn a_custom_resource_is_found_by_each_of_its_names() {
    for form in FORMS {
        let cluster = cluster(form);
        for (token, replicas) in [("sw", 5), ("swarm", 6), ("Swarms", 7), ("swarms.load", 8)] {
            let printed = format!(
                "swarm.load.example.com/big scaled from {} to {replicas}\n",
                if replicas == 5 { 4 } else { replicas - 1 }
            );
            run(&cluster, &format!("scale {token}/big --replicas={replicas}")).prints(&printed);
        }
    }
}

#[test]
fn aggregated_discovery_takes_two_requests() {
    let cluster = cluster(Discovery::Aggregated);
    run(&cluster, "scale sw/big swarm/big --replicas=5");
    assert_eq!(asked(&cluster), ["GET /api?timeout=32s", "GET /apis?timeout=32s"]);
    let requests = cluster.handle().requests();
    let accepted = requests[0].header("accept").unwrap();
    let first = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,";
    assert!(accepted.starts_with(first) && accepted.ends_with(",application/json"), "{accepted}");
}

#[test]
fn legacy_discovery_asks_for_each_group_version() {
    let cluster = cluster(Discovery::LegacyOnly);
    run(&cluster, "scale sw/big --replicas=5");
    let mut asked = asked(&cluster);
    asked.sort();
    let expected = [
        "/api",
        "/api/v1",
        "/apis",
        "/apis/apps/v1",
        "/apis/autoscaling/v1",
        "/apis/autoscaling/v2",
        "/apis/batch/v1",
        "/apis/coordination.k8s.io/v1",
    ];
    let custom = ["/apis/load.example.com/v1", "/apis/load.example.com/v1alpha1"];
    let expected = [&expected[..], &custom[..]].concat();
    let mut expected: Vec<_> =
        expected.iter().map(|path| format!("GET {path}?timeout=32s")).collect();
    expected.sort();
    assert_eq!(asked, expected);
}

#[test]
fn a_request_timeout_is_reported() {
    let cluster = cluster(Discovery::Aggregated);
    run(&cluster, "scale sw/big --replicas=5 --request-timeout=9s");
    assert_eq!(cluster.request_lines()[0], "GET /api?timeout=9s");
}

#[test]
fn built_in_types_need_no_discovery() {
    let cluster = cluster(Discovery::Aggregated);
    run(&cluster, "scale deploy/locust-slave --replicas=2");
    assert!(cluster.request_lines().iter().all(|line| line.contains("/scale")));
}

#[test]
fn a_deprecated_version_brings_a_warning() {
    for form in FORMS {
        let outcome =
            run(&cluster(form), "scale swarms.v1alpha1.load.example.com/big --replicas=5");
        assert_eq!(outcome.stdout, "swarm.load.example.com/big scaled from 4 to 5\n");
        assert_eq!(
            outcome.stderr,
            "Warning: load.example.com/v1alpha1 Swarm is deprecated; use load.example.com/v1 Swarm\n"
        );
    }
}

#[test]
fn one_group_version_that_fails_is_logged_and_its_types_are_unknown() {
    let cluster = cluster(Discovery::LegacyOnly);
    cluster.handle().inject(answer(503, "/apis/load.example.com/", "down"));
    let outcome = run(&cluster, "scale sw/big --replicas=5");
    let lines: Vec<_> = outcome.stderr.lines().collect();
    let [first, second, unknown] = lines[..] else { panic!("{}", outcome.stderr) };
    let logged = "couldn't get resource list for load.example.com/v1: \
                  the server is currently unable to handle the request";
    assert!(first.starts_with('E') && first.contains(logged), "{first}");
    assert!(second.starts_with('E') && second.contains("load.example.com/v1alpha1:"), "{second}");
    assert_eq!(unknown, "error: the server doesn't have a resource type \"sw\"");
}

#[test]
fn failed_discovery_is_an_error() {
    for (status, path, expected) in [
        (
            401,
            "/api?",
            "error: You must be logged in to the server (the server has asked for the client to provide credentials)\n",
        ),
        (403, "/apis?", "Error from server (Forbidden): not you\n"),
        (
            404,
            "/apis?",
            "Error from server (NotFound): the server could not find the requested resource\n",
        ),
        (
            500,
            "/apis?",
            "Error from server (InternalError): an error on the server (\"not you\") has prevented the request from succeeding\n",
        ),
    ] {
        let cluster = cluster(Discovery::Aggregated);
        cluster.handle().inject(answer(status, path, "not you"));
        run(&cluster, "scale sw/big --replicas=5").refuses(expected);
    }
}

#[test]
fn discovery_that_is_too_large_is_refused() {
    let cluster = cluster(Discovery::Aggregated);
    let action = Action::Oversized(9 * 1024 * 1024);
    cluster
        .handle()
        .inject(Fault { path_contains: Some("/apis?".to_owned()), ..Fault::once(action) });
    let too_large = "the answer to get /apis is larger than 8 MiB and was not read to its end";
    let outcome = run(&cluster, "scale sw/big --replicas=5");
    assert!(outcome.stderr.contains(too_large), "{}", outcome.stderr);
}

#[test]
fn a_custom_resource_without_a_count_gets_one() {
    let cluster = cluster(Discovery::Aggregated);
    run(&cluster, "scale sw/unset --by=+2").refuses(
        "error: swarm.load.example.com/unset has no number of replicas yet, so it cannot change by +2: set one with --replicas\n",
    );
    run(&cluster, "scale swarms --all --replicas=2").prints(
        "swarm.load.example.com/big scaled from 4 to 2\nswarm.load.example.com/unset scaled from unset to 2\n",
    );
    run(&cluster, "scale sw/unset --replicas=2")
        .prints("swarm.load.example.com/unset scaled from 2 to 2 (no change)\n");
}
