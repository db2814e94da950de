//! Several targets in one command: labels, all, categories, and the effect of one failure on the
//! others.

use locustctl::sandbox::{Action, Fault};

use crate::difference::Difference::{
    CountReported, ErrorNamesTarget, EveryTarget, ImpossibleName, Suggestion, Unscalable,
};
use crate::row::{Older, Row, ends, prints, refuses, row};

const HELLO: &str = "deployment.apps/a scaled\ndeployment.apps/b scaled";
const NONE: &str = "error: no objects passed to scale";

pub fn rows() -> Vec<Row> {
    [selectors(), all(), missing(), failures()].into_iter().flatten().collect()
}

fn hello(args: &'static str) -> Row {
    row(args, prints(HELLO).scales("deployments/a=4 deployments/b=4"))
}

fn selectors() -> Vec<Row> {
    vec![
        hello("--replicas=4 deploy -l run=hello"),
        hello("--replicas=4 deploy --selector run=hello"),
        hello("--replicas=4 deploy -l 'run in (hello, bye)'"),
        hello("--replicas=4 deploy -l run,run!=other"),
        hello("--replicas=4 deploy -l ' run=hello '"),
        hello("--replicas=4 deploy,deployments,deployment.apps -l run=hello"),
        row("--replicas=4 deploy -l run=nothing", refuses(NONE)),
        row("--replicas=4 deploy,sts -l run=nothing", refuses(NONE)),
        row(
            "--replicas=4 deploy,sts,rc -l 'app in (a,web,old)'",
            prints(
                "deployment.apps/a scaled\nstatefulset.apps/web scaled\nreplicationcontroller/old scaled",
            )
            .scales("deployments/a=4 statefulsets/web=4 replicationcontrollers/old=4"),
        ),
        row(
            "--replicas=4 deploy -l 'a in ('",
            refuses(
                "Error from server (BadRequest): Unable to find \"apps/v1, Resource=deployments\" that match label \
                 selector \"a in (\", field selector \"\": unable to parse requirement: found '', expected: \
                 ',', ')' or identifier",
            ),
        )
        .older(Older::Before35),
        row("--replicas=4 foo -l run=hello", refuses("error: the server doesn't have a resource type \"foo\"")),
        row(
            "--replicas=4 deploy -l app=a -n staging",
            prints("deployment.apps/a scaled").scales("staging/deployments/a=4"),
        ),
        row("--replicas=4 deploy -l app=a -n nowhere", refuses(NONE)),
        row(
            "--replicas=4 swarms -l app=big",
            prints("swarm.load.example.com/big scaled"),
        ),
    ]
}

fn all() -> Vec<Row> {
    let deployments = "deployment.apps/a scaled\ndeployment.apps/b scaled\ndeployment.apps/c scaled\n\
        deployment.apps/locust-slave scaled\ndeployment.apps/zero scaled";
    let sizes = "deployments/a=7 deployments/b=7 deployments/c=7 deployments/locust-slave=7 deployments/zero=7";
    vec![
        row("--replicas=7 deploy --all", prints(deployments).scales(sizes)),
        row(
            "--replicas=7 sts,rs,rc --all",
            prints("statefulset.apps/web scaled\nreplicaset.apps/front scaled\nreplicationcontroller/old scaled")
                .scales("statefulsets/web=7 replicasets/front=7 replicationcontrollers/old=7"),
        ),
        row("--replicas=7 deploy --all -n nowhere", refuses(NONE)),
        row("--replicas=7 deploy --all -l app=a --dry-run=client", prints("deployment.apps/a scaled (dry run)")),
        row(
            "--replicas=7 ds --all",
            refuses("Error from server (NotFound): the server could not find the requested resource"),
        )
        .differs(
            Unscalable,
            refuses(
                "Error from server (NotFound): the server could not find the requested resource\n\
                 daemonset.apps/ds1 cannot be scaled: daemonsets.apps have no scale subresource",
            ),
        ),
    ]
}

