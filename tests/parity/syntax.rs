//! Invalid arguments, and every valid spelling of a target.

use crate::difference::Difference::{
    DefaultTarget, EmptyName, ImpossibleName, ListKind, NoDiscovery, SingleUnknownType, Suggestion,
};
use crate::row::{Older, Row, ends, prints, refuses, row};

const MIXED: &str = "error: there is no need to specify a resource type as a separate argument when passing \
    arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of \
    'kubectl get resource resource/<resource_name>'";
const SLASHES: &str = "error: arguments in resource/name form may not have more than one slash";
const INCOMPLETE: &str =
    "error: arguments in resource/name form must have a single resource and name";
const NOTHING: &str = "error: You must provide one or more resources by argument or filename.\n\
    Example resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   \
    '<resource> <name>'\n   '<resource>'";
const NO_NAME: &str = "error: resource(s) were provided, but no name was specified";
const PAIR_WITH_SELECTOR: &str =
    "error: selectors and the all flag cannot be used when passing resource/name arguments";

const A: &str = "deployment.apps/a scaled";

pub fn rows() -> Vec<Row> {
    [nothing(), forms(), types(), names(), combinations()].into_iter().flatten().collect()
}

/// The advice after an empty name.
const EMPTY: &str =
    "The target is an empty text. If it comes from a variable, check that the variable is set";

fn nothing() -> Vec<Row> {
    let required = "error: required flag(s) \"replicas\" not set";
    let slave =
        || prints("deployment.apps/locust-slave scaled").scales("deployments/locust-slave=4");
    vec![
        row("", refuses(required)).older(Older::Vendor),
        row("deployment/a", refuses(required)).older(Older::Vendor),
        row("--all", refuses(required)).older(Older::Vendor),
        row("--replicas=4", refuses(NOTHING)).differs(DefaultTarget, slave()),
        row("--replicas=4 --all", refuses(NOTHING)),
        row("--replicas=4 --all=false", refuses(NOTHING)).differs(DefaultTarget, slave()),
        row("--replicas=4 -l ''", refuses(NOTHING)),
        row("--replicas=4 deployment", refuses(NO_NAME)),
        row("--replicas=4 deployment,sts", refuses(NO_NAME)),
        row("--replicas=4 deployment -l ' '", refuses(NO_NAME)),
    ]
}

fn forms() -> Vec<Row> {
    let four = |args| row(args, prints(A).scales("deployments/a=4"));
    let two = "deployment.apps/a scaled\ndeployment.apps/b scaled";
    vec![
        row("--replicas=4 deployment/a b", refuses(MIXED)),
        row("--replicas=4 deployment a/b", refuses(MIXED)),
        row("--replicas=4 deployments/scale a", refuses(MIXED)),
        row("--replicas=4 deployment/a/b", refuses(SLASHES)),
        row("--replicas=4 deployment/a b/c/d", refuses(SLASHES)),
        row("--replicas=4 deployment/", refuses(INCOMPLETE)),
        row("--replicas=4 /a", refuses(INCOMPLETE)),
        row("--replicas=4 /", refuses(INCOMPLETE)),
        row("--replicas=4 deployment,statefulset/a", refuses(INCOMPLETE)),
        row("--replicas=4 deployment, a", refuses(INCOMPLETE)),
        row("--replicas=4 deployment/a deployment/", refuses(INCOMPLETE)),
        four("--replicas=4 deployment a"),
        four("deployment a --replicas 4"),
        four("deployment --replicas=4 a"),
        four("--replicas=4 -- deployment a"),
        four("--replicas=1 --replicas=4 deploy/a"),
        row("--replicas=4 deploy a b", prints(two).scales("deployments/a=4 deployments/b=4")),
        row("--replicas=4 deploy/a deploy/b", prints(two).scales("deployments/a=4 deployments/b=4")),
        row(
            "--replicas=4 deploy/a deploy/a",
            prints("deployment.apps/a scaled\ndeployment.apps/a scaled").scales("deployments/a=4"),
        ),
        row(
            "--replicas=4 deploy/a sts/web rs/front rc/old",
            prints(
                "deployment.apps/a scaled\nstatefulset.apps/web scaled\nreplicaset.apps/front scaled\n\
                 replicationcontroller/old scaled",
            )
            .scales("deployments/a=4 statefulsets/web=4 replicasets/front=4 replicationcontrollers/old=4"),
        ),
        row(
            "--replicas=4 deploy,deployment a",
            prints("deployment.apps/a scaled\ndeployment.apps/a scaled").scales("deployments/a=4"),
        ),
        row("--replicas=4 deploy,deploy a", prints(A).scales("deployments/a=4")),
        row(
            "--replicas=4 deploy,sts a web",
            ends(
                1,
                "deployment.apps/a scaled\nstatefulset.apps/web scaled",
                "Error from server (NotFound): deployments.apps \"web\" not found\n\
                 Error from server (NotFound): statefulsets.apps \"a\" not found",
            )
            .scales("deployments/a=4 statefulsets/web=4"),
        ),
    ]
}

