//! Flags: their spellings, their values, and kubectl's texts about wrong ones.

use crate::difference::Difference::{
    ClientDryRunChecks, CountAboveInt32, NoDiscovery, RecordInDryRun, SecretInRecord,
};
use crate::row::{Older, Row, ends, prints, refuses, row};

const A: &str = "deployment.apps/a scaled";
const NEGATIVE: &str =
    "error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0";
const RECORDED: &str = "Flag --record has been deprecated, --record will be removed in the future";

pub fn rows() -> Vec<Row> {
    [counts(), mistakes(), dry_runs(), booleans(), connection(), record()]
        .into_iter()
        .flatten()
        .collect()
}

fn a(args: &'static str, count: u32) -> Row {
    row(args, prints(A).scales(&format!("deployments/a={count}")))
}

/// A mistake in a flag. Its message names the help.
fn mistake(args: &'static str, text: &str) -> Row {
    let stderr = format!("error: {text}\nSee 'kubectl scale --help' for usage.");
    row(args, refuses(&stderr)).older(Older::Vendor)
}

/// A value that Go's `strconv` or `time` does not accept.
fn invalid(args: &'static str, value: &str, flag: &str, why: &str) -> Row {
    mistake(args, &format!("invalid argument \"{value}\" for \"{flag}\" flag: {why}"))
}

fn counts() -> Vec<Row> {
    let int = |args, value: &str, why: &str| {
        let why = format!("strconv.ParseInt: parsing \"{value}\": {why}");
        invalid(args, value, "--replicas", &why)
    };
    let beyond = |count: &str| {
        refuses(&format!(
            "error: The --replicas=COUNT flag must not be greater than 2147483647, was {count}"
        ))
    };
    vec![
        a("--replicas=0x10 deploy/a", 16),
        row("--replicas=0b11 deploy/a", prints(A)),
        a("--replicas=0o17 deploy/a", 15),
        a("--replicas=010 deploy/a", 8),
        a("--replicas=1_000 deploy/a", 1000),
        a("--replicas=+7 deploy/a", 7),
        a("--replicas=0 deploy/a", 0),
        row(
            "--replicas=2 deploy/zero",
            prints("deployment.apps/zero scaled").scales("deployments/zero=2"),
        ),
        int("--replicas=abc deployment/a", "abc", "invalid syntax"),
        int("--replicas=1.5 deployment/a", "1.5", "invalid syntax"),
        int("--replicas= deployment/a", "", "invalid syntax"),
        int("--replicas=1__0 deployment/a", "1__0", "invalid syntax"),
        int("--replicas=08 deployment/a", "08", "invalid syntax"),
        int(
            "--replicas 99999999999999999999 deployment/a",
            "99999999999999999999",
            "value out of range",
        ),
        row("--replicas=-1 deployment/a", refuses(NEGATIVE)),
        row("--replicas -1 deployment/a", refuses(NEGATIVE)),
        row(
            "--replicas=4 --current-replicas=-2 deployment/a",
            refuses("error: The --current-replicas must specify an integer of -1 or greater"),
        ),
        row("--replicas=-1 --current-replicas=-2 deployment/a", refuses(NEGATIVE)),
        row(
            "--replicas=4294967297 --current-replicas=3 deploy/a",
            prints(A).scales("deployments/a=1"),
        )
        .differs(CountAboveInt32, beyond("4294967297")),
        row(
            "--replicas=2147483648 --dry-run=client deploy/a",
            prints("deployment.apps/a scaled (dry run)"),
        )
        .differs(CountAboveInt32, beyond("2147483648")),
    ]
}

