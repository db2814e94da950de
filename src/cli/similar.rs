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

/// The most similar one of `names`: at most two typing errors, and at most one for every
/// three characters.
pub fn closest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let max_errors = (typed.len() / 3).min(2);
    let distance = |name: &'a str| (strsim::damerau_levenshtein(typed, name), name);
    let similar = names.filter(|name| name.len().abs_diff(typed.len()) <= max_errors).map(distance);
    similar.filter(|(distance, _)| *distance <= max_errors).min().map(|(_, name)| name)
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

    #[test]
    fn the_closest_flag_has_few_typing_errors() {
        let names = ["replicas", "namespace", "by", "all", "wait"];
        for (typed, expected) in [
            ("replica", Some("replicas")),
            ("namespce", Some("namespace")),
            ("wiat", Some("wait")),
            ("bz", None),
            ("repl", None),
            ("bogus", None),
        ] {
            assert_eq!(closest(typed, names.into_iter()), expected, "{typed}");
        }
    }
}
