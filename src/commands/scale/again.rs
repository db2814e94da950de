//! The command that somebody may want to type instead.

use crate::cli::{Change, GlobalArgs, ScaleArgs};
use crate::go;

/// The same scale in the same place, but for what it is about; no secrets.
pub(super) fn command(global: &GlobalArgs, args: &ScaleArgs) -> String {
    let mut command = "locustctl scale".to_owned();
    let mut flag = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            command.push_str(&format!(" --{name}={}", quoted(&value)));
        }
    };
    flag("replicas", args.replicas.map(|count| count.to_string()));
    flag("by", args.by.as_ref().map(|Change(by)| format!("{by:+}")));
    let is_conditional = args.current_replicas >= 0;
    flag("current-replicas", is_conditional.then(|| args.current_replicas.to_string()));
    flag("wait", args.wait.then(|| "true".to_owned()));
    let is_timed = args.timeout != go::Duration(0);
    flag("timeout", is_timed.then(|| args.timeout.to_string()));
    flag("namespace", global.namespace.clone());
    flag("context", global.context.clone());
    flag("kubeconfig", global.kubeconfig.as_ref().map(|path| path.display().to_string()));
    command
}

/// For a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,=".contains(c);
    match text.chars().all(is_plain) && !text.is_empty() {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        for (text, expected) in [
            ("default", "default"),
            ("", "''"),
            ("a b", "'a b'"),
            ("a'b", "'a'\\''b'"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
