//! The check of a kuberc's names and policy.

use super::document::Preference;
use super::policy::PluginPolicy;
use super::preferences::{Alias, Preferences, Preset};

/// Checks the names and the policy. kubectl's order decides which of several errors is reported.
pub(super) fn check(preference: Preference) -> Result<Preferences, String> {
    let Preference { defaults, aliases, policy, allowlist } = preference;
    for (at, alias) in aliases.iter().enumerate() {
        check_alias(alias, &aliases[..at])?;
    }
    for command in &defaults {
        check_names(&command.options)?;
    }
    Ok(Preferences { defaults, aliases, plugin_policy: PluginPolicy::new(&policy, allowlist)? })
}

fn check_alias(alias: &Alias, before: &[Alias]) -> Result<(), String> {
    let name = &alias.name;
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err("invalid alias name, can only include alphabetical characters".to_owned());
    }
    check_names(&alias.options)?;
    match before.iter().any(|other| other.name == *name) {
        true => Err(format!("duplicate alias name {name}")),
        false => Ok(()),
    }
}

fn check_names(options: &[Preset]) -> Result<(), String> {
    match options.iter().find(|option| option.name.starts_with('-')) {
        Some(option) => {
            Err(format!("flag name {} should be in long form without dashes", option.name))
        }
        None => Ok(()),
    }
}
