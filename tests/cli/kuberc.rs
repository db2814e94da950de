//! kubectl's preferences, end to end. The texts are those of kubectl 1.36.

use std::path::Path;

use support::cluster::TestCluster;
use support::{Locustctl, dead_kubeconfig, locustctl};

const HEADER: &str = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";
const SCALED: &str = "deployment.apps/locust-slave scaled from 1 to 3\n";
/// The message after a valid command line, before any request.
const NEGATIVE: &str =
    "error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0\n";

/// A call with this as `~/.kube/kuberc`, and without a server.
fn with_kuberc(line: &str, rest: &str) -> Locustctl {
    let call = locustctl(line);
    std::fs::create_dir(call.home().join(".kube")).unwrap();
    std::fs::write(call.home().join(".kube/kuberc"), format!("{HEADER}{rest}\n")).unwrap();
    let kubeconfig = dead_kubeconfig(call.home());
    call.kubeconfig(kubeconfig)
}

#[track_caller]
fn refuses(line: &str, rest: &str, stderr: &str) {
    let stderr = match stderr.strip_prefix("… ") {
        Some(text) => format!("error occurred while applying preferences {text}\n"),
        None => stderr.to_owned(),
    };
    with_kuberc(line, rest).run().refuses(&stderr);
}

fn scale(options: &str) -> String {
    format!("defaults: [{{command: scale, options: [{options}]}}]")
}

#[test]
fn a_default_for_replicas_is_the_new_count() {
    let cluster = TestCluster::start();
    let kuberc =
        cluster.file("kuberc", &format!("{HEADER}{}", scale("{name: replicas, default: '3'}")));
    for (line, stdout) in [
        ("scale", SCALED),
        ("scale --replicas=1", "deployment.apps/locust-slave scaled from 3 to 1\n"),
        ("scale --by=+1", "deployment.apps/locust-slave scaled from 1 to 2\n"),
        ("resize", "deployment.apps/locust-slave scaled from 2 to 3\n"),
    ] {
        locustctl(line)
            .kubeconfig(cluster.path("kubeconfig"))
            .env("KUBERC", &kuberc)
            .run()
            .prints(stdout);
    }
    assert_eq!(cluster.handle().requests().len(), 8);
}

#[test]
fn defaults_apply_if_the_command_line_has_no_value() {
    let negative = "{name: replicas, default: '-1'}";
    for (line, options, stderr) in [
        ("scale", negative, NEGATIVE),
        (
            "scale deploy/a -ojson",
            "{name: output, default: x}, {name: replicas, default: '-1'}",
            NEGATIVE,
        ),
        (
            "scale --output=json",
            "{name: output, default: x}, {name: replicas, default: '-1'}",
            NEGATIVE,
        ),
        (
            "scale -nojson",
            "{name: output, default: name}, {name: replicas, default: '-1'}",
            NEGATIVE,
        ),
        // The last of several values wins, and `_` equals `-`.
        ("scale", "{name: replicas, default: '1'}, {name: replicas, default: '-1'}", NEGATIVE),
        (
            "--replicas=1 scale",
            "{name: dry_run, default: x}",
            "error: Invalid dry-run value (x). Must be \"none\", \"server\", or \"client\".\n",
        ),
        ("scale", "{name: kuberc, default: /nowhere}, {name: replicas, default: '-1'}", NEGATIVE),
        (
            "scale --replicas=1",
            "{name: context, default: nowhere}",
            "Error in configuration: context was not found for specified context: nowhere\n",
        ),
        ("scale", "", "error: required flag(s) \"replicas\" not set\n"),
        ("scale --replicas=1", "{name: foo, default: x}", "… invalid flag foo for command scale"),
        ("scale", "{name: o, default: x}", "… invalid flag o for command scale"),
        ("scale", "{name: v, default: '9'}", "… invalid flag v for command scale"),
        (
            "scale",
            "{name: replicas, default: xx}, {name: foo, default: x}",
            "… could not apply override value xx to flag replicas in command scale err: invalid \
             argument \"xx\" for \"--replicas\" flag: strconv.ParseInt: parsing \"xx\": invalid syntax",
        ),
        (
            "scale -- --replicas=1",
            "{name: replicas, default: xx}",
            "… could not apply override value xx to flag replicas in command scale err: invalid \
             argument \"xx\" for \"--replicas\" flag: strconv.ParseInt: parsing \"xx\": invalid syntax",
        ),
        ("scale --replicas=-1", "{name: replicas, default: xx}", NEGATIVE),
    ] {
        refuses(line, &scale(options), stderr);
    }
}

