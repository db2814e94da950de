//! Objects from files, stdin and lists; waiting; and the assertions of kubernetes' own
//! `test/cmd/*.sh`.

use crate::difference::Difference::{ClientDryRunReads, LineBeforeTimeout};
use crate::row::{Older, Row, ends, prints, refuses, row};

const A: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n";
const RC: &str = "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: old}\n";
const STAGING: &str = "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"a\",\"namespace\":\"staging\"}}";
const LIST: &str = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}\n- {apiVersion: v1, kind: ReplicationController, metadata: {name: old}}\n";
const BAD: &str = "apiVersion: v1\nind: ReplicationController\nmetadata: {name: x}\n";
const SCALED: &str = "deployment.apps/a scaled";
const BOTH: &str = "deployment.apps/a scaled\nreplicationcontroller/old scaled";
const BOTH_AT_4: &str = "deployments/a=4 replicationcontrollers/old=4";

pub fn rows() -> Vec<Row> {
    [read(), refused(), waiting(), upstream()].into_iter().flatten().collect()
}

fn read() -> Vec<Row> {
    let a = |args| row(args, prints(SCALED).scales("deployments/a=4")).file("a.yaml", A);
    let both =
        |args| row(args, prints(BOTH).scales(BOTH_AT_4)).file("a.yaml", A).file("rc.yml", RC);
    vec![
        a("--replicas=4 -f a.yaml"),
        a("--replicas=4 --filename=a.yaml"),
        a("--replicas=4 --filename a.yaml --all"),
        a("--replicas=4 -f a.yaml -n default"),
        a("--replicas=4 --current-replicas=3 -f a.yaml"),
        both("--replicas=4 -f a.yaml,rc.yml"),
        both("--replicas=4 -f a.yaml -f rc.yml"),
        both("--replicas=4 -f ?.yaml -f *.yml"),
        row("--replicas=4 -f list.yaml", prints(BOTH).scales(BOTH_AT_4)).file("list.yaml", LIST),
        row("--replicas=4 -f -", prints(SCALED).scales("deployments/a=4")).stdin(A),
        row("--replicas=4 -f s.json", prints(SCALED).scales("staging/deployments/a=4"))
            .file("s.json", STAGING),
        row("--replicas=4 -f s.json -n staging", prints(SCALED).scales("staging/deployments/a=4"))
            .file("s.json", STAGING),
        row("--replicas=4 -f l.yaml -l app=x", prints(SCALED).scales("deployments/a=4")).file(
            "l.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, labels: {app: x}}\n",
        ),
        row(
            "--replicas=4 -f sw.yaml",
            prints("swarm.load.example.com/big scaled").scales("swarms/big=4"),
        )
        .file("sw.yaml", "apiVersion: load.example.com/v1\nkind: Swarm\nmetadata: {name: big}\n")
        .with("swarms/big", 2, "app=big"),
        row(
            "--replicas=4 -f a.yaml -o name",
            prints("deployment.apps/a").scales("deployments/a=4"),
        )
        .file("a.yaml", A),
        row(
            "--replicas=4 -f a.yaml --dry-run=server",
            prints("deployment.apps/a scaled (server dry run)"),
        )
        .file("a.yaml", A),
        row(
            "--replicas=4 -f z.yaml --dry-run=client",
            prints("deployment.apps/zz scaled (dry run)"),
        )
        .file("z.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: zz}\n")
        .differs(
            ClientDryRunReads,
            refuses("Error from server (NotFound): deployments.apps \"zz\" not found"),
        ),
    ]
}

