//! Mistakes on the command line are reported in kubectl's words, with exit code 1 and before any
//! request. The server of these tests does not exist.

use support::{Locustctl, Outcome, dead_kubeconfig};

fn scale(args: &[&str]) -> Outcome {
    let home = tempfile::tempdir().unwrap();
    let args = std::iter::once("scale").chain(args.iter().copied());
    Locustctl::new(args).kubeconfig(dead_kubeconfig(home.path())).run()
}

#[track_caller]
fn refuses(args: &str, stderr: &str) {
    scale(&args.split(' ').filter(|arg| !arg.is_empty()).collect::<Vec<_>>()).refuses(stderr);
}

const HINT: &str = "See 'locustctl scale --help' for usage.\n";

#[test]
fn a_scale_needs_a_new_count() {
    for args in ["", "deployment/a"] {
        refuses(args, "error: required flag(s) \"replicas\" not set\n");
    }
}

#[test]
fn a_negative_count_is_refused() {
    for args in ["--replicas=-1 deployment/a", "--replicas -1", "--replicas=-0x1"] {
        refuses(
            args,
            "error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0\n",
        );
    }
}

#[test]
fn a_count_over_int32_is_refused_and_not_truncated() {
    for (count, shown) in
        [("2147483648", "2147483648"), ("4294967297", "4294967297"), ("0xffffffff", "4294967295")]
    {
        refuses(
            &format!("--replicas={count} --current-replicas=1"),
            &format!(
                "error: The --replicas=COUNT flag must not be greater than 2147483647, was {shown}\n"
            ),
        );
    }
}

