//! The content of a kuberc file.

use super::policy::PluginPolicy;

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
