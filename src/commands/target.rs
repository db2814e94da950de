//! What a command is about when nothing is named.

use anyhow::anyhow;

use crate::output::Failed;
use crate::scaling::{Target, parse_targets};

/// The tradition of Locust on Kubernetes.
const DEFAULT_TARGET: &str = "deployment/locust-slave";

/// Names another default.
const TARGET_VARIABLE: &str = "LOCUSTCTL_TARGET";

/// The targets that the arguments name, or the default one.
///
/// # Errors
/// Everything that is wrong with them, in kubectl's words.
pub fn targets(args: &[String]) -> Result<Vec<Target>, Failed> {
    let parse = |args: &[String]| {
        parse_targets(args).map_err(|errors| Failed(errors.into_iter().map(Into::into).collect()))
    };
    if !args.is_empty() {
        return parse(args);
    }
    let from_variable = std::env::var(TARGET_VARIABLE).ok().filter(|target| !target.is_empty());
    let Some(target) = from_variable else {
        return parse(&[DEFAULT_TARGET.to_owned()]);
    };
    // A name alone is a Deployment's.
    let argument = match target.contains('/') {
        true => target.clone(),
        false => format!("deployment/{target}"),
    };
    parse(&[argument]).map_err(|Failed(errors)| {
        let named = |error| anyhow!("${TARGET_VARIABLE} is {target:?}: {error:#}");
        Failed(errors.into_iter().map(named).collect())
    })
}
