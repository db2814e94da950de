//! Which objects a command is about: those that are named, else the default.

use anyhow::{anyhow, bail};

use super::connection::Connection;
use crate::scaling::{Selection, SelectionArgs, SelectionError, Target, UnknownType, resolve};

/// The tradition of Locust on Kubernetes.
const DEFAULT_TARGET: &str = "deployment/locust-slave";

/// Names another default.
const TARGET_VARIABLE: &str = "LOCUSTCTL_TARGET";

/// What a command is about, and where that comes from.
pub struct Meant {
    /// The objects.
    pub selection: Selection,
    /// What stands in [`TARGET_VARIABLE`], when that was taken.
    from_variable: Option<String>,
    /// Whether the answer is for a program, which has no use for what may help.
    is_for_machine: bool,
}

impl Meant {
    /// What was typed, or the default when nothing was.
    ///
    /// # Errors
    /// Everything that is wrong with it, in kubectl's words.
    pub fn new(typed: &SelectionArgs<'_>) -> anyhow::Result<Self> {
        if !typed.is_empty() {
            return Ok(Self::of(Selection::new(typed)?, None));
        }
        let from_variable = match std::env::var(TARGET_VARIABLE) {
            Err(std::env::VarError::NotUnicode(text)) => {
                return Err(anyhow!("${TARGET_VARIABLE} is {text:?}, which is not valid UTF-8"));
            }
            result => result.ok().filter(|target| !target.trim().is_empty()),
        };
        let Some(target) = from_variable else {
            let selection = select(&[DEFAULT_TARGET.to_owned()])?;
            return Ok(Self::of(selection, None));
        };
        let words: Vec<_> = target.split_whitespace().map(str::to_owned).collect();
        let words = match words.as_slice() {
            // A name alone is a Deployment's.
            [name] if !name.contains('/') => vec![format!("deployment/{name}")],
            _ => words,
        };
        let selection = select(&words).map_err(|error| in_variable(&target, &error))?;
        Ok(Self::of(selection, Some(target)))
    }

    fn of(selection: Selection, from_variable: Option<String>) -> Self {
        Self { selection, from_variable, is_for_machine: false }
    }

    /// The same, with no hints if the answer is for a program.
    pub fn for_machine(self, is_for_machine: bool) -> Self {
        Self { is_for_machine, ..self }
    }

    /// An error of resolving it, with what helps to put it right.
    pub fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let is_mistake = error.is::<UnknownType>() || error.is::<SelectionError>();
        if let Some(target) = self.from_variable.as_ref().filter(|_| is_mistake) {
            return in_variable(target, &error);
        }
        match (&self.selection, error.downcast_ref::<UnknownType>()) {
            // Most likely a name.
            (Selection::TypesOnly(types), Some(_)) if types.len() == 1 && !self.is_for_machine => {
                anyhow!(
                    "{error}\nIf {name} is the name of a Deployment: deployment/{name}",
                    name = types[0]
                )
            }
            _ => error,
        }
    }
}

/// The one target that is meant; see [`only_one`].
///
/// # Errors
/// Its type is not known, or cannot be asked for.
pub async fn resolve_one(connection: &Connection, meant: &Meant) -> anyhow::Result<Target> {
    let Connection { client, namespace, .. } = connection;
    let resolved = resolve(client, &meant.selection, namespace, false).await;
    let selected = resolved.map_err(|error| meant.explain(error))?.selected.pop();
    selected.map(|selected| selected.target).ok_or_else(|| anyhow!("nothing was named"))
}

/// Refuses more than one target where `command` is about one.
///
/// # Errors
/// How many were named.
pub fn only_one(command: &str, selection: &Selection) -> anyhow::Result<()> {
    let count = match selection {
        Selection::Pairs(pairs) => pairs.len(),
        Selection::Names { names, .. } => names.len(),
        // One of them is missing its name; that is said when its type is known.
        Selection::TypesOnly(_) | Selection::Collections { .. } => 1,
    };
    match count {
        1 => Ok(()),
        count => bail!("{command} is about one target, {count} were named"),
    }
}

fn select(args: &[String]) -> Result<Selection, SelectionError> {
    Selection::new(&SelectionArgs { args, ..SelectionArgs::default() })
}

fn in_variable(target: &str, error: &dyn std::fmt::Display) -> anyhow::Error {
    anyhow!("${TARGET_VARIABLE} is {target:?}: {error}")
}
