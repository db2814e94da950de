//! `--current-replicas` and `--resource-version`, and races with other clients.

use locustctl::sandbox::{Action, Fault};

use crate::difference::Difference::Unscalable;
use crate::row::{Row, prints, refuses, row};

const A: &str = "deployment.apps/a scaled";

pub fn rows() -> Vec<Row> {
    let four = |args| row(args, prints(A).scales("deployments/a=4"));
    let differ = |args, expected: u32, was: u32| {
        row(args, refuses(&format!("error: Expected replicas to be {expected}, was {was}")))
    };
    vec![
        four("--replicas=4 --current-replicas=3 deploy/a"),
        four("--replicas=4 --current-replicas=-1 deploy/a"),
        four("--replicas=4 --current-replicas=0x3 deploy/a"),
        four("--replicas=4 --resource-version={version} deploy/a"),
        four("--replicas=4 --resource-version= deploy/a"),
        four("--replicas=4 --resource-version={version} --current-replicas=3 deploy/a"),
        row("--replicas=3 --current-replicas=3 deploy/a", prints(A)),
        row(
            "--replicas=2 --current-replicas=0 deploy/zero",
            prints("deployment.apps/zero scaled").scales("deployments/zero=2"),
        ),
        row(
            "--replicas=2 --current-replicas=3 deploy/a rc/old",
            prints("deployment.apps/a scaled\nreplicationcontroller/old scaled")
                .scales("deployments/a=2 replicationcontrollers/old=2"),
        ),
        row(
            "--replicas=5 --current-replicas=4 swarm/big",
            prints("swarm.load.example.com/big scaled").scales("swarms/big=5"),
        ),
        differ("--replicas=4 --current-replicas=9 deploy/a", 9, 3),
        differ("--replicas=4 --current-replicas=0 deploy/a", 0, 3),
        differ("--replicas=4 --current-replicas=1 deploy/zero", 1, 0),
        differ("--replicas=4 --current-replicas=9 --resource-version=99999 deploy/a", 9, 3),
        differ("--replicas=5 --current-replicas=1 swarm/big", 1, 4),
        row(
            "--replicas=4 --resource-version=99999 deploy/a",
            refuses("error: Expected resource version to be 99999, was {version}"),
        ),
        row(
            "--replicas=4 --resource-version=99999 --current-replicas=3 deploy/a",
            refuses("error: Expected resource version to be 99999, was {version}"),
        ),
        row(
            "--replicas=4 --resource-version=1 deploy/a deploy/b",
            refuses("error: cannot use --resource-version with multiple resources"),
        ),
        row(
            "--replicas=4 --resource-version=1 deploy --all",
            refuses("error: cannot use --resource-version with multiple resources"),
        ),
        row(
            "--replicas=4 --current-replicas=3 deploy/zz",
            refuses("Error from server (NotFound): deployments.apps \"zz\" not found"),
        )
        .older(crate::row::Older::Before35),
        row(
            "--replicas=4 --current-replicas=3 ds/ds1",
            refuses(
                "Error from server (NotFound): the server could not find the requested resource",
            ),
        )
        .differs(
            Unscalable,
            refuses(
                "Error from server (NotFound): the server could not find the requested resource\n\
                 daemonset.apps/ds1 cannot be scaled: daemonsets.apps have no scale subresource",
            ),
        ),
        four("--replicas=4 deploy/a")
            .about("a conflict")
            .fault(Fault::once(Action::conflict()).on("PATCH").at("/scale")),
    ]
}
