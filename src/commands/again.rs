//! The command that somebody may want to type instead, or next.

use crate::cli::{TypedFlags, quoted};
use crate::scaling::Target;

/// Makes commands for the same cluster, as the same user, with the same flags.
pub struct Again {
    typed: TypedFlags,
    namespace: String,
}

impl Again {
    /// `namespace` is the one in effect, wherever it comes from.
    pub fn new(typed: TypedFlags, namespace: &str) -> Self {
        Self { typed, namespace: namespace.to_owned() }
    }

    /// The command about this target.
    pub fn command(&self, subcommand: &str, target: &Target) -> String {
        let is_elsewhere = target.resource.namespaced && target.namespace != self.namespace;
        let flags = self.typed.command(subcommand, is_elsewhere.then_some(&target.namespace));
        format!("{flags} {}", quoted(&typed(target)))
    }
}

/// The target as it may be typed: short where that is unmistakable.
pub fn typed(target: &Target) -> String {
    let Target { resource, name, .. } = target;
    match resource.has_replicas_in_spec() {
        true => format!("{}/{name}", resource.singular),
        false => format!("{}/{name}", resource.plural_with_group()),
    }
}
