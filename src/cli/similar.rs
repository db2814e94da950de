//! Suggestions for mistyped commands and flags.

use super::subcommands::SUBCOMMANDS;

/// Commands of kubectl that users try here. `run` is not among them: locustctl
/// has its own.
const KUBECTL_COMMANDS: [&str; 38] = [
    "annotate",
    "api-resources",
    "api-versions",
    "apply",
    "attach",
    "auth",
    "autoscale",
    "certificate",
    "cluster-info",
    "config",
    "cordon",
    "cp",
    "create",
    "debug",
    "delete",
    "describe",
    "diff",
    "drain",
    "edit",
    "events",
    "exec",
    "explain",
    "expose",
    "get",
    "kustomize",
    "label",
    "logs",
    "options",
    "patch",
    "plugin",
    "port-forward",
    "proxy",
    "replace",
    "rollout",
    "set",
    "taint",
    "top",
    "wait",
];

/// True if kubectl has this command, and locustctl does not.
pub fn is_kubectl_command(typed: &str) -> bool {
    KUBECTL_COMMANDS.contains(&typed)
}

/// The commands of the help text that are similar to a mistyped one, by cobra's rule: at most two typing
/// errors, or the beginning of the name.
pub fn commands(typed: &str) -> Vec<&'static str> {
    let typed = typed.to_lowercase();
    let all = SUBCOMMANDS.iter().map(|it| it.name).chain(["help"]);
    all.filter(|name| {
        let is_beginning = !typed.is_empty() && name.starts_with(&typed);
        is_beginning || (typed.len() < 32 && strsim::levenshtein(&typed, name) <= 2)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_commands_are_suggested() {
        for (typed, expected) in [
            ("scal", vec!["scale"]),
            ("SCLE", vec!["scale"]),
            ("s", vec!["scale", "status", "serve", "sandbox"]),
            ("versoin", vec!["version"]),
            ("hepl", vec!["help"]),
            ("describe", vec![]),
            ("options", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(commands(typed), expected, "{typed}");
        }
    }
}
