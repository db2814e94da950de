//! kubectl's client preferences, the file `kuberc`: flags that are preset, commands under other
//! names, and which credential plugins may run. The rules and texts are those of kubectl's
//! `pkg/kuberc`; only what concerns `scale` has an effect here.

mod check;
mod document;
mod file;
mod place;
mod policy;

pub use place::{Place, is_disabled};
pub use policy::PluginPolicy;

/// What a kuberc file asks for, checked.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// In the order of the file; of several for one command the last wins.
    pub defaults: Vec<CommandDefaults>,
    /// Their names are letters, and each stands once.
    pub aliases: Vec<Alias>,
    /// For every command.
    pub plugin_policy: PluginPolicy,
}

/// Flags that are preset for a command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CommandDefaults {
    /// As written: the command is its first word.
    pub command: String,
    /// The flags.
    pub options: Vec<Preset>,
}

/// A value for a flag that is not given on the command line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Preset {
    /// The flag's long name, without dashes.
    pub name: String,
    /// What would stand behind the `=`.
    pub value: String,
}

/// Another name for a command, with arguments of its own.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Alias {
    /// What is typed.
    pub name: String,
    /// As written: the command is its first word.
    pub command: String,
    /// Go in front of the arguments that are typed.
    pub prepend_args: Vec<String>,
    /// Go behind them.
    pub append_args: Vec<String>,
    /// The presets of the command itself do not hold for the alias, only these.
    pub options: Vec<Preset>,
}

/// What came of looking for a kuberc.
#[derive(Debug)]
pub struct Found {
    /// `None` when there is no file, or nothing in it that counts. The error is kubectl's text, to
    /// be put behind `error occurred while applying preferences `.
    pub preferences: Result<Option<Preferences>, String>,
    /// What is wrong with the file and does not stop the run.
    pub notice: Option<String>,
    /// What `-v=5` shows.
    pub log: Vec<String>,
}

/// Reads the file at `place`. A file that was not asked for may be missing, and may be broken.
pub fn load(place: &Place) -> Found {
    checked(file::load(place))
}

/// As [`load`], of a file with this content; for `fuzz/`.
#[doc(hidden)]
pub fn from_content(content: &[u8]) -> Found {
    checked(file::of_content(content, "kuberc".as_ref()))
}

fn checked(file: file::Unchecked) -> Found {
    let file::Unchecked { preference, notice, log } = file;
    let preferences = match preference {
        Ok(Some(preference)) => check::check(preference).map(Some),
        Ok(None) => Ok(None),
        Err(text) => Err(text),
    };
    Found { preferences, notice, log }
}

#[cfg(test)]
mod tests;
