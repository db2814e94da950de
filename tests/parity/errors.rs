//! Errors of the server.

use locustctl::sandbox::{Action, Fault};

use crate::difference::Difference::{
    ClientDryRunReads, CountReported, NoCluster, NoDiscovery, RetryAfter429, Unscalable,
};
use crate::row::{Older, Row, ends, prints, refuses, row};

const A: &str = "deployment.apps/a scaled";
const SWARM: &str = "swarm.load.example.com/big scaled";
const LOST: &str = "Error from server (NotFound): the server could not find the requested resource";
const WARNING: &str =
    "Warning: load.example.com/v1alpha1 Swarm is deprecated; use load.example.com/v1 Swarm";

pub fn rows() -> Vec<Row> {
    [rights(), unscalable(), answers(), nobody()].into_iter().flatten().collect()
}

fn rights() -> Vec<Row> {
    vec![
        row(
            "--replicas=4 deploy/a --context=sandbox-viewer",
            refuses(
                "Error from server (Forbidden): deployments.apps \"a\" is forbidden: User \"sandbox-viewer\" cannot \
                 patch resource \"deployments/scale\" in API group \"apps\" in the namespace \"default\"",
            ),
        ),
        row(
            "--replicas=4 deploy/a --context=sandbox-viewer --dry-run=client",
            prints("deployment.apps/a scaled (dry run)"),
        ),
        row(
            "--replicas=4 deploy/a --context=sandbox-expired",
            refuses(
                "error: You must be logged in to the server (the server has asked for the client to provide credentials)",
            ),
        )
        .differs(NoDiscovery, refuses("error: You must be logged in to the server (Unauthorized)")),
    ]
}

fn unscalable() -> Vec<Row> {
    let ours = |target: &str, types: &str| {
        refuses(&format!("{LOST}\n{target} cannot be scaled: {types} have no scale subresource"))
    };
    let lost =
        |args, target, types| row(args, refuses(LOST)).differs(Unscalable, ours(target, types));
    vec![
        lost("--replicas=4 ds/ds1", "daemonset.apps/ds1", "daemonsets.apps"),
        lost("--replicas=4 pod p1", "pod/p1", "pods"),
        lost("--replicas=4 cm/cm1", "configmap/cm1", "configmaps"),
        lost("--replicas=4 ns/staging", "namespace/staging", "namespaces"),
        row("--replicas=4 ds/ds1 --dry-run=client", prints("daemonset.apps/ds1 scaled (dry run)"))
            .differs(ClientDryRunReads, ours("daemonset.apps/ds1", "daemonsets.apps")),
        row("--replicas=4 pod/p1 --dry-run=client", prints("pod/p1 scaled (dry run)"))
            .differs(ClientDryRunReads, ours("pod/p1", "pods")),
    ]
}

