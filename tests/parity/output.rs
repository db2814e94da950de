//! Every format of `-o`, and the errors about formats.

use crate::row::{Older, Row, ends, prints, refuses, row};

pub fn rows() -> Vec<Row> {
    [formats(), templates(), mistakes(), missing_keys(), custom()].into_iter().flatten().collect()
}

/// A format, and a text that only its output contains.
fn formats() -> Vec<Row> {
    let object = |args, part| {
        row(args, prints("").having(part).scales("deployments/a=4")).older(Older::Before36)
    };
    let dry = |args, part| row(args, prints("").having(part)).older(Older::Before36);
    vec![
        row("--replicas=4 deploy/a -o name", prints("deployment.apps/a").scales("deployments/a=4")),
        row("--replicas=4 deploy/a -o NAME --dry-run=client", prints("deployment.apps/a")),
        row(
            "--replicas=4 rc/old -oname",
            prints("replicationcontroller/old").scales("replicationcontrollers/old=4"),
        ),
        row(
            "--replicas=4 deploy/a -o ''",
            prints("deployment.apps/a scaled").scales("deployments/a=4"),
        ),
        object("--replicas=4 deploy/a -o json", "\"replicas\": 4,"),
        object("--replicas=4 deploy/a -o JSON", "\"replicas\": 4,"),
        object("--replicas=4 deploy/a -o yaml", "  replicas: 4\n"),
        object("--replicas=4 deploy/a -o yaml --show-managed-fields", "  replicas: 4\n"),
        object("--replicas=4 deploy/a -o kyaml", "replicas: 4,\n").older(Older::Before34),
        object("--replicas=4 deploy/a -o json --current-replicas=3", "\"replicas\": 4,"),
        dry("--replicas=4 deploy/a -o yaml --dry-run=client", "  replicas: 4\n"),
        dry("--replicas=4 deploy/a -o yaml --dry-run=server", "  replicas: 4\n"),
        dry("--replicas=4 deploy/a -o kyaml --dry-run=client", "replicas: 4,\n")
            .older(Older::Before34),
        dry("--replicas=4 deploy a b -o yaml --dry-run=client", "\n---\n"),
        dry("--replicas=4 deploy a b -o json --dry-run=client", "}\n{\n"),
        dry("--replicas=4 deploy a b -o kyaml --dry-run=client", "}\n---\n{")
            .older(Older::Before34),
        dry("--replicas=4 deploy -l run=hello -o yaml --dry-run=client", "\n---\n"),
        dry("--replicas=0 deploy/a -o yaml --dry-run=client", "  replicas: 0\n"),
    ]
}

fn templates() -> Vec<Row> {
    let text = |args, stdout: &str| row(args, prints(stdout).unbroken()).older(Older::Before36);
    vec![
        text("--replicas=4 deploy/a --dry-run=client -o jsonpath={.spec.replicas}", "4"),
        text(
            "--replicas=4 deploy a b --dry-run=client -o 'jsonpath={.metadata.name}/{.spec.replicas};'",
            "a/4;b/4;",
        ),
        text("--replicas=4 deploy/a --dry-run=client -o jsonpath=x", "x"),
        text(
            "--replicas=4 deploy/a --dry-run=client -o jsonpath --template='{.metadata.name}'",
            "a",
        ),
        text(
            "--replicas=4 deploy/a --dry-run=client -o 'jsonpath={.spec.template.spec.containers[*].image}'",
            "i:1",
        ),
        text("--replicas=4 deploy/a --dry-run=client -o 'go-template={{.spec.replicas}}'", "4"),
        text("--replicas=4 deploy/a --dry-run=client -o 'template={{.kind}}'", "Deployment"),
        text("--replicas=4 deploy/a --dry-run=client --template='{{.metadata.name}}'", "a"),
        text(
            "--replicas=4 deploy/a --dry-run=client -o 'go-template={{range $k, $v := .metadata.labels}}{{$k}}={{$v}} {{end}}'",
            "app=a run=hello ",
        ),
        row(
            "--replicas=4 deploy/a --dry-run=client -o '' --template='{{.metadata.name}}'",
            prints("deployment.apps/a scaled (dry run)"),
        ),
        row(
            "--replicas=4 deploy/a --dry-run=client -o name --template='{{.metadata.name}}'",
            prints("deployment.apps/a"),
        ),
        row(
            "--replicas=4 deploy/a --dry-run=client -o jsonpath-as-json={.spec.replicas}",
            prints("[\n    4\n]"),
        )
        .older(Older::Before36),
        text("--replicas=4 deploy/a --dry-run=client -o jsonpath-file=t", "a")
            .file("t", "{.metadata.name}"),
        text("--replicas=4 deploy/a --dry-run=client -o go-template-file=t", "a")
            .file("t", "{{.metadata.name}}"),
        text("--replicas=4 deploy/a --dry-run=client -o templatefile --template=t", "a")
            .file("t", "{{.metadata.name}}"),
        row(
            "--replicas=4 deploy/a -o jsonpath={.spec.replicas}",
            prints("4").unbroken().scales("deployments/a=4"),
        )
        .older(Older::Before36),
    ]
}

