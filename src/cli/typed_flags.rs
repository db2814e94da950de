//! The flags that were typed, for a command that is suggested: it is to do the same in the same
//! place, but for what it is about.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

use super::secret::{SECRET, hide_login};
use super::{canonical, grammar};

/// What a command is about, what it prints, and how much it says: a suggestion names its own
/// target, and is for people. All other flags are carried, also those that are yet to come.
const NOT_CARRIED: [&str; 10] = [
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

/// The flags of a command line, the user's kuberc included.
#[derive(Clone, Default)]
pub struct TypedFlags {
    program: String,
    argv: Vec<OsString>,
}

/// There may be secrets in it.
impl std::fmt::Debug for TypedFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedFlags")
    }
}

impl TypedFlags {
    /// `argv` is canonical; `program` is what it is run as.
    pub(super) fn new(program: &str, argv: Vec<OsString>) -> Self {
        Self { program: program.to_owned(), argv }
    }

    /// `locustctl SUBCOMMAND --flag=value…`, for a shell, with those flags that the subcommand
    /// takes as well; `namespace` is named instead of the one that was typed. In the place of a
    /// secret stands what it is.
    pub fn command(&self, subcommand: &str, namespace: Option<&str>) -> String {
        let grammar = grammar::whole();
        let mut words = vec![self.program.clone(), subcommand.to_owned()];
        words.extend(self.carried(&grammar, subcommand, namespace.is_some()));
        words.extend(namespace.map(|name| format!("--namespace={}", quoted(name))));
        words.join(" ")
    }

    fn carried(&self, grammar: &Command, subcommand: &str, is_moved: bool) -> Vec<String> {
        let flags = canonical::flags(grammar, &self.argv);
        let mut words = Vec::new();
        for (index, (name, value)) in flags.iter().enumerate() {
            if NOT_CARRIED.contains(&name.as_ref()) || (is_moved && name == "namespace") {
                continue;
            }
            let Some(arg) = taken(grammar, subcommand, name) else { continue };
            let is_last = flags[index + 1..].iter().all(|(later, _)| later != name);
            if is_last || matches!(arg.get_action(), ArgAction::Append) {
                words.push(spelled(arg, name, value.as_deref()));
            }
        }
        words
    }
}

/// The flag of this name, if the subcommand has it.
fn taken<'a>(grammar: &'a Command, subcommand: &str, name: &str) -> Option<&'a Arg> {
    let own = grammar.find_subcommand(subcommand).into_iter().flat_map(Command::get_arguments);
    let global = grammar.get_arguments().filter(|arg| arg.is_global_set());
    own.chain(global).find(|arg| arg.get_long() == Some(name))
}

fn spelled(arg: &Arg, name: &str, value: Option<&str>) -> String {
    match value {
        None => format!("--{name}"),
        Some(_) if SECRET.contains(&name) => {
            let placeholder = arg.get_value_names().and_then(|names| names.first());
            format!("--{name}={}", placeholder.map_or("SECRET", |name| name.as_str()))
        }
        Some(value) => format!("--{name}={}", quoted(&hide_login(value, "USER:PASSWORD@"))),
    }
}

/// For a shell.
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
        TypedFlags::new("locustctl", argv.collect()).command(subcommand, namespace)
    }

    #[test]
    fn every_flag_is_carried_that_decides_what_is_done_and_where() {
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
    fn what_it_was_about_is_left_out_and_of_several_the_last_is_taken() {
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
    fn another_subcommand_gets_the_flags_that_it_takes() {
        let typed = ["scale", "--replicas=1", "--wait", "--as=a", "--locust=none", "-y", "-n=b"];
        let expected = "locustctl status --as=a --locust=none --namespace=b";
        assert_eq!(command(&typed, "status", None), expected);
    }

    #[test]
    fn secrets_are_only_named() {
        let typed = ["scale", "--token", "abc", "--password=def", "-s", "https://u:ghi@h:1/p"];
        assert_eq!(
            command(&typed, "scale", None),
            "locustctl scale --token=TOKEN --password=PASSWORD --server=https://USER:PASSWORD@h:1/p"
        );
    }

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
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
