//! The permission of a plugin to run, by the user's kuberc and the rules of client-go's `exec`.

use std::io;
use std::path::{Path, PathBuf};

use crate::cluster::kuberc::PluginPolicy;
use crate::process::{Lookup, is_executable, on_path};
use crate::text::go;
use crate::text::go::os_error;

/// Checks that the policy allows `command`, which is spelled as in the kubeconfig.
///
/// # Errors
/// The plugin may not run, or its path cannot be resolved. The text is kubectl's.
pub(super) fn check(policy: &PluginPolicy, command: &str) -> Result<(), String> {
    let entries = match policy {
        PluginPolicy::AllowAll => return Ok(()),
        PluginPolicy::DenyAll => {
            return Err(format!(
                "plugin {} not allowed: policy set to \"{policy}\"",
                go::quote(command)
            ));
        }
        PluginPolicy::Allowlist(entries) => entries,
    };
    if entries.iter().any(|entry| entry == command) {
        return Ok(());
    }
    let path = resolve(command).map_err(|why| {
        let command = go::quote(command);
        format!(
            "plugin path {command} cannot be resolved for credential plugin allowlist check: \
             exec: {command}: {why}"
        )
    })?;
    // A name and a path may lead to the same program.
    let is_same = |entry: &String| resolve(entry).is_ok_and(|entry| entry == path);
    if entries.iter().any(is_same) {
        return Ok(());
    }
    let path = go::quote(&path.to_string_lossy());
    Err(format!("plugin path {path} is not permitted by the credential plugin allowlist"))
}

/// The path of a command, as Go's `exec.LookPath` finds it.
fn resolve(command: &str) -> Result<PathBuf, String> {
    if !command.contains(std::path::is_separator) {
        return match on_path(command) {
            Lookup::Found(path) => Ok(path),
            Lookup::NotFound => Err("executable file not found in $PATH".to_owned()),
            Lookup::InCurrentDirectory => {
                Err("cannot run executable found relative to current directory".to_owned())
            }
        };
    }
    let path = Path::new(command);
    match path.metadata() {
        Err(err) => Err(format!("stat {command}: {}", os_error(&err))),
        Ok(file) if file.is_dir() => Err("is a directory".to_owned()),
        Ok(_) if !is_executable(path) => {
            Err(os_error(&io::Error::from(io::ErrorKind::PermissionDenied)))
        }
        Ok(_) => Ok(path.to_owned()),
    }
}