fn mistakes() -> Vec<Row> {
    let unknown = |args, format: &str| {
        row(
            args,
            refuses(&format!(
                "error: unable to match a printer suitable for the output format \"{format}\", allowed formats are: \
                 go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,\
                 templatefile,yaml"
            )),
        )
        .older(Older::Before34)
    };
    let none = "error: template format specified but no template given";
    vec![
        unknown("--replicas=4 -o foo deployment/a", "foo"),
        unknown("--replicas=4 -o wide deployment/a", "wide"),
        unknown("--replicas=4 -o Jsonpath={} deployment/a", "Jsonpath={}"),
        row("--replicas=4 -o jsonpath deployment/a", refuses(none)),
        row("--replicas=4 -o jsonpath= deployment/a", refuses(none)),
        row("--replicas=4 -o go-template deployment/a", refuses(none)),
        row("--replicas=4 -o go-template-file deployment/a", refuses(none)),
        row(
            "--replicas=4 -o 'jsonpath={' deployment/a",
            refuses("error: error parsing jsonpath {, unclosed action"),
        ),
        row(
            "--replicas=4 -o 'go-template={{' deployment/a",
            refuses("error: error parsing template {{, template: output:1: unclosed action"),
        ),
        row(
            "--replicas=4 -o go-template-file=/nonexistent deployment/a",
            refuses(
                "error: error reading --template /nonexistent, open /nonexistent: no such file or directory",
            ),
        ),
        row(
            "--replicas=4 -o jsonpath-file=/nonexistent deployment/a",
            refuses(
                "error: error reading --template /nonexistent, open /nonexistent: no such file or directory",
            ),
        ),
        unknown("--replicas=-1 -o foo deployment/a", "foo"),
        row(
            "--replicas=4 -o foo --dry-run=foo deployment/a",
            refuses(
                "error: Invalid dry-run value (foo). Must be \"none\", \"server\", or \"client\".",
            ),
        ),
    ]
}

fn missing_keys() -> Vec<Row> {
    vec![
        row("--replicas=4 deploy/a --dry-run=client -o jsonpath={.nope}", prints("")),
        row(
            "--replicas=4 deploy/a --dry-run=client -o 'go-template={{.nope}}'",
            prints("<no value>").unbroken(),
        ),
        row(
            "--replicas=4 deploy/a --dry-run=client -o jsonpath={.metadata.nope} --allow-missing-template-keys=false",
            ends(1, "", "").complaining("Error executing template: nope is not found. Printing more information"),
        )
        .older(Older::Before36),
        row(
            "--replicas=4 deploy/a --dry-run=client -o 'go-template={{.metadata.nope}}' \
             --allow-missing-template-keys=false",
            ends(
                1,
                "",
                "error: error executing template \"{{.metadata.nope}}\": template: output:1:11: executing \
                 \"output\" at <.metadata.nope>: map has no entry for key \"nope\"",
            )
            .having("Error executing template"),
        )
        .older(Older::Before36),
    ]
}

/// The printed object of these kubectls has the old count.
fn custom() -> Vec<Row> {
    vec![
        row(
            "--replicas=5 swarm/big -o name",
            prints("swarm.load.example.com/big").scales("swarms/big=5"),
        ),
        row(
            "--replicas=5 swarm/big -o yaml",
            prints("").having("workers: 4").scales("swarms/big=5"),
        ),
        row(
            "--replicas=5 swarm/big -o jsonpath={.spec}",
            prints("").having("\"workers\":4").scales("swarms/big=5"),
        ),
    ]
}
