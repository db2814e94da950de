//! The targets of a command: those on the command line, or the default.

use anyhow::{anyhow, bail};

use super::connection::Connection;
use crate::scaling::{Selection, SelectionArgs, SelectionError, Target, UnknownType, resolve};

/// The usual name of Locust's workers on Kubernetes.
const DEFAULT_TARGET: &str = "deployment/locust-slave";

/// The environment variable with another default target.
const TARGET_VARIABLE: &str = "LOCUSTCTL_TARGET";

/// The targets that a command asks for.
pub struct RequestedTargets {
    pub selection: Selection,
    /// The value of [`TARGET_VARIABLE`], if the selection comes from it.
    from_variable: Option<String>,
    audience: Audience,
}

/// The reader of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A person. Hints are printed.
    Person,
    /// A program that reads JSON, YAML or the like.
    Program,
}

impl RequestedTargets {
    /// Reads the targets on the command line. If there are none, takes the default target.
    ///
    /// # Errors
    /// The targets or [`TARGET_VARIABLE`] are invalid. The text is kubectl's.
    pub fn new(typed: &SelectionArgs<'_>, audience: Audience) -> anyhow::Result<Self> {
        let requested = |selection, from_variable| Self { selection, from_variable, audience };
        if !typed.is_empty() {
            return Ok(requested(Selection::new(typed)?, None));
        }
        let from_variable = match std::env::var(TARGET_VARIABLE) {
            Err(std::env::VarError::NotUnicode(text)) => {
                return Err(anyhow!("${TARGET_VARIABLE} is {text:?}, which is not valid UTF-8"));
            }
            result => result.ok().filter(|target| !target.trim().is_empty()),
        };
        let Some(target) = from_variable else {
            return Ok(requested(select(&[DEFAULT_TARGET.to_owned()])?, None));
        };
        let words: Vec<_> = target.split_whitespace().map(str::to_owned).collect();
        let words = match words.as_slice() {
            // A name without a type is the name of a Deployment.
            [name] if !name.contains('/') => vec![format!("deployment/{name}")],
            _ => words,
        };
        let selection = select(&words).map_err(|error| in_variable(&target, &error))?;
        Ok(requested(selection, Some(target)))
    }

    /// Adds to an error of [`resolve`] where the target comes from, or how to correct it.
    pub fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let is_mistake = error.is::<UnknownType>() || error.is::<SelectionError>();
        if let Some(target) = self.from_variable.as_ref().filter(|_| is_mistake) {
            return in_variable(target, &error);
        }
        match (&self.selection, error.downcast_ref::<UnknownType>()) {
            // The user probably typed a name without its type.
            (Selection::TypesOnly(types), Some(_))
                if types.len() == 1 && self.audience == Audience::Person =>
            {
                anyhow!(
                    "{error}\nIf {name} is the name of a Deployment, write deployment/{name}",
                    name = types[0]
                )
            }
            _ => error,
        }
    }
}

/// Resolves a selection that [`only_one`] has accepted.
///
/// # Errors
/// The type is unknown, or the server does not list its types.
pub async fn resolve_one(
    connection: &Connection,
    requested: &RequestedTargets,
) -> anyhow::Result<Target> {
    let Connection { client, namespace, .. } = connection;
    let resolved = resolve(client, &requested.selection, namespace, false).await;
    let selected = resolved.map_err(|error| requested.explain(error))?.selected.pop();
    selected.map(|selected| selected.target).ok_or_else(|| anyhow!("no target was given"))
}

/// Refuses several targets for a command that takes only one.
///
/// # Errors
/// The number of targets is not one.
pub fn only_one(command: &str, selection: &Selection) -> anyhow::Result<()> {
    let count = match selection {
        Selection::Pairs(pairs) => pairs.len(),
        Selection::Names { names, .. } => names.len(),
        // The name is missing. `resolve` reports that when it knows the type.
        Selection::TypesOnly(_) | Selection::Collections { .. } => 1,
    };
    match count {
        1 => Ok(()),
        count => bail!("{command} takes one target, but {count} were given"),
    }
}

fn select(args: &[String]) -> Result<Selection, SelectionError> {
    Selection::new(&SelectionArgs { args, ..SelectionArgs::default() })
}

fn in_variable(target: &str, error: &dyn std::fmt::Display) -> anyhow::Error {
    anyhow!("${TARGET_VARIABLE} is {target:?}: {error}")
}
