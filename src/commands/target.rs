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
    /// Nothing was named: neither on the command line, nor in the variable.
    is_default: bool,
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
        let requested = |selection, from_variable| Self {
            selection,
            from_variable,
            is_default: false,
            audience,
        };
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
            let selection = select(&[DEFAULT_TARGET.to_owned()])?;
            return Ok(Self { is_default: true, ..requested(selection, None) });
        };
        let words: Vec<_> = target.split_whitespace().map(str::to_owned).collect();
        let selection = select(&words).map_err(|error| in_variable(&target, &error))?;
        Ok(requested(selection, Some(target)))
    }

    /// Nothing was named, so the target is [`DEFAULT_TARGET`].
    pub fn is_default(&self) -> bool {
        self.is_default
    }

    /// The hint for a missing object that was named by [`TARGET_VARIABLE`].
    pub fn hint_at_variable(&self) -> Option<String> {
        let target = self.from_variable.as_ref()?;
        Some(format!("The target comes from ${TARGET_VARIABLE}, which is {target:?}"))
    }

    /// Adds to an error of [`resolve`] where the target comes from, or how to correct it.
    pub fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        if !error.is::<UnknownType>() && !error.is::<SelectionError>() {
            return error;
        }
        let hint = self.hint(&error).filter(|_| self.audience == Audience::Person);
        let hint = hint.map(|hint| format!("\n{hint}"));
        match (&self.from_variable, hint) {
            (None, None) => error,
            (None, Some(hint)) => anyhow!("{error}{hint}"),
            (Some(target), hint) => {
                in_variable(target, &format!("{error}{}", hint.unwrap_or_default()))
            }
        }
    }

    /// How to correct the target.
    fn hint(&self, error: &anyhow::Error) -> Option<String> {
        const EMPTY: &str = "The target is an empty text. If it comes from a variable, check that the variable is set";
        if let Some(SelectionError::EmptyName) = error.downcast_ref() {
            return Some(EMPTY.to_owned());
        }
        let unknown: &UnknownType = error.downcast_ref()?;
        let UnknownType { name, similar } = unknown;
        match (&self.selection, similar) {
            (Selection::Pairs(pairs), _) if pairs.iter().any(|(kind, _)| kind == ".") => Some(
                "A path is not a target. The command of run needs -- before it, and a file with manifests needs -f"
                    .to_owned(),
            ),
            _ if name.trim().is_empty() => Some(EMPTY.to_owned()),
            (Selection::Pairs(pairs), Some(similar)) => {
                let is_it = |(kind, _): &&(String, String)| kind.split('.').next() == Some(name);
                let (_, object) = pairs.iter().find(is_it)?;
                Some(format!("Did you mean {similar}/{object}?"))
            }
            (_, Some(similar)) => Some(format!("Did you mean {similar}?")),
            // The user probably typed a name without its type.
            (Selection::TypesOnly(types), None) if types.len() == 1 => Some(format!(
                "If {name} is the name of a Deployment, write deployment/{name}",
                name = types[0]
            )),
            _ => None,
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
