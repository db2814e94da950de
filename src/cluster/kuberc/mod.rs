//! kubectl's client preferences, the file `kuberc`: preset flags, aliases of commands, and the
//! policy for credential plugins. The rules and texts are those of kubectl's `pkg/kuberc`. Only the
//! entries for `scale` have an effect.

mod check;
mod document;
mod file;
mod location;
mod policy;

pub use location::{Location, is_disabled};
pub use policy::PluginPolicy;

/// The content of a kuberc file, checked.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The presets, in the order of the file. The last one for a command wins.
    pub defaults: Vec<CommandDefaults>,
    /// The aliases. The names are unique and consist of letters.
    pub aliases: Vec<Alias>,
    /// The policy for credential plugins, for every command.
    pub plugin_policy: PluginPolicy,
}

/// The preset flags of a command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CommandDefaults {
    /// The command as written. Its first word is the name.
    pub command: String,
    pub options: Vec<Preset>,
}

/// The value of a flag that the command line does not have.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Preset {
    /// The flag's long name, without dashes.
    pub name: String,
    /// The flag's value.
    pub value: String,
}

/// Another name of a command, with arguments.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Alias {
    /// The name to type.
    pub name: String,
    /// The command as written. Its first word is the name.
    pub command: String,
    /// The arguments before the typed ones.
    pub prepend_args: Vec<String>,
    /// The arguments after the typed ones.
    pub append_args: Vec<String>,
    /// The preset flags. The presets of the command itself do not apply to the alias.
    pub options: Vec<Preset>,
}

/// The result of loading a kuberc.
#[derive(Debug)]
pub struct LoadedKuberc {
    /// The preferences; `None` if there is no file, or no preference in it. The error is kubectl's
    /// text after `error occurred while applying preferences `.
    pub preferences: Result<Option<Preferences>, String>,
    /// A problem of the file that does not end the run.
    pub notice: Option<String>,
    /// The lines for `-v=5`.
    pub log: Vec<String>,
}

/// Loads the file at `location`. A file that the user has not named may be missing or broken.
pub fn load(location: &Location) -> LoadedKuberc {
    checked(file::load(location))
}

/// Does the same as [`load`], for a file with this content; used by `fuzz/`.
#[doc(hidden)]
pub fn from_content(content: &[u8]) -> LoadedKuberc {
    checked(file::of_content(content, "kuberc".as_ref()))
}

fn checked(file: file::UncheckedKuberc) -> LoadedKuberc {
    let file::UncheckedKuberc { preference, notice, log } = file;
    let preferences = match preference {
        Ok(Some(preference)) => check::check(preference).map(Some),
        Ok(None) => Ok(None),
        Err(text) => Err(text),
    };
    LoadedKuberc { preferences, notice, log }
}

#[cfg(test)]
mod tests;
