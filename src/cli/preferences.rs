//! The command line with the user's kuberc applied: aliases are expanded and default flags added.
//! This follows kubectl's `pkg/kuberc`, but works on the words, so that they are parsed only once.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

use super::canonical::{self, canonical};
use super::refusal::{self, Refusal};
use super::run;
use crate::cluster::api::Trace;
use crate::cluster::kuberc::{self, Alias, CommandDefaults, Location, PluginPolicy, Preset};
use crate::text::go;
use crate::text::terminal::{printable, say};

/// The command line with the kuberc applied.
#[derive(Default)]
pub struct EffectiveLine {
    pub argv: Vec<OsString>,
    /// The alias that was typed as subcommand.
    pub alias: Option<String>,
    pub plugin_policy: PluginPolicy,
    /// Default flags. They are inserted before all other flags, since the last of several values
    /// is used.
    presets: Vec<OsString>,
}

/// The only subcommand that kubectl has as well.
const COMMAND: &str = "scale";

/// Flags that cannot have a default in a kuberc.
const NEVER_PRESET: [&str; 5] = ["help", "log-flush-frequency", "v", "version", "vmodule"];

/// Reads the kuberc and applies it. `argv` is canonical. Without a kuberc this costs one `open`.
///
/// # Errors
/// The given kuberc cannot be read, a kuberc is invalid, or it has a flag that does not exist or does
/// not accept the value. The texts are kubectl's.
pub fn apply(
    command: &Command,
    argv: Vec<OsString>,
    program: &str,
) -> Result<EffectiveLine, Refusal> {
    let nothing = |argv| EffectiveLine { argv, ..EffectiveLine::default() };
    let flag = explicit(&argv);
    if kuberc::is_disabled() {
        return match flag {
            Ok(None) => Ok(nothing(argv)),
            _ => Err(Refusal::of_usage("unknown flag: --kuberc", command, &argv, program, None)),
        };
    }
    if argv.len() <= 1 {
        return Ok(nothing(argv));
    }
    let place = flag.and_then(Location::from_process).map_err(refused)?;
    let Some(place) = place else { return Ok(nothing(argv)) };
    let found = kuberc::load(&place);
    if !found.log.is_empty() {
        let trace = Trace::new(verbosity(command, &argv));
        found.log.iter().for_each(|text| trace.info(5, "kuberc.rs", text));
    }
    if let Some(notice) = &found.notice {
        say(notice);
    }
    let Some(preferences) = found.preferences.map_err(refused)? else { return Ok(nothing(argv)) };
    let mut applied = nothing(argv);
    applied.plugin_policy = preferences.plugin_policy;
    let is_run = applied.is_alias_of_run_with_command(&preferences.aliases);
    applied.expand(command, &preferences.aliases).map_err(|text| match is_run {
        true => refused(text).with_code(run::OWN_FAILURE),
        false => refused(text),
    })?;
    applied.preset(command, &preferences.defaults).map_err(refused)?;
    let presets = std::mem::take(&mut applied.presets);
    if !presets.is_empty() {
        applied.argv.splice(2..2, presets);
    }
    Ok(applied)
}

fn refused(text: String) -> Refusal {
    let text = printable(&text);
    Refusal::mistake(format!("error occurred while applying preferences {text}\n"))
}

/// The value of the first `--kuberc`. Like kubectl, this searches all words before they are parsed.
fn explicit(argv: &[OsString]) -> Result<Option<&OsStr>, String> {
    let not_found = || "kuberc file is not found".to_owned();
    let mut args = argv.iter().take_while(|arg| *arg != "--");
    while let Some(arg) = args.next() {
        let Some(rest) = arg.to_str().and_then(|arg| arg.strip_prefix("--kuberc")) else {
            continue;
        };
        match rest.strip_prefix('=') {
            None if rest.is_empty() => {
                return args.next().map(|path| Some(path.as_os_str())).ok_or_else(not_found);
            }
            None => {}
            Some("") => return Err(not_found()),
            Some(path) => return Ok(Some(OsStr::new(path))),
        }
    }
    Ok(None)
}

fn verbosity(command: &Command, argv: &[OsString]) -> i64 {
    let flags = canonical::flags(command, argv);
    let level = flags.into_iter().rev().find(|(name, _)| name == "v").and_then(|(_, level)| level);
    level.and_then(|level| level.parse().ok()).unwrap_or_default()
}

impl EffectiveLine {
    fn subcommand(&self) -> Option<&str> {
        self.argv.get(1)?.to_str()
    }

    /// The line is that of `ALIAS … -- COMMAND`, with an alias of `run`. It is refused, because kubectl's `run`
    /// is another command. A script expects the exit code of its own command.
    fn is_alias_of_run_with_command(&self, aliases: &[Alias]) -> bool {
        let typed = self.subcommand();
        let alias = aliases.iter().find(|alias| Some(alias.name.as_str()) == typed);
        alias.is_some_and(|alias| first_word(&alias.command) == Some(run::NAME))
            && run::has_words_after_dashes(&self.argv)
    }