fn missing() -> Vec<Row> {
    let zz = "Error from server (NotFound): deployments.apps \"zz\" not found";
    let lost =
        |name: &str| format!("Error from server (NotFound): deployments.apps \"{name}\" not found");
    vec![
        row("--replicas=4 deploy/zz", refuses(zz)).older(Older::Before35),
        row("--replicas=4 deploy zz zz", refuses(&format!("{zz}\n{zz}"))).older(Older::Before35),
        row("--replicas=4 deploy a zz b", ends(1, HELLO, zz).scales("deployments/a=4 deployments/b=4")),
        row("--replicas=4 deploy/a deploy/zz deploy/b", ends(1, HELLO, zz).scales("deployments/a=4 deployments/b=4")),
        row("--replicas=4 deploy/zz -n nowhere", refuses("Error from server (NotFound): namespaces \"nowhere\" not found"))
            .older(Older::Before35),
        row("--replicas=4 deploy/zz -n staging", refuses(zz)).older(Older::Before35),
        row("--replicas=4 deploy/locust-slav", refuses(&lost("locust-slav"))).older(Older::Before35).differs(
            Suggestion,
            refuses(&format!(
                "{}\ndeployment/locust-slave has a similar name: kubectl scale --replicas=4 deployment/locust-slave",
                lost("locust-slav")
            )),
        ),
        row("--replicas=4 deploy/my-worker", refuses(&lost("my-worker"))).older(Older::Before35).differs(
            Suggestion,
            refuses(&format!(
                "{}\ndeployment/locust-slave looks like Locust workers: kubectl scale --replicas=4 \
                 deployment/locust-slave",
                lost("my-worker")
            )),
        ),
        row("--replicas=4 deploy/locust-slav -o name", refuses(&lost("locust-slav"))).older(Older::Before35),
        row(
            "--replicas=4 deploy a 'b%c'",
            ends(1, "deployment.apps/a scaled", "error: invalid resource name \"b%c\": [may not contain '%']")
                .scales("deployments/a=4"),
        )
        .differs(ImpossibleName, refuses("error: invalid resource name \"b%c\": [may not contain '%']")),
    ]
}

fn failures() -> Vec<Row> {
    let broken = || Fault::once(Action::internal_error(None)).on("PATCH").at("/b/scale");
    let problem =
        "Error from server (InternalError): Internal error occurred: etcdserver: request timed out";
    let locustctl = format!(
        "{problem}\ndeployment.apps/b is still at 1; the request may scale it to 4 later; check it again in a moment"
    );
    let locustctl = locustctl.as_str();
    let unexpected = "error: Expected replicas to be 3, was 1";
    let named = "error: deployment.apps/b: Expected replicas to be 3, was 1";
    let ds = "Error from server (NotFound): the server could not find the requested resource";
    let zz = "Error from server (NotFound): deployments.apps \"zz\" not found";
    vec![
        row(
            "--replicas=4 deploy a b c",
            ends(1, "deployment.apps/a scaled", problem).scales("deployments/a=4"),
        )
        .about("b fails")
        .fault(broken())
        .differs(
            EveryTarget,
            ends(1, "deployment.apps/a scaled\ndeployment.apps/c scaled", locustctl)
                .scales("deployments/a=4 deployments/c=4"),
        ),
        row(
            "--replicas=4 deploy a b",
            ends(1, "deployment.apps/a scaled", problem).scales("deployments/a=4"),
        )
        .about("b fails")
        .fault(broken())
        .differs(
            CountReported,
            ends(1, "deployment.apps/a scaled", locustctl).scales("deployments/a=4"),
        ),
        row("--replicas=4 deploy zz b c", refuses(problem))
            .about("b fails")
            .fault(broken())
            .differs(
                EveryTarget,
                ends(1, "deployment.apps/c scaled", &format!("{zz}\n{locustctl}"))
                    .scales("deployments/c=4"),
            ),
        row("--replicas=4 ds/ds1 deploy/a", refuses(ds)).differs(
            EveryTarget,
            ends(
                1,
                "deployment.apps/a scaled",
                &format!(
                    "daemonset.apps/ds1: {ds}\n\
                 daemonset.apps/ds1 cannot be scaled: daemonsets.apps have no scale subresource"
                ),
            )
            .scales("deployments/a=4"),
        ),
        row(
            "--replicas=4 --current-replicas=3 rc/old deploy/b",
            ends(1, "replicationcontroller/old scaled", unexpected)
                .scales("replicationcontrollers/old=4"),
        )
        .differs(
            ErrorNamesTarget,
            ends(1, "replicationcontroller/old scaled", named)
                .scales("replicationcontrollers/old=4"),
        ),
    ]
}