fn answers() -> Vec<Row> {
    let at_patch = |action: Action| Fault::once(action).on("PATCH").at("/scale");
    let text = |status: u16, body: &str| Action::Answer {
        status,
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: body.as_bytes().to_vec(),
    };
    let failing = |about, action, stderr: &str| {
        row("--replicas=4 deploy/a", refuses(stderr)).about(about).fault(at_patch(action))
    };
    let unclear = |about, action, stderr: &str| {
        let looked_up = "deployment.apps/a is still at 3; the request may scale it to 4 later; check it again in a moment";
        failing(about, action, stderr)
            .differs(CountReported, refuses(&format!("{stderr}\n{looked_up}")))
    };
    let json = |status: u16, body: &str| Action::Answer {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
    };
    let status = |code: u16, reason: &str, message: &str, details: &str| {
        json(
            code,
            &format!(
                "{{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{{}},\"status\":\"Failure\",\
                 \"message\":\"{message}\",\"reason\":\"{reason}\",\"details\":{details},\"code\":{code}}}"
            ),
        )
    };
    let causes = |list: &str| format!("{{\"kind\":\"Scale\",\"name\":\"a\",\"causes\":[{list}]}}");
    let cause = "{\"reason\":\"x\",\"message\":\"too big\",\"field\":\"spec.replicas\"}";
    let other = "{\"reason\":\"x\",\"message\":\"too odd\",\"field\":\"spec.replicas\"}";
    vec![
        unclear(
            "500",
            Action::internal_error(None),
            "Error from server (InternalError): Internal error occurred: etcdserver: request timed out",
        ),
        unclear(
            "500 in text",
            text(500, "broken"),
            "Error from server (InternalError): an error on the server (\"broken\") has prevented the request from \
             succeeding (patch deployments a)",
        ),
        unclear(
            "503",
            Action::unavailable(None),
            "Error from server (ServiceUnavailable): the server is currently unable to handle the request",
        ),
        unclear(
            "503 in text",
            text(503, "x"),
            "Error from server (ServiceUnavailable): the server is currently unable to handle the request (patch deployments a)",
        ),
        failing(
            "429",
            Action::too_many_requests(None),
            "Error from server (TooManyRequests): too many requests, please try again later",
        )
        .differs(RetryAfter429, prints(A).scales("deployments/a=4")),
        row("--replicas=4 deploy/a", prints(A).scales("deployments/a=4"))
            .about("429 at first")
            .fault(at_patch(Action::too_many_requests(Some(1)))),
        row("--replicas=4 deploy/a", prints(A).scales("deployments/a=4"))
            .about("503 at first")
            .fault(at_patch(Action::unavailable(Some(1)))),
        failing(
            "400 in text",
            text(400, "x"),
            "Error from server (BadRequest): the server rejected our request for an unknown reason (patch deployments a)",
        ),
        failing(
            "403 in text",
            text(403, "no way"),
            "Error from server (Forbidden): no way (patch deployments a)",
        ),
        failing(
            "405 in text",
            text(405, "x"),
            "Error from server (MethodNotAllowed): the server does not allow this method on the requested resource (patch deployments a)",
        ),
        failing(
            "406 in text",
            text(406, "not so"),
            "Error from server (NotAcceptable): not so (patch deployments a)",
        ),
        failing(
            "415 in text",
            text(415, "not so"),
            "Error from server (UnsupportedMediaType): not so (patch deployments a)",
        ),
        failing(
            "418 in text",
            text(418, "x"),
            "Error from server: the server responded with the status code 418 but did not return more information (patch deployments a)",
        ),
        unclear(
            "504 in text",
            text(504, "x"),
            "Error from server (Timeout): the server was unable to return a response in the time allotted, but may still be processing the request (patch deployments a)",
        ),
        failing(
            "422 with one cause",
            status(422, "Invalid", "m", &causes(cause)),
            "The Scale \"a\" is invalid: spec.replicas: too big",
        ),
        failing(
            "422 with two causes",
            status(422, "Invalid", "m", &causes(&format!("{cause},{other},{cause}"))),
            "The Scale \"a\" is invalid: \n* spec.replicas: too big\n* spec.replicas: too odd",
        ),
        failing(
            "422 without causes",
            status(422, "Invalid", "m", &causes("")),
            "The Scale \"a\" is invalid",
        ),
        failing(
            "a quota",
            status(403, "Forbidden", "exceeded quota: q", "{}"),
            "Error from server (Forbidden): exceeded quota: q",
        ),
        failing("no reason", status(400, "", "m", "{}"), "Error from server: m"),
        failing("an unknown reason", status(400, "Odd", "m", "{}"), "Error from server (Odd): m"),
        row("--replicas=4 deploy/a", refuses("Error from server (Forbidden): exceeded quota: q"))
            .about("the object may not be read")
            .fault(
                Fault::once(status(403, "Forbidden", "exceeded quota: q", "{}"))
                    .on("GET")
                    .at("/deployments/a"),
            ),
        row(
            "--replicas=5 swarms.v1alpha1.load.example.com/big",
            ends(0, SWARM, WARNING).scales("swarms/big=5"),
        ),
        row(
            "--replicas=5 swarms.v1alpha1.load.example.com/big --warnings-as-errors",
            ends(1, SWARM, &format!("{WARNING}\nerror: 1 warning received")).scales("swarms/big=5"),
        )
        .older(Older::Vendor),
    ]
}

fn nobody() -> Vec<Row> {
    let refused = "The connection to the server localhost:8080 was refused - did you specify the right host or port?";
    vec![
        row("--replicas=4 deploy/a", refuses(refused))
            .about("no configuration")
            .env("KUBECONFIG", "{dir}/none")
            .differs(NoCluster, refuses("").complaining("--sandbox")),
        row("--replicas=4 deploy/a", refuses(refused))
            .about("an empty configuration")
            .env("KUBECONFIG", "{dir}/none")
            .file("none", "")
            .differs(NoCluster, refuses("").complaining("--sandbox")),
    ]
}