fn refused() -> Vec<Row> {
    let with_a = |args, stderr: &str| row(args, refuses(stderr)).file("a.yaml", A);
    vec![
        row("--replicas=4 -f no.yaml", refuses("error: the path \"no.yaml\" does not exist")),
        row(
            "--replicas=4 -f no1.yaml -f no2.yaml",
            refuses("the path \"no1.yaml\" does not exist\nthe path \"no2.yaml\" does not exist"),
        ),
        row("--replicas=4 -f [", refuses("error: pattern \"[\" is not valid: syntax error in pattern")),
        row(
            "--replicas=4 -f d",
            refuses("error: error reading [d]: recognized file extensions are [.json .yaml .yml]"),
        )
        .file("d/readme.txt", ""),
        row(
            "--replicas=4 -f bad.yaml",
            refuses("error: unable to decode \"bad.yaml\": Object 'Kind' is missing in '{\"apiVersion\":\"apps/v1\",\"metadata\":{\"name\":\"a\"}}'"),
        )
        .file("bad.yaml", "apiVersion: apps/v1\nmetadata: {name: a}\n")
        .older(Older::Before35),
        row(
            "--replicas=4 -f syntax.yaml",
            refuses("error: error parsing syntax.yaml: error converting YAML to JSON: yaml: line 1: did not find expected node content"),
        )
        .file("syntax.yaml", "a: [\n")
        .older(Older::Before35),
        row("--replicas=4 -f syntax.json", refuses("error: error parsing syntax.json: unexpected EOF"))
            .file("syntax.json", "{\"a\": ")
            .older(Older::Before35),
        row("--replicas=4 -f empty.yaml", refuses("error: no objects passed to scale")).file("empty.yaml", ""),
        row("--replicas=4 -f - -f -", refuses("error: standard input cannot be used for multiple arguments")),
        with_a("--replicas=4 -f a.yaml -k .", "error: only one of -f or -k can be specified"),
        row("--replicas=4 -k . -R", refuses("error: the -k flag can't be used with -f or -R")),
        with_a(
            "--replicas=4 -f a.yaml deployment/a",
            "error: resource/name arguments cannot be provided when a path is specified",
        ),
        with_a(
            "--replicas=4 -f a.yaml deployment a",
            "error: when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
        ),
        with_a(
            "--replicas=4 -f a.yaml -l 'a in ('",
            "error: the provided selector \"a in (\" is not valid: unable to parse requirement: found '', expected: ',', ')' or identifier",
        ),
        with_a(
            "--replicas=4 -f a.yaml --resource-version=x -f a.yaml",
            "error: cannot use --resource-version with multiple resources",
        ),
        row(
            "--replicas=4 -f s.json -n default",
            refuses("error: the namespace from the provided object \"staging\" does not match the namespace \"default\". You must pass '--namespace=staging' to perform this operation."),
        )
        .file("s.json", STAGING)
        .older(Older::Before35),
        row(
            "--replicas=4 -f foo.yaml",
            refuses("error: resource mapping not found for name: \"f\" namespace: \"\" from \"foo.yaml\": no matches for kind \"Foo\" in version \"foo.io/v1\"\nensure CRDs are installed first"),
        )
        .file("foo.yaml", "apiVersion: foo.io/v1\nkind: Foo\nmetadata: {name: f}\n")
        .older(Older::Before35),
    ]
}

fn waiting() -> Vec<Row> {
    let waits = |args| row(args, prints(SCALED).scales("deployments/a=4")).with_controllers();
    let late = "error: timed out waiting for \"a\" to be synced";
    vec![
        waits("--replicas=4 deploy/a --timeout=1m"),
        waits("--replicas=4 deploy/a --timeout=1m --current-replicas=3"),
        waits("--replicas=4 deploy/a --timeout=0"),
        row(
            "--replicas=4 deploy/a --timeout=1m --dry-run=server",
            prints("deployment.apps/a scaled (server dry run)"),
        ),
        row("--replicas=4 deploy/a --timeout=-1s", refuses(late).scales("deployments/a=4"))
            .differs(LineBeforeTimeout, ends(1, SCALED, late).scales("deployments/a=4")),
    ]
}

/// The upstream assertions that no other row covers.
fn upstream() -> Vec<Row> {
    vec![
        row("--current-replicas=2 --replicas=1 statefulset web", prints("statefulset.apps/web scaled").scales("statefulsets/web=1")),
        row("--current-replicas=3 --replicas=2 rs front --dry-run=client", prints("replicaset.apps/front scaled (dry run)")),
        row("--current-replicas=3 --replicas=2 rs front --dry-run=server", prints("replicaset.apps/front scaled (server dry run)")),
        row("--current-replicas=3 --replicas=2 rs front", prints("replicaset.apps/front scaled").scales("replicasets/front=2")),
        row(
            "--current-replicas=3 --replicas=2 replicationcontrollers old",
            prints("replicationcontroller/old scaled").scales("replicationcontrollers/old=2"),
        ),
        row("--current-replicas=9 --replicas=2 replicationcontrollers old", refuses("error: Expected replicas to be 9, was 3")),
        row("--replicas=4 deploy -l run=hello --dry-run=client", prints("deployment.apps/a scaled (dry run)\ndeployment.apps/b scaled (dry run)")),
        row("--replicas=4 rc/old rc/old --dry-run=server", prints("replicationcontroller/old scaled (server dry run)\nreplicationcontroller/old scaled (server dry run)")),
        row(
            "--current-replicas=3 --replicas=4 -f d --recursive",
            ends(
                1,
                BOTH,
                "error: unable to decode \"d/deep/bad.yaml\": Object 'Kind' is missing in '{\"apiVersion\":\"v1\",\"ind\":\"ReplicationController\",\"metadata\":{\"name\":\"x\"}}'",
            )
            .scales(BOTH_AT_4),
        )
        .file("d/a.yaml", A)
        .file("d/deep/bad.yaml", BAD)
        .file("d/rc.yaml", RC),
    ]
}