#[test]
fn invalid_flag_values_are_refused_in_gos_words() {
    for (args, expected) in [
        (
            "--replicas=abc deployment/a",
            "invalid argument \"abc\" for \"--replicas\" flag: strconv.ParseInt: parsing \"abc\": invalid syntax",
        ),
        (
            "--replicas=1.5 deployment/a",
            "invalid argument \"1.5\" for \"--replicas\" flag: strconv.ParseInt: parsing \"1.5\": invalid syntax",
        ),
        (
            "--replicas= deployment/a",
            "invalid argument \"\" for \"--replicas\" flag: strconv.ParseInt: parsing \"\": invalid syntax",
        ),
        (
            "--replicas 99999999999999999999 deployment/a",
            "invalid argument \"99999999999999999999\" for \"--replicas\" flag: strconv.ParseInt: parsing \"99999999999999999999\": value out of range",
        ),
        (
            "--replicas --all",
            "invalid argument \"--all\" for \"--replicas\" flag: strconv.ParseInt: parsing \"--all\": invalid syntax",
        ),
        (
            "--replicas=1 --current-replicas=x",
            "invalid argument \"x\" for \"--current-replicas\" flag: strconv.ParseInt: parsing \"x\": invalid syntax",
        ),
        (
            "--replicas=1 -v=x",
            "invalid argument \"x\" for \"-v, --v\" flag: strconv.ParseInt: parsing \"x\": invalid syntax",
        ),
        (
            "--replicas=1 --insecure-skip-tls-verify=maybe",
            "invalid argument \"maybe\" for \"--insecure-skip-tls-verify\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
        (
            "--by=3",
            "invalid argument \"3\" for \"--by\" flag: \"3\" is not a signed number: use +COUNT or -COUNT, or --replicas for an absolute number",
        ),
        (
            "--by=+",
            "invalid argument \"+\" for \"--by\" flag: \"+\" is not a signed number: use +COUNT or -COUNT, or --replicas for an absolute number",
        ),
    ] {
        refuses(args, &format!("error: {expected}\n{HINT}"));
    }
}

#[test]
fn unknown_flags_and_missing_values_are_refused_in_pflags_words() {
    for (args, expected) in [
        ("--replicas", "flag needs an argument: --replicas"),
        ("--replicas=1 -n", "flag needs an argument: 'n' in -n"),
        ("--replicas=1 --bogus deployment/a", "unknown flag: --bogus"),
        ("--replicas=1 --bogus=x deployment/a", "unknown flag: --bogus"),
        ("--replicas=1 -z deployment/a", "unknown shorthand flag: 'z' in -z"),
        ("--replicas=1 -zx deployment/a", "unknown shorthand flag: 'z' in -zx"),
        ("--replicas=1 --field-selector=a=b deployment", "unknown flag: --field-selector"),
        ("--repl=1 deployment/a", "unknown flag: --repl"),
    ] {
        refuses(args, &format!("error: {expected}\n{HINT}"));
    }
}

#[test]
fn the_first_mistake_on_the_line_is_reported() {
    refuses("--bogus --replicas=x", &format!("error: unknown flag: --bogus\n{HINT}"));
    refuses(
        "--replicas=x --bogus",
        &format!(
            "error: invalid argument \"x\" for \"--replicas\" flag: strconv.ParseInt: parsing \"x\": invalid syntax\n{HINT}"
        ),
    );
}

#[test]
fn an_unknown_command_is_refused_with_a_suggestion() {
    let outcome = support::locustctl("scal --replicas=1").run();
    outcome.refuses(
        "error: unknown command \"scal\" for \"locustctl\"\n\nDid you mean this?\n\tscale\n",
    );
}

#[test]
fn only_listed_commands_are_suggested_and_commands_of_kubectl_are_named() {
    for (typed, advice) in [
        ("get pods", "This is a command of kubectl: use kubectl get …\n"),
        ("describe x", "This is a command of kubectl: use kubectl describe …\n"),
        ("logs -f x", "This is a command of kubectl: use kubectl logs …\n"),
        ("rollout status", "This is a command of kubectl: use kubectl rollout …\n"),
        (
            "options",
            "The help of a command shows the global options, too: locustctl scale --help\n",
        ),
        ("nonsense", ""),
    ] {
        let command = typed.split(' ').next().unwrap();
        let error = format!("error: unknown command {command:?} for \"locustctl\"\n{advice}");
        support::locustctl(typed).run().refuses(&error);
    }
}

#[test]
fn a_mistyped_flag_brings_a_suggestion() {
    for (args, flag, suggestion) in [
        ("--replica=3", "--replica", "--replicas"),
        ("--replicas=3 --namespce=x", "--namespce", "--namespace"),
        ("--replicas=3 --timeuot 3s", "--timeuot", "--timeout"),
    ] {
        let error = format!("error: unknown flag: {flag}\n{HINT}Did you mean {suggestion}?\n");
        refuses(args, &error);
    }
}

#[test]
fn a_number_without_a_flag_brings_the_command() {
    for (args, advice) in [
        ("3", "To scale to 3, run: locustctl scale --replicas=3\n"),
        (
            "3 deploy/a -n x",
            "To scale to 3, run: locustctl scale --namespace=x --replicas=3 deploy/a\n",
        ),
        ("+2", "To scale to 2 more, run: locustctl scale --by=+2\n"),
        ("deploy/a", ""),
    ] {
        let outcome = support::locustctl(&format!("scale {args}")).run();
        outcome.refuses(&format!("error: required flag(s) \"replicas\" not set\n{advice}"));
    }
}

#[test]
fn a_mistyped_type_brings_a_suggestion() {
    for (target, name, advice) in [
        ("deploymnt/x", "deploymnt", "Did you mean deployment/x?\n"),
        ("deploymnt.apps/x", "deploymnt", "Did you mean deployment/x?\n"),
        ("statefulest x", "statefulest", "Did you mean statefulset?\n"),
        ("widget/x", "widget", ""),
    ] {
        let outcome = support::locustctl(&format!("--sandbox scale --replicas=3 {target}")).run();
        let error = format!("error: the server doesn't have a resource type {name:?}\n{advice}");
        outcome.refuses(&error);
    }
}

#[test]
fn commands_without_a_cluster_do_not_list_its_flags() {
    for command in ["sandbox", "completion"] {
        let help = support::locustctl(&format!("{command} --help")).run().stdout;
        assert!(!help.contains("--kubeconfig") && !help.contains("--token"), "{help}");
        assert!(!help.contains("Global options"), "{help}");
    }
    let accepted = support::locustctl("completion bash --context=x").run();
    assert_eq!((accepted.code, &*accepted.stderr), (Some(0), ""));
    let install = support::locustctl("completion --help").run().stdout;
    assert!(install.contains("source <(locustctl completion bash)"), "{install}");
}

#[test]
fn contradictory_flags_are_refused() {
    for (args, expected) in [
        (
            "--replicas=1 --by=+1",
            "--replicas and --by cannot be used together: give the new count, or the change",
        ),
        (
            "--replicas=1 --current-replicas=-2 deployment/a",
            "The --current-replicas must specify an integer of -1 or greater",
        ),
        (
            "--replicas=1 --dry-run=foo deployment/a",
            "Invalid dry-run value (foo). Must be \"none\", \"server\", or \"client\".",
        ),
        (
            "--replicas=1 --resource-version=7 deploy a b",
            "cannot use --resource-version with multiple resources",
        ),
        (
            "--replicas=1 --sandbox --context=dead",
            "--sandbox and --context cannot be used together: the simulated cluster has its own settings; leave one of them out",
        ),
    ] {
        refuses(args, &format!("error: {expected}\n"));
    }
}

#[test]
fn an_unknown_output_format_is_refused_with_a_list_of_formats() {
    refuses(
        "--replicas=1 -o foo deployment/a",
        "error: unable to match a printer suitable for the output format \"foo\", allowed formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml\n",
    );
}

#[test]
fn invalid_targets_are_refused_in_kubectls_words() {
    for (args, expected) in [
        (
            "deployment/a b",
            "error: there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
        ),
        (
            "deployment/a/b",
            "error: arguments in resource/name form may not have more than one slash",
        ),
        (
            "deployment/",
            "error: arguments in resource/name form must have a single resource and name",
        ),
        (
            "deployment,statefulset/a",
            "error: arguments in resource/name form must have a single resource and name",
        ),
        (
            "deployment/a/b deployment/",
            "error: arguments in resource/name form may not have more than one slash",
        ),
        ("deployment", "error: resource(s) were provided, but no name was specified"),
        ("deployment a%b", "error: invalid resource name \"a%b\": [may not contain '%']"),
        ("deployment/a -n a/b", "error: invalid namespace \"a/b\": [may not contain '/']"),
    ] {
        refuses(&format!("--replicas=1 {args}"), &format!("{expected}\n"));
    }
}

#[test]
fn a_shorthand_flag_without_its_value_is_an_error() {
    refuses(
        "--replicas=1 -s=",
        "Unable to connect to the server: dial tcp: lookup =: no such host\n",
    );
    refuses(
        "--replicas=1 -o= deploy/a",
        "error: unable to match a printer suitable for the output format \"=\", allowed formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml\n",
    );
}

#[test]
fn a_default_target_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let home = tempfile::tempdir().unwrap();
    let outcome = support::locustctl("scale --replicas=1")
        .kubeconfig(dead_kubeconfig(home.path()))
        .env("LOCUSTCTL_TARGET", std::ffi::OsStr::from_bytes(b"\xff"))
        .run();
    outcome.refuses("error: $LOCUSTCTL_TARGET is \"\\xFF\", which is not valid UTF-8\n");
}

