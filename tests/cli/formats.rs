//! `-o` and `--template`: every format prints the object with the new count.

use serde_json::Value;
use support::cluster::TestCluster;
use support::{Locustctl, Outcome, SLAVE, locustctl};

fn scale(cluster: &TestCluster, args: &[&str]) -> Outcome {
    Locustctl::new(["scale", "--replicas=3"].iter().chain(args))
        .kubeconfig(cluster.kubeconfig())
        .run()
}

#[test]
fn templates_get_the_object_with_its_new_count() {
    let cluster = TestCluster::start();
    for (args, expected) in [
        (&["-o", "jsonpath={.spec.replicas}"][..], "3"),
        (&["-o", "jsonpath={.metadata.name}{\"\\n\"}"], "locust-slave\n"),
        (
            &["-o", "jsonpath", "--template={.kind} of {.metadata.namespace}"],
            "Deployment of default",
        ),
        (&["-o", "jsonpath-as-json={.spec.replicas}"], "[\n    3\n]\n"),
        (&["-o", "jsonpath={.nope}"], ""),
        (&["-o", "go-template={{.spec.replicas}}"], "3"),
        (&["-o=template={{.metadata.name}}\n"], "locust-slave\n"),
        (&["--template={{.kind}} {{.nope}}"], "Deployment <no value>"),
        (&["--template", "{{.kind}}", "-o", "name"], "deployment.apps/locust-slave\n"),
        (&["--template={{exists .spec \"replicas\"}} {{base64decode \"aGk=\"}}"], "true hi"),
        (
            &[
                "-o",
                "go-template={{.spec.replicas}};",
                "deploy/locust-slave",
                "deploy/locust-master",
            ],
            "3;3;",
        ),
        (
            &["-o", "jsonpath={.metadata.name};", "deploy/locust-slave", "deploy/locust-master"],
            "locust-slave;locust-master;",
        ),
    ] {
        // A second master gets a warning on stderr.
        scale(&cluster, args).exits(0, expected);
    }
}

#[test]
fn templates_can_be_read_from_a_file() {
    let cluster = TestCluster::start();
    for (name, format, template) in [
        ("a", "jsonpath-file", "{.spec.replicas}"),
        ("b", "go-template-file", "{{.spec.replicas}}"),
        ("c", "templatefile", "{{.spec.replicas}}"),
    ] {
        let command = locustctl("scale --replicas=3").kubeconfig(cluster.kubeconfig());
        let path = command.home().join(name);
        std::fs::write(&path, template).unwrap();
        command.arg("-o").arg(format!("{format}={}", path.display())).run().prints("3");
        let command = locustctl("scale --replicas=3").kubeconfig(cluster.kubeconfig());
        let path = command.home().join(name);
        std::fs::write(&path, template).unwrap();
        command.arg("-o").arg(format).arg("--template").arg(&path).run().prints("3");
    }
}

#[test]
fn kyaml_is_printed_with_a_header_for_each_object() {
    let cluster = TestCluster::start();
    let one = scale(&cluster, &["-o", "kyaml"]).stdout;
    assert!(
        one.starts_with(
            "---\n{\n  apiVersion: \"apps/v1\",\n  kind: \"Deployment\",\n  metadata: {\n"
        ),
        "{one}"
    );
    assert!(one.contains("\n    replicas: 3,\n") && one.ends_with("\n  },\n}\n"), "{one}");
    let two = scale(&cluster, &["-o", "KYAML", "deploy/locust-slave", "deploy/locust-master"]);
    assert_eq!(two.stdout.matches("---\n{").count(), 2);

    locustctl("scale --replicas=3 -o kyaml")
        .kubeconfig(cluster.kubeconfig())
        .env("KUBECTL_KYAML", "false")
        .run()
        .refuses(
            "error: unable to match a printer suitable for the output format \"kyaml\", allowed \
             formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,\
             name,template,templatefile,yaml\n",
        );
}