#[test]
fn defaults_for_other_commands_are_ignored() {
    for rest in [
        "defaults: [{command: get, options: [{name: foo, default: x}]}]",
        "defaults: [{command: set env, options: [{name: replicas, default: '3'}]}]",
        "defaults: [{command: '', options: [{name: replicas, default: '3'}]}]",
    ] {
        refuses("scale", rest, "error: required flag(s) \"replicas\" not set\n");
    }
    let both = "defaults: [{command: scale x, options: [{name: replicas, default: '3'}]}, \
                {command: scale, options: [{name: replicas, default: '-1'}]}]";
    refuses("scale", both, NEGATIVE);
    let outcome = with_kuberc("completion bash", &scale("{name: foo, default: x}")).run();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
}

#[test]
fn an_alias_expands_to_its_command_and_arguments() {
    let cluster = TestCluster::start();
    let kuberc = cluster.file(
        "kuberc",
        &format!(
            "{HEADER}{}\naliases:\n- name: workers\n  command: scale\n  \
             prependArgs: [deployment/locust-slave]\n  appendArgs: [--dry_run=client]\n  \
             options: [{{name: replicas, default: '3'}}, {{name: output, default: name}}]\n",
            scale("{name: replicas, default: '9'}")
        ),
    );
    for (line, stdout) in [
        ("workers", "deployment.apps/locust-slave\n"),
        ("-v 0 workers", "deployment.apps/locust-slave\n"),
        (
            "workers --output= --replicas 5",
            "deployment.apps/locust-slave scaled (dry run) from 1 to 5\n",
        ),
    ] {
        let call = locustctl(line).kubeconfig(cluster.path("kubeconfig")).env("KUBERC", &kuberc);
        call.run().prints(stdout);
    }
}

#[test]
fn aliases_are_refused_in_kubectls_words() {
    let alias = |rest: &str| format!("aliases: [{{name: sc, {rest}}}]");
    for (line, rest, stderr) in [
        ("sc", alias("command: scale, appendArgs: [--replicas=-1]"), NEGATIVE),
        (
            "sc x",
            alias("command: scale --replicas=-1"),
            "error: required flag(s) \"replicas\" not set\n",
        ),
        (
            "sc",
            alias("command: scale, appendArgs: [--bogus]"),
            "error: unknown flag: --bogus\nSee 'locustctl sc --help' for usage.\n",
        ),
        (
            "sc",
            alias("command: get pods"),
            "… command \"get pods\" not found to set alias \"sc\": [get pods]",
        ),
        (
            "sc",
            alias("command: scale, options: [{name: replicaz, default: x}]"),
            "… invalid alias flag replicaz in alias sc",
        ),
        (
            "sc",
            alias("command: scale, options: [{name: replicas, default: xx}]"),
            "… could not apply value xx to flag replicas in alias sc err: invalid argument \"xx\" for \
             \"--replicas\" flag: strconv.ParseInt: parsing \"xx\": invalid syntax",
        ),
        (
            "sc",
            alias("command: scale") + "\ndefaults: [{command: sc}]",
            "… alias sc can not be overridden",
        ),
        // Defaults for a command do not apply to its alias.
        (
            "sc",
            alias("command: scale") + "\n" + &scale("{name: replicas, default: '3'}"),
            "error: required flag(s) \"replicas\" not set\n",
        ),
        // An alias cannot replace one of our commands.
        (
            "scale",
            "aliases: [{name: scale, command: scale, options: [{name: replicas, default: '3'}]}]"
                .to_owned(),
            "error: required flag(s) \"replicas\" not set\n",
        ),
    ] {
        refuses(line, &rest, stderr);
    }
    let outcome = with_kuberc("sx", &alias("command: scale")).run();
    assert!(
        outcome.stderr.starts_with("error: unknown command \"sx\" for \"locustctl\"\n"),
        "{outcome:?}"
    );
}

/// A call with `KUBERC` and a file `good` in the current directory.
fn call(line: &str, variable: Option<&str>, directory: &Path) -> Locustctl {
    let call = locustctl(line).current_dir(directory).kubeconfig(dead_kubeconfig(directory));
    match variable {
        Some(value) => call.env("KUBERC", value),
        None => call,
    }
}