#[test]
fn flags_of_kubectl_without_an_effect_are_accepted() {
    refuses(
        "--replicas=1 --cache-dir=/x --log-flush-frequency=5s --profile=none --profile-output=x --vmodule=a=1",
        "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?\n",
    );
}

#[test]
fn an_empty_name_is_refused() {
    const HINT: &str = "The target is an empty text. If it comes from a variable, check that the variable is set\n";
    scale(&["--replicas=1", "deployment", ""])
        .refuses(&format!("error: resource name may not be empty\n{HINT}"));
    let outcome = support::Locustctl::new(["--sandbox", "scale", "--replicas=1", ""]).run();
    outcome.refuses(&format!("error: the server doesn't have a resource type \"\"\n{HINT}"));
}

#[test]
fn a_bad_request_timeout_is_refused() {
    for value in ["xx", "-1"] {
        refuses(
            &format!("--replicas=1 deployment/a --request-timeout={value}"),
            "error: Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)\n",
        );
    }
}

#[test]
fn a_broken_configuration_is_reported_before_a_negative_count() {
    refuses(
        "--replicas=-1 --context=nope",
        "Error in configuration: context was not found for specified context: nope\n",
    );
}

#[test]
fn help_and_version_go_to_stdout_and_need_no_other_flags() {
    let help = scale(&["--help"]);
    assert_eq!((help.code, &*help.stderr), (Some(0), ""));
    assert!(help.stdout.contains("--current-replicas <COUNT>"), "{}", help.stdout);
    // Alone it is answered without parsing the command line. The answer is the same.
    for asked in ["--version", "-V", "--version -n x", "-n x -V"] {
        let version = support::locustctl(asked).run();
        version.prints(&format!("locustctl {}\n", env!("CARGO_PKG_VERSION")));
    }
    let nothing = support::locustctl("").run();
    assert_eq!((nothing.code, &*nothing.stderr), (Some(0), ""));
    assert!(nothing.stdout.contains("Usage: locustctl"), "{}", nothing.stdout);
}

#[test]
fn valid_command_lines_reach_the_server() {
    for args in [
        "--replicas=1",
        "--replicas=0x10 deploy a",
        "--replicas 1_000 sts/a",
        "--by=+1",
        "--by -1",
        "--replicas=1 --current-replicas=0",
        "--replicas=2147483647",
        "--replicas=5 --replicas=1",
        "--current_replicas=1 --replicas=1",
        "--replicas=1 -o YAML",
    ] {
        refuses(
            args,
            "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?\n",
        );
    }
    // Flags of the subcommand may stand before it.
    let home = tempfile::tempdir().unwrap();
    let outcome = support::locustctl("--replicas=1 -n x scale deploy/a")
        .kubeconfig(dead_kubeconfig(home.path()))
        .run();
    assert!(outcome.stderr.starts_with("The connection to the server"), "{outcome:?}");
}