fn types() -> Vec<Row> {
    let unknown = |args, token: &str| {
        row(args, refuses(&format!("error: the server doesn't have a resource type \"{token}\"")))
    };
    let similar = |args, token: &str, advice: &str| {
        let error = format!("error: the server doesn't have a resource type \"{token}\"");
        let ours = refuses(&format!("{error}\nDid you mean {advice}?"));
        row(args, refuses(&error)).differs(Suggestion, ours)
    };
    let scales_a = [
        "--replicas=4 deployments/a",
        "--replicas=4 Deployment/a",
        "--replicas=4 DEPLOYMENTS/a",
        "--replicas=4 deploy.apps/a",
        "--replicas=4 deployments.app/a",
        "--replicas=4 deployments.v1.apps/a",
        "--replicas=4 Deployment.v1.apps/a",
        "--replicas=4 deploy.v1.apps/a",
    ];
    let scales_old = [
        "--replicas=4 rc/old",
        "--replicas=4 replicationcontrollers.v1./old",
        "--replicas=4 ReplicationController old",
    ];
    let scales_big = [
        "--replicas=5 swarm/big",
        "--replicas=5 swarms.load.example.com big",
        "--replicas=5 swarms.v1.load.example.com/big",
        "--replicas=5 sw.load/big",
    ];
    let old = || prints("replicationcontroller/old scaled").scales("replicationcontrollers/old=4");
    let big = || prints("swarm.load.example.com/big scaled").scales("swarms/big=5");
    let mut rows: Vec<_> =
        scales_a.map(|args| row(args, prints(A).scales("deployments/a=4"))).into();
    rows.extend(scales_old.map(|args| row(args, old())));
    rows.extend(scales_big.map(|args| row(args, big())));
    rows.extend([
        unknown("--replicas=4 foo/a", "foo"),
        unknown("--replicas=4 foo a", "foo"),
        similar("--replicas=4 Deploy/a", "Deploy", "deploy/a"),
        similar(
            "--replicas=4 replicationcontrollers.v1/old",
            "replicationcontrollers",
            "replicationcontrollers/old",
        ),
        similar("--replicas=4 deployments.v9.apps/a", "deployments", "deployments/a"),
        similar("--replicas=4 deployments.batch/a", "deployments", "deployments/a"),
        unknown("--replicas=4 deploy/a foo/b", "foo"),
        unknown("--replicas=4 '' a", "").differs(
            EmptyName,
            refuses(&format!("error: the server doesn't have a resource type \"\"\n{EMPTY}")),
        ),
        unknown("--replicas=4 all/a", "all"),
        unknown("--replicas=4 locust-slave", "locust-slave").differs(
            SingleUnknownType,
            refuses(
                "error: the server doesn't have a resource type \"locust-slave\"\n\
                 If locust-slave is the name of a Deployment, write deployment/locust-slave",
            ),
        ),
        unknown("--replicas=4 locust-slave -o json", "locust-slave"),
        row("--replicas=4 all a", refuses("error: you must specify only one resource")),
        row("--replicas=4 deploymentlist/a",
            refuses("Error from server (NotFound): the server could not find the requested resource"),
        )
        .differs(ListKind, refuses("error: the server doesn't have a resource type \"deploymentlist\"")),
        row(
            "--replicas=4 deployment -s http://127.0.0.1:1",
            refuses("The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?"),
        )
        .differs(NoDiscovery, refuses(NO_NAME)),
    ]);
    rows
}

fn names() -> Vec<Row> {
    let bad = |args, text: &str| row(args, refuses(&format!("error: {text}")));
    vec![
        bad("--replicas=4 deploy 'a%b'", "invalid resource name \"a%b\": [may not contain '%']"),
        bad("--replicas=4 deploy/a%b", "invalid resource name \"a%b\": [may not contain '%']"),
        bad("--replicas=4 deploy ..", "invalid resource name \"..\": [may not be '..']"),
        bad("--replicas=4 deploy .", "invalid resource name \".\": [may not be '.']"),
        bad("--replicas=4 deploy ''", "resource name may not be empty").differs(
            EmptyName,
            refuses(&format!("error: resource name may not be empty\n{EMPTY}")),
        ),
        row(
            "--replicas=4 deploy a b ''",
            ends(
                1,
                "deployment.apps/a scaled\ndeployment.apps/b scaled",
                "error: resource name may not be empty",
            )
            .scales("deployments/a=4 deployments/b=4"),
        )
        .differs(
            ImpossibleName,
            refuses(&format!("error: resource name may not be empty\n{EMPTY}")),
        ),
        bad("--replicas=4 deploy/a -n a/b", "invalid namespace \"a/b\": [may not contain '/']"),
        bad("--replicas=4 deploy/a -n a%b", "invalid namespace \"a%b\": [may not contain '%']"),
        row(
            "--replicas=4 deploy/A_b",
            refuses("Error from server (NotFound): deployments.apps \"A_b\" not found"),
        ),
        row(
            "--replicas=4 deploy a,b",
            refuses("Error from server (NotFound): deployments.apps \"a,b\" not found"),
        ),
        row(
            "--replicas=4 deploy/a,b",
            refuses("Error from server (NotFound): deployments.apps \"a,b\" not found"),
        ),
    ]
}

fn combinations() -> Vec<Row> {
    vec![
        row(
            "--replicas=4 -l app=a",
            refuses("error: at least one resource must be specified to use a selector"),
        ),
        row("--replicas=4 deployment/a -l app=a", refuses(PAIR_WITH_SELECTOR)),
        row(
            "--replicas=4 deployment a -l app=a",
            refuses("error: name cannot be provided when a selector is specified"),
        ),
        row("--replicas=4 deployment a --all", prints(A).scales("deployments/a=4")),
        row("--replicas=4 deployment/a --all", prints(A).scales("deployments/a=4")),
        row("--replicas=4 deployment --all -l app=a", prints(A).scales("deployments/a=4")),
        row("--replicas=4 deployment -l app=b -l app=a", prints(A).scales("deployments/a=4")),
    ]
}