#[test]
fn the_flag_wins_over_the_variable_and_the_variable_over_the_home_directory() {
    let directory = tempfile::tempdir().unwrap();
    let good = format!("{HEADER}{}", scale("{name: replicas, default: '-1'}"));
    std::fs::write(directory.path().join("good"), &good).unwrap();
    std::fs::write(directory.path().join("a=b"), &good).unwrap();
    std::fs::write(directory.path().join("bad"), "a: b\n").unwrap();
    let unset = "error: required flag(s) \"replicas\" not set\n";
    let missing = "… kuberc error kuberc: open nope: no such file or directory";
    let not_found = "… kuberc file is not found";
    for (line, variable, stderr) in [
        ("scale", None, unset),
        ("scale", Some("good"), NEGATIVE),
        ("scale", Some("nope"), missing),
        ("scale", Some("off"), unset),
        ("scale", Some(""), unset),
        ("scale --kuberc=good", Some("nope"), NEGATIVE),
        ("scale --kuberc good", None, NEGATIVE),
        ("--kuberc good scale", None, NEGATIVE),
        ("scale --kuberc=a=b", None, NEGATIVE),
        ("scale --kuberc=good --kuberc=nope", None, NEGATIVE),
        ("scale --kuberc=nope", None, missing),
        ("--kuberc=nope --version", None, missing),
        ("status --kuberc=nope", None, missing),
        ("scale --kuberc=", None, not_found),
        ("scale --kuberc", None, not_found),
        ("scale -- --kuberc=nope", None, unset),
        (
            "scale --kuberc=good",
            Some("off"),
            "… kuberc error disabling kuberc via KUBERC=off and passing kuberc flag are mutually exclusive",
        ),
        (
            "scale --kuberc=bad",
            None,
            "… kuberc error kuberc: no valid preferences found in bad, use --v=5 to see details",
        ),
        ("scale --kuberc=/", None, "… kuberc error kuberc: read /: is a directory"),
    ] {
        let stderr = match stderr.strip_prefix("… ") {
            Some(text) => format!("error occurred while applying preferences {text}\n"),
            None => stderr.to_owned(),
        };
        call(line, variable, directory.path()).run().refuses(&stderr);
    }
    for (line, stderr) in [
        ("scale", unset),
        (
            "scale --kuberc=good",
            "error: unknown flag: --kuberc\nSee 'locustctl scale --help' for usage.\n",
        ),
    ] {
        for value in ["false", "FALSE"] {
            let call = call(line, Some("nope"), directory.path()).env("KUBECTL_KUBERC", value);
            call.run().refuses(stderr);
        }
    }
    call("scale", Some("good"), directory.path())
        .env("KUBECTL_KUBERC", "0")
        .run()
        .refuses(NEGATIVE);
}

#[test]
fn a_broken_file_in_the_home_directory_is_only_a_warning() {
    let call = with_kuberc("scale --replicas=-1 -v5", "defaults: 5");
    let path = call.home().join(".kube/kuberc").display().to_string();
    let outcome = call.run();
    let lines: Vec<_> = outcome.stderr.lines().collect();
    let reason = "json: cannot unmarshal number into Go struct field Preference.defaults of type []v1beta1.CommandDefaults";
    assert!(
        lines[0].ends_with(&format!(
            " kuberc.rs:1] kuberc: strict decoding error for entry 1 in {path}: {reason}"
        )),
        "{outcome:?}"
    );
    let notice = format!(
        "kuberc: no preferences loaded from {path}: no valid preferences found in {path}, use --v=5 to see details"
    );
    assert_eq!(lines[1..], [&*notice, NEGATIVE.trim_end()]);
    let call =
        with_kuberc("scale", &format!("{}\nfoo: 1", scale("{name: replicas, default: '-1'}")));
    let path = call.home().join(".kube/kuberc").display().to_string();
    call.run().refuses(&format!(
        "kuberc: ignoring strict decoding error in {path}: strict decoding error: unknown field \"foo\"\n{NEGATIVE}"
    ));
}

#[test]
fn an_invalid_policy_stops_every_command() {
    for line in ["status", "scale", "sandbox", "completion bash", "--help"] {
        refuses(line, "credentialPluginPolicy: Foo", "… unknown plugin policy: \"Foo\"");
    }
}