fn mistakes() -> Vec<Row> {
    let timeout = |args, value, why| invalid(args, value, "--timeout", why);
    vec![
        mistake("--replicas", "flag needs an argument: --replicas"),
        mistake("--replicas=4 deploy/a -n", "flag needs an argument: 'n' in -n"),
        mistake("--replicas=4 --bogus deployment/a", "unknown flag: --bogus"),
        mistake("--replicas=4 --bogus=1 deployment/a", "unknown flag: --bogus"),
        mistake("--replicas=4 -z deployment/a", "unknown shorthand flag: 'z' in -z"),
        mistake("--replicas=4 -Rz deployment/a", "unknown shorthand flag: 'z' in -z"),
        mistake("--replicas=4 --field-selector=a=b deployment", "unknown flag: --field-selector"),
        mistake("--replicas=4 -A deployment", "unknown shorthand flag: 'A' in -A"),
        mistake("--replicas=4 --all-namespaces deployment", "unknown flag: --all-namespaces"),
        mistake("--replicas=4 --subresource=scale deployment", "unknown flag: --subresource"),
        mistake("--replicas=4 --chunk-size=1 deployment", "unknown flag: --chunk-size"),
        mistake("--repl=4 deployment/a", "unknown flag: --repl"),
        mistake("--replicas=4 ---x deployment/a", "bad flag syntax: ---x"),
        mistake("--replicas=4 ---x_y=3 deployment/a", "bad flag syntax: ---x_y=3"),
        mistake("--replicas=4 --=3 deployment/a", "bad flag syntax: --=3"),
        row("--replicas=4 --profile=foo deploy/a", refuses("error: unknown profile 'foo'"))
            .older(Older::Vendor),
        row("--profile= deploy/a", refuses("error: unknown profile ''")).older(Older::Vendor),
        invalid(
            "--replicas=4 --all=maybe deployment",
            "maybe",
            "--all",
            "strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
        invalid(
            "--replicas=4 -v=x deployment/a",
            "x",
            "-v, --v",
            "strconv.ParseInt: parsing \"x\": invalid syntax",
        ),
        timeout(
            "--replicas=4 --timeout=5 deployment/a",
            "5",
            "time: missing unit in duration \"5\"",
        ),
        timeout("--replicas=4 --timeout=abc deployment/a", "abc", "time: invalid duration \"abc\""),
        timeout("--replicas=4 --timeout= deployment/a", "", "time: invalid duration \"\""),
        timeout(
            "--replicas=4 --timeout=5x deployment/a",
            "5x",
            "time: unknown unit \"x\" in duration \"5x\"",
        ),
        invalid(
            "--replicas=4 --current-replicas=x deployment/a",
            "x",
            "--current-replicas",
            "strconv.ParseInt: parsing \"x\": invalid syntax",
        ),
    ]
}

fn dry_runs() -> Vec<Row> {
    let client = "deployment.apps/a scaled (dry run)";
    let server = "deployment.apps/a scaled (server dry run)";
    let deprecated = |typed: &str, instead: &str| {
        format!("W: --dry-run{typed} and can be replaced with --dry-run={instead}.")
    };
    let invalid = |args, value: &str| {
        row(
            args,
            refuses(&format!(
                "error: Invalid dry-run value ({value}). Must be \"none\", \"server\", or \"client\"."
            )),
        )
    };
    vec![
        row("--replicas=4 --dry-run=client deploy/a", prints(client)),
        row("--replicas=4 --dry-run=server deploy/a", prints(server)),
        a("--replicas=4 --dry-run=none deploy/a", 4),
        row("--replicas=4 --dry-run deploy/a", ends(0, client, &deprecated(" is deprecated", "client"))),
        row(
            "--replicas=4 --dry-run=true deploy/a",
            ends(0, client, &deprecated("=true is deprecated (boolean value)", "client")),
        ),
        row(
            "--replicas=4 --dry-run=F deploy/a",
            ends(0, A, &deprecated("=F is deprecated (boolean value)", "none"))
                .scales("deployments/a=4"),
        ),
        invalid("--replicas=4 --dry-run=foo deployment/a", "foo"),
        invalid("--replicas=4 --dry-run= deployment/a", ""),
        invalid("--replicas=4 --dry-run=Client deployment/a", "Client"),
        row(
            "--replicas=4 --dry-run=server deploy/zz",
            refuses("Error from server (NotFound): deployments.apps \"zz\" not found"),
        ),
        row(
            "--replicas=4 --dry-run=client deploy/zz",
            refuses("Error from server (NotFound): deployments.apps \"zz\" not found"),
        ),
        row(
            "--replicas=4 --dry-run=server --current-replicas=9 deploy/a",
            refuses("error: Expected replicas to be 9, was 3"),
        ),
        row("--replicas=4 --dry-run=server --current-replicas=3 deploy/a", prints(server)),
        row("--replicas=4 --dry-run=server --timeout=5s deploy/a", prints(server)),
        row("--replicas=4 --dry-run=client --current-replicas=9 deploy/a", prints(client)).differs(
            ClientDryRunChecks,
            ends(0, client, "Warning: the condition would not hold: Expected replicas to be 9, was 3"),
        ),
        row("--replicas=4 --dry-run=client --resource-version=9 deploy/a", prints(client)).differs(
            ClientDryRunChecks,
            ends(
                0,
                client,
                "Warning: the condition would not hold: Expected resource version to be 9, was {version}",
            ),
        ),
    ]
}

fn booleans() -> Vec<Row> {
    vec![
        row(
            "--replicas=4 --all=T statefulset",
            prints("statefulset.apps/web scaled").scales("statefulsets/web=4"),
        ),
        row(
            "--replicas=4 --all=1 statefulset",
            prints("statefulset.apps/web scaled").scales("statefulsets/web=4"),
        ),
        a("--replicas=4 --dry_run=none deploy/a", 4),
        a("--replicas=4 --current_replicas=3 deploy/a", 4),
        row("--replicas=4 --dry_run=client deploy/a", prints("deployment.apps/a scaled (dry run)")),
    ]
}

fn connection() -> Vec<Row> {
    let refused = "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?";
    vec![
        a("--replicas=4 deploy/a --context=sandbox", 4),
        row("--replicas=4 deploy/a -n staging", prints(A).scales("staging/deployments/a=4")),
        row(
            "--replicas=4 deploy/a --namespace staging",
            prints(A).scales("staging/deployments/a=4"),
        ),
        a("--replicas=4 deploy/a -n ''", 4),
        row(
            "--replicas=4 deployment/a --context=nope",
            refuses("Error in configuration: context was not found for specified context: nope"),
        ),
        row(
            "--replicas=4 deployment/a --cluster=nope",
            refuses("error: no server found for cluster \"nope\""),
        ),
        row(
            "--replicas=4 deployment/a --user=nope",
            refuses("error: auth info \"nope\" does not exist"),
        ),
        row(
            "--replicas=4 deployment/a --kubeconfig=/nonexistent",
            refuses("error: stat /nonexistent: no such file or directory"),
        ),
        row(
            "--replicas=4 deployment/a --request-timeout=xx",
            refuses(
                "error: Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by \
                 a corresponding time unit (e.g. 1s | 2m | 3h)",
            ),
        ),
        a("--replicas=4 deploy/a --request-timeout=30", 4),
        a("--replicas=4 deploy/a --request-timeout=1m", 4),
        row(
            "--replicas=4 deployment/a -s 127.0.0.1:1/prefix",
            refuses("error: host must be a URL or a host:port pair: \"127.0.0.1:1/prefix\""),
        ),
        row(
            "--replicas=4 deployment/a --as-group=g",
            refuses(
                "error: requesting uid, groups or user-extra for sandbox without impersonating a user",
            ),
        ),
        row("--replicas=4 deployment/a -s https://127.0.0.1:1", refuses(refused)),
        row(
            "--replicas=-1 deployment/a --context=nope",
            refuses("Error in configuration: context was not found for specified context: nope"),
        ),
        a("--replicas=4 deploy/a --warnings-as-errors", 4),
        a("--replicas=4 deploy/a --disable-compression", 4),
    ]
}

fn record() -> Vec<Row> {
    let recorded = |cause: &str| {
        ends(0, A, RECORDED).scales("deployments/a=4").records("deployments/a", cause)
    };
    vec![
        row(
            "deploy/a --replicas=4 --record --token={admin}",
            recorded("kubectl scale deploy/a --replicas=4 --record=true --token={admin}"),
        )
        .differs(SecretInRecord, recorded("kubectl scale deploy/a --replicas=4 --record=true")),
        row(
            "deployment/a --replicas=4 --record",
            recorded("kubectl scale deployment/a --replicas=4 --record=true"),
        ),
        row(
            "deploy a --replicas 0x4 --record=1",
            recorded("kubectl scale deploy a --replicas=0x4 --record=1"),
        ),
        row(
            "deployment/a --record -n default --replicas=4",
            recorded("kubectl scale deployment/a --record=true --namespace=default --replicas=4"),
        ),
        row("deploy/a --replicas=4 --record=false", ends(0, A, RECORDED).scales("deployments/a=4")),
        row(
            "deploy/a --replicas=4 --record --dry-run=client",
            ends(0, "deployment.apps/a scaled (dry run)", RECORDED),
        ),
        row(
            "deploy/a --replicas=4 --record --dry-run=server",
            ends(0, "deployment.apps/a scaled (server dry run)", RECORDED).records(
                "deployments/a",
                "kubectl scale deploy/a --replicas=4 --record=true --dry-run=server",
            ),
        )
        .differs(RecordInDryRun, ends(0, "deployment.apps/a scaled (server dry run)", RECORDED)),
        row(
            "deploy/a --replicas=4 --record --tls-server-name=localhost --token={token}x",
            refuses(&format!(
                "{RECORDED}\nerror: You must be logged in to the server (the server has asked for the client to provide credentials)"
            )),
        )
        .differs(NoDiscovery, refuses(&format!("{RECORDED}\nerror: You must be logged in to the server (Unauthorized)"))),
    ]
}
