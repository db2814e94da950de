//! Commands that locustctl suggests: for the user to run next, or instead.

use crate::cli::{TypedFlags, quoted, suggested_command, suggested_scale};
use crate::scaling::Target;
use crate::text::terminal::on_one_line;

/// The next step if Locust was not found for a target.
pub const NAME_THE_MASTER: &str =
    "name Locust's master with --locust=URL or --locust=service/NAME[:PORT]";

/// Makes commands for the same cluster and user, with the flags of the current command.
pub struct FollowUp {
    typed: TypedFlags,
    namespace: String,
}

impl FollowUp {
    /// `namespace` is the namespace in effect, from a flag, the kubeconfig or the default.
    pub fn new(typed: TypedFlags, namespace: &str) -> Self {
        Self { typed, namespace: namespace.to_owned() }
    }

    /// The command line of `subcommand` for this target.
    pub fn command(&self, subcommand: &str, target: &Target) -> String {
        self.command_for(subcommand, target, &typed_name(target))
    }

    /// The command line that scales this target from `from` to `to`, if it is still at `from`.
    pub fn scale_command(&self, target: &Target, from: i64, to: i64) -> String {
        let change = format!("--current-replicas={from} --replicas={to}");
        let command = suggested_scale(&self.typed, &change, self.other_namespace(target));
        on_one_line(&format!("{command} {}", quoted(&typed_name(target)))).into_owned()
    }

    /// The command line of `subcommand` with the target as `typed`.
    pub fn command_for(&self, subcommand: &str, target: &Target, typed: &str) -> String {
        let command = suggested_command(&self.typed, subcommand, self.other_namespace(target));
        on_one_line(&format!("{command} {}", quoted(typed))).into_owned()
    }

    /// The namespace of the target, if it is not the one in effect.
    fn other_namespace<'a>(&self, target: &'a Target) -> Option<&'a str> {
        let is_elsewhere = target.resource.namespaced && target.namespace != self.namespace;
        is_elsewhere.then_some(target.namespace.as_str())
    }
}

/// The target as a user can type it: without the API group where the type is unambiguous.
pub fn typed_name(target: &Target) -> String {
    let Target { resource, name, .. } = target;
    match resource.has_replicas_in_spec() {
        true => format!("{}/{name}", resource.singular),
        false => format!("{}/{name}", resource.plural_with_group()),
    }
}

/// The target with the version of its type: `halves.v1.example.com/a`.
pub fn versioned_name(target: &Target) -> String {
    let Target { resource, name, .. } = target;
    format!("{}.{}.{}/{name}", resource.plural, resource.version, resource.group)
}