#[test]
fn a_template_fails_after_the_scale() {
    let cluster = TestCluster::start();
    let outcome =
        scale(&cluster, &["-o", "jsonpath={.nope}", "--allow-missing-template-keys=false"]);
    outcome.exits(1, "");
    let start = "error: error executing jsonpath \"{.nope}\": Error executing template: nope is not \
                 found. Printing more information for debugging the template:\n\ttemplate was:\n\t\t\
                 {.nope}\n\tobject given to jsonpath engine was:\n\t\tmap[string]interface {}{\
                 \"apiVersion\":\"apps/v1\", \"kind\":\"Deployment\", ";
    assert!(outcome.stderr.starts_with(start), "{}", outcome.stderr);
    assert!(outcome.stderr.ends_with("}\n\n\n"), "{}", outcome.stderr);
    assert_eq!(cluster.handle().replicas(SLAVE), Some(3));

    let template = "--template={{.kind}} {{.metadata.nope}}";
    let outcome = scale(&cluster, &[template, "--allow-missing-template-keys=false"]);
    let message = "template: output:1:21: executing \"output\" at <.metadata.nope>: map has no entry \
                   for key \"nope\"";
    assert_eq!(
        (outcome.code, outcome.stderr),
        (
            Some(1),
            format!(
                "error: error executing template \"{{{{.kind}}}} {{{{.metadata.nope}}}}\": {message}\n"
            )
        )
    );
    let start = format!(
        "Deployment Error executing template: {message}. Printing more information for debugging \
         the template:\n\ttemplate was:\n\t\t{{{{.kind}}}} {{{{.metadata.nope}}}}\n\traw data \
         was:\n\t\t{{\"apiVersion\":\"apps/v1\","
    );
    assert!(outcome.stdout.starts_with(&start), "{}", outcome.stdout);
    assert!(
        outcome
            .stdout
            .contains("}\n\tobject given to template engine was:\n\t\tmap[apiVersion:apps/v1 "),
        "{}",
        outcome.stdout
    );
}

#[test]
fn syntax_errors_in_a_template_are_reported_before_any_request() {
    let cluster = TestCluster::start();
    cluster.handle().clear_requests();
    for (args, expected) in [
        (&["-o", "jsonpath"][..], "template format specified but no template given"),
        (&["-o", "jsonpath={"], "error parsing jsonpath {, unclosed action"),
        (
            &["-o", "go-template={{"],
            "error parsing template {{, template: output:1: unclosed action",
        ),
        (
            &["-o", "go-template-file=/nonexistent"],
            "error reading --template /nonexistent, open /nonexistent: no such file or directory",
        ),
        (
            &["-o", "foo"],
            "unable to match a printer suitable for the output format \"foo\", allowed formats are: \
             go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,\
             template,templatefile,yaml",
        ),
    ] {
        scale(&cluster, args).refuses(&format!("error: {expected}\n"));
        // They are also reported before mistakes of the connection.
        let args: Vec<_> = args.iter().copied().chain(["--context=nope"]).collect();
        scale(&cluster, &args).refuses(&format!("error: {expected}\n"));
    }
    assert_eq!(cluster.handle().requests().len(), 0);
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn every_format_prints_what_kubectl_prints() {
    let cluster = TestCluster::start();
    for format in [
        "name",
        "jsonpath={.spec.replicas} {.metadata.labels}{\"\\n\"}",
        "jsonpath={range .spec.template.spec.containers[*]}{.name}: {.args}{\"\\n\"}{end}",
        "jsonpath={.spec.template.spec.containers[?(@.name==\"locust\")].image}",
        "jsonpath={.spec.nope}",
        "jsonpath-as-json={.spec.template.metadata}",
        "jsonpath-as-json={.spec.nope}",
        "go-template={{.spec.replicas}}{{range .spec.template.spec.containers}} {{.name}}{{end}}\n",
        "go-template={{.spec.template}}",
        "go-template={{printf \"%s %d\" .metadata.name .spec.replicas}}",
    ] {
        let target = ["deployment/locust-slave", "-o", format];
        let locustctl_output = scale(&cluster, &target);
        let kubectl_output = std::process::Command::new("kubectl")
            .args(["scale", "--replicas=3"])
            .args(target)
            .env("KUBECONFIG", cluster.kubeconfig())
            .env("HOME", cluster.kubeconfig().parent().unwrap())
            .output()
            .unwrap();
        assert_eq!(
            locustctl_output.stdout,
            String::from_utf8(kubectl_output.stdout).unwrap(),
            "{format}"
        );
        assert_eq!(locustctl_output.code, kubectl_output.status.code(), "{format}");
    }
    let object: Value = serde_json::from_str(&scale(&cluster, &["-o", "json"]).stdout).unwrap();
    assert_eq!(object["spec"]["replicas"], 3);
}
