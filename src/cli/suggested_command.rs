//! Commands that locustctl suggests. A suggested command uses the cluster and the settings of the
//! current command, but its own target.

use clap::{Arg, ArgAction, Command};

use super::secret::{SECRET_FLAGS, mask_credentials};
use super::typed_flags::TypedFlags;
use super::{canonical, grammar};

/// Flags that a suggested command does not take over: flags of targets, since it names its own target,
/// and flags of the output, since a person reads it. All other flags are taken over.
const NOT_TAKEN_OVER: [&str; 10] = [
    "all",
    "selector",
    "filename",
    "kustomize",
    "recursive",
    "output",
    "watch",
    "v",
    "vmodule",
    "log-flush-frequency",
];

/// `locustctl SUBCOMMAND --flag=value…`, quoted for a shell, with the flags that the subcommand
/// accepts. `namespace` replaces the namespace that was typed. A placeholder replaces a secret.
pub fn suggested_command(typed: &TypedFlags, subcommand: &str, namespace: Option<&str>) -> String {
    command_line(typed, &[subcommand], subcommand, namespace)
}

/// A suggested command line of `scale` with this change of the count. It gets the flags that `status` accepts,
/// since they do not change the count.
pub fn suggested_scale(typed: &TypedFlags, change: &str, namespace: Option<&str>) -> String {
    command_line(typed, &["scale", change], "status", namespace)
}

/// A command line that begins with these words, and takes over the flags that `flags_of` accepts.
fn command_line(
    typed: &TypedFlags,
    begin: &[&str],
    flags_of: &str,
    namespace: Option<&str>,
) -> String {
    let mut words = vec![typed.program.clone()];
    words.extend(begin.iter().map(|word| (*word).to_owned()));
    words.extend(taken_over(typed, &grammar::whole(), flags_of, namespace.is_some()));
    words.extend(namespace.map(|name| format!("--namespace={}", quoted(name))));
    words.join(" ")
}

fn taken_over(
    typed: &TypedFlags,
    grammar: &Command,
    subcommand: &str,
    has_namespace: bool,
) -> Vec<String> {
    let flags = canonical::flags(grammar, &typed.argv);
    let mut words = Vec::new();
    for (index, (name, value)) in flags.iter().enumerate() {
        if NOT_TAKEN_OVER.contains(&name.as_ref()) || (has_namespace && name == "namespace") {
            continue;
        }
        let Some(arg) = find_flag(grammar, subcommand, name) else { continue };
        let is_last = flags[index + 1..].iter().all(|(later, _)| later != name);
        if is_last || matches!(arg.get_action(), ArgAction::Append) {
            words.push(spelled(arg, name, value.as_deref()));
        }
    }
    words
}

/// The flag with this name. `None` if the subcommand does not have it.
fn find_flag<'a>(grammar: &'a Command, subcommand: &str, name: &str) -> Option<&'a Arg> {
    let own = grammar.find_subcommand(subcommand).into_iter().flat_map(Command::get_arguments);
    let global = grammar.get_arguments().filter(|arg| arg.is_global_set());
    own.chain(global).find(|arg| arg.get_long() == Some(name))
}

fn spelled(arg: &Arg, name: &str, value: Option<&str>) -> String {
    match value {
        None => format!("--{name}"),
        Some(_) if SECRET_FLAGS.contains(&name) => {
            let placeholder = arg.get_value_names().and_then(|names| names.first());
            format!("--{name}={}", placeholder.map_or("SECRET", |name| name.as_str()))
        }
        Some(value) => format!("--{name}={}", quoted(&mask_credentials(value, "USER:PASSWORD@"))),
    }
}

/// The text as one word of a shell command.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,=".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(typed: &[&str], subcommand: &str, namespace: Option<&str>) -> String {
        let argv = std::iter::once("locustctl").chain(typed.iter().copied()).map(Into::into);
        suggested_command(&TypedFlags::new("locustctl", argv.collect()), subcommand, namespace)
    }

    #[test]
    fn flags_of_the_change_and_of_the_cluster_are_taken_over() {
        for typed in [
            "--replicas=3 --dry-run=server",
            "--dry-run --by=-1 --sandbox",
            "--replicas=3 --context=a --cluster=b --user=c --namespace=d --server=https://e:1",
            "--replicas=3 --kubeconfig=/a/b --as=a --as-group=b --as-group=c --as-uid=d --as-user-extra=e=f",
            "--replicas=3 --current-replicas=1 --resource-version=7 --timeout=3m --wait",
            "--replicas=3 --locust=auto --locust-auth-file=a --rebalance=never --yes --record",
            "--replicas=3 --username=a --certificate-authority=b --client-certificate=c --client-key=d",
            "--replicas=3 --insecure-skip-tls-verify --tls-server-name=a --request-timeout=5",
            "--replicas=3 --kuberc=a --warnings-as-errors --match-server-version=true",
        ] {
            let words: Vec<_> = std::iter::once("scale").chain(typed.split(' ')).collect();
            assert_eq!(command(&words, "scale", None), format!("locustctl scale {typed}"));
        }
    }

    #[test]
    fn a_suggested_scale_has_the_flags_of_status_and_the_new_count() {
        let typed = ["locustctl", "run", "--replicas=9", "--context=a status b", "--users=5"];
        let typed = TypedFlags::new("locustctl", typed.map(Into::into).to_vec());
        assert_eq!(
            suggested_scale(&typed, "--current-replicas=9 --replicas=1", Some("c")),
            "locustctl scale --current-replicas=9 --replicas=1 --context='a status b' --namespace=c"
        );
    }

    #[test]
    fn flags_of_targets_are_left_out_and_the_last_of_several_values_counts() {
        let typed = [
            "scale",
            "deploy",
            "--all",
            "-l",
            "a=b",
            "-f",
            "x",
            "-R",
            "-v6",
            "-ojson",
            "-n",
            "a",
            "-n",
            "b",
            "--replicas",
            "1",
            "--replicas=2",
            "--",
            "--token=x",
        ];
        assert_eq!(command(&typed, "scale", None), "locustctl scale --namespace=b --replicas=2");
        let elsewhere = command(&typed, "scale", Some("c"));
        assert_eq!(elsewhere, "locustctl scale --replicas=2 --namespace=c");
    }

    #[test]
    fn another_subcommand_gets_only_the_flags_that_it_accepts() {
        let typed = ["scale", "--replicas=1", "--wait", "--as=a", "--locust=none", "-y", "-n=b"];
        let expected = "locustctl status --as=a --locust=none --namespace=b";
        assert_eq!(command(&typed, "status", None), expected);
    }

    #[test]
    fn placeholders_replace_secrets() {
        let typed = ["scale", "--token", "abc", "--password=def", "-s", "https://u:ghi@h:1/p"];
        assert_eq!(
            command(&typed, "scale", None),
            "locustctl scale --token=TOKEN --password=PASSWORD --server=https://USER:PASSWORD@h:1/p"
        );
    }

    #[test]
    fn text_that_a_shell_would_interpret_is_quoted() {
        for (text, expected) in [
            ("default", "default"),
            ("", ""),
            ("a b", "'a b'"),
            ("a'b", "'a'\\''b'"),
            ("$(x)", "'$(x)'"),
            ("~", "'~'"),
        ] {
            assert_eq!(
                command(&["scale", "--context", text], "scale", None),
                format!("locustctl scale --context={expected}")
            );
        }
    }
}
