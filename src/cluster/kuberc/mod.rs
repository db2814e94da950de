//! kubectl's client preferences, the file `kuberc`: preset flags, aliases of commands, and the
//! policy for credential plugins. The rules and texts are those of kubectl's `pkg/kuberc`. Only the
//! entries for `scale` have an effect.

mod check;
mod document;
mod file;
mod location;
mod policy;
mod preferences;

pub use location::{Location, is_disabled};
pub use policy::PluginPolicy;
pub use preferences::{Alias, CommandDefaults, Preferences, Preset};

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