    /// Replaces an alias with its command and arguments.
    fn expand(&mut self, command: &Command, aliases: &[Alias]) -> Result<(), String> {
        let Some(typed) = self.subcommand() else { return Ok(()) };
        let is_ours = |command: &Command| command.get_name() == typed;
        if typed == "help" || command.get_subcommands().any(is_ours) {
            return Ok(());
        }
        let Some(alias) = aliases.iter().find(|alias| alias.name == typed) else { return Ok(()) };
        if !is_for_scale(&alias.command) {
            let words: Vec<_> = alias.command.split_whitespace().collect();
            return Err(format!(
                "command {} not found to set alias {}: [{}]",
                go::quote(&alias.command),
                go::quote(&alias.name),
                words.join(" ")
            ));
        }
        let prepended = alias.prepend_args.iter().map(OsString::from);
        self.argv.splice(1..2, std::iter::once(OsString::from(COMMAND)).chain(prepended));
        self.argv.extend(alias.append_args.iter().map(OsString::from));
        self.argv = canonical(command, std::mem::take(&mut self.argv));
        self.alias = Some(alias.name.clone());
        let texts = Texts {
            unknown: &|flag| format!("invalid alias flag {flag} in alias {}", alias.name),
            refused: &|value, flag, why| {
                format!(
                    "could not apply value {value} to flag {flag} in alias {} err: {why}",
                    alias.name
                )
            },
        };
        self.add(command, &alias.options, &texts)
    }

    /// Adds the default flags of the command. They do not apply to an alias.
    fn preset(&mut self, command: &Command, defaults: &[CommandDefaults]) -> Result<(), String> {
        if let Some(alias) = &self.alias {
            let is_it = |it: &CommandDefaults| first_word(&it.command) == Some(alias);
            return match defaults.iter().any(is_it) {
                true => Err(format!("alias {alias} can not be overridden")),
                false => Ok(()),
            };
        }
        let scale = command.find_subcommand(COMMAND);
        let typed = self.subcommand().and_then(|typed| command.find_subcommand(typed));
        if typed.map(Command::get_name) != scale.map(Command::get_name) {
            return Ok(());
        }
        for it in defaults.iter().filter(|it| is_for_scale(&it.command)) {
            let texts = Texts {
                unknown: &|flag| format!("invalid flag {flag} for command {}", it.command),
                refused: &|value, flag, why| {
                    format!(
                        "could not apply override value {value} to flag {flag} in command {} \
                         err: {why}",
                        it.command
                    )
                },
            };
            self.add(command, &it.options, &texts)?;
        }
        Ok(())
    }

    /// Adds the flags that are not given.
    fn add(
        &mut self,
        command: &Command,
        options: &[Preset],
        texts: &Texts<'_>,
    ) -> Result<(), String> {
        let given = canonical::flags(command, &self.argv);
        let is_given = |name: &str| given.iter().any(|(given, _)| given == name);
        for Preset { name, value } in options {
            let long = name.replace('_', "-");
            let arg = flag_of_scale(command, &long).ok_or_else(|| (texts.unknown)(name))?;
            let is_overruled = match long.as_str() {
                "replicas" => is_given("by"),
                "by" => is_given("replicas"),
                _ => false,
            };
            if is_overruled || is_given(&long) {
                continue;
            }
            let typed = format!("--{long}={value}");
            check(arg, &typed).map_err(|why| (texts.refused)(value, name, &why))?;
            self.presets.push(OsString::from(typed));
        }
        Ok(())
    }
}

/// kubectl's error texts, which differ between a command and an alias.
struct Texts<'a> {
    unknown: &'a dyn Fn(&str) -> String,
    refused: &'a dyn Fn(&str, &str, &str) -> String,
}

fn first_word(command: &str) -> Option<&str> {
    command.split_whitespace().next()
}

fn is_for_scale(command: &str) -> bool {
    first_word(command) == Some(COMMAND)
}

fn flag_of_scale<'a>(command: &'a Command, long: &str) -> Option<&'a Arg> {
    let scale = command.find_subcommand(COMMAND)?;
    command
        .get_arguments()
        .chain(scale.get_arguments())
        .find(|arg| arg.get_long() == Some(long) && !NEVER_PRESET.contains(&long))
}

/// Parses a default flag alone, since its error must be reported before the command line is parsed.
fn check(arg: &Arg, typed: &str) -> Result<(), String> {
    let mut alone = Command::new(COMMAND).no_binary_name(true).arg(arg.clone());
    match alone.try_get_matches_from_mut([typed]) {
        Ok(_) => Ok(()),
        Err(error) => Err(refusal::reason(&error, &alone)),
    }
}
