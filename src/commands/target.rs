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
    if !args.is_empty() {
        return Ok(parse_targets(args)?);
    }
    let from_variable = match std::env::var(TARGET_VARIABLE) {
        Err(std::env::VarError::NotUnicode(text)) => {
            return Err(anyhow!("${TARGET_VARIABLE} is {text:?}, which is not valid UTF-8").into());
        }
        result => result.ok().filter(|target| !target.trim().is_empty()),
    };
    let Some(target) = from_variable else {
        return Ok(parse_targets(&[DEFAULT_TARGET.to_owned()])?);
    };
    let words: Vec<_> = target.split_whitespace().map(str::to_owned).collect();
    let words = match words.as_slice() {
        // A name alone is a Deployment's.
        [name] if !name.contains('/') => vec![format!("deployment/{name}")],
        _ => words,
    };
    parse_targets(&words)
        .map_err(|error| anyhow!("${TARGET_VARIABLE} is {target:?}: {error}").into())
}
