//! Command lines that run nothing, and clap's errors in the words of pflag and cobra.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

use super::similar;
use super::subcommands::SUBCOMMANDS;
use crate::text::go;
use crate::text::similar::closest;

/// A command line that runs nothing, with the text to print.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A request for help or the version. Print the text to stdout and exit with code 0.
    Information(String),
    /// An invalid command line. Print the text to stderr and exit with this code.
    Mistake { text: String, code: u8 },
}

impl Refusal {
    /// An invalid command line, with kubectl's exit code.
    pub fn mistake(text: String) -> Self {
        Self::Mistake { text, code: 1 }
    }

    /// Sets the exit code of a mistake.
    pub fn with_code(self, code: u8) -> Self {
        match self {
            Self::Mistake { text, .. } => Self::Mistake { text, code },
            information @ Self::Information(_) => information,
        }
    }

    /// Translates an error of clap. `argv` is canonical. `typed` is the alias from the user's kuberc
    /// that was typed as subcommand.
    pub fn from_clap(
        error: &Error,
        command: &Command,
        argv: &[OsString],
        program: &str,
        typed: Option<&str>,
    ) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::MissingSubcommand => {
                Self::Information(with_program_name(&error.render().to_string(), program))
            }
            ErrorKind::InvalidSubcommand => Self::mistake(unknown_command(error, program)),
            _ => {
                let subcommand = subcommand(command, argv).unwrap_or(command);
                let problem = Problem { error, command: subcommand, argv };
                let mistake = Self::of_usage(&problem.describe(), command, argv, program, typed);
                match (mistake, problem.similar_flag()) {
                    (Self::Mistake { text, code }, Some(flag)) => {
                        let text = format!("{text}Did you mean --{flag}?\n");
                        Self::Mistake { text, code }
                    }
                    (mistake, _) => mistake,
                }
            }
        }
    }

    /// A mistake, with a reference to the help text. The arguments are those of
    /// [`Refusal::from_clap`].
    pub fn of_usage(
        text: &str,
        command: &Command,
        argv: &[OsString],
        program: &str,
        typed: Option<&str>,
    ) -> Self {
        let path = match subcommand(command, argv) {
            Some(subcommand) => format!("{program} {}", typed.unwrap_or(subcommand.get_name())),
            None => program.to_owned(),
        };
        Self::mistake(format!("error: {text}\nSee '{path} --help' for usage.\n"))
    }
}

fn subcommand<'a>(command: &'a Command, argv: &[OsString]) -> Option<&'a Command> {
    command.find_subcommand(argv.get(1)?.to_str()?)
}

/// The error of parsing a value for the only flag of `command`, in pflag's words.
pub fn reason(error: &Error, command: &Command) -> String {
    Problem { error, command, argv: &[] }.describe()
}

struct Problem<'a> {
    error: &'a Error,
    command: &'a Command,
    argv: &'a [OsString],
}

impl Problem<'_> {
    fn describe(&self) -> String {
        let value = text_of(self.error, ContextKind::InvalidValue).unwrap_or_default();
        match self.error.kind() {
            ErrorKind::UnknownArgument => self.unknown_flag(),
            ErrorKind::ValueValidation => {
                let reason = std::error::Error::source(self.error)
                    .map_or_else(|| "invalid value".to_owned(), ToString::to_string);
                format!("invalid argument {} for {} flag: {reason}", go::quote(&value), self.flag())
            }
            ErrorKind::InvalidValue if value.is_empty() => self.missing_value(),
            ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".to_owned(),
            _ => self.in_claps_words(),
        }
    }

    fn unknown_flag(&self) -> String {
        let unknown = text_of(self.error, ContextKind::InvalidArg).unwrap_or_default();
        if unknown.starts_with("--") {
            return match self.bad_syntax(&unknown) {
                Some(typed) => format!("bad flag syntax: {typed}"),
                None => format!("unknown flag: {}", unknown.split('=').next().unwrap_or(&unknown)),
            };
        }
        let Some(shorthand) = unknown.strip_prefix('-').and_then(|rest| rest.chars().next()) else {
            return format!("unexpected argument {}", go::quote(&unknown));
        };
        let typed = self
            .argv
            .iter()
            .filter_map(|arg| arg.to_str())
            .filter(|arg| arg.starts_with('-') && !arg.starts_with("--"))
            .find_map(|arg| arg.find(shorthand).map(|at| &arg[at..]));
        format!("unknown shorthand flag: '{shorthand}' in -{}", typed.unwrap_or(&unknown[1..]))
    }

    /// The long flag that is similar to an unknown one.
    fn similar_flag(&self) -> Option<&str> {
        if self.error.kind() != ErrorKind::UnknownArgument {
            return None;
        }
        let unknown = text_of(self.error, ContextKind::InvalidArg)?;
        let typed = unknown.strip_prefix("--")?.split('=').next()?;
        let shown = self.command.get_arguments().filter(|arg| !arg.is_hide_set());
        closest(typed, shown.filter_map(Arg::get_long))
    }

    /// The word that begins with `unknown` and is a flag without a name to pflag: `---x`, `--=3`.
    fn bad_syntax(&self, unknown: &str) -> Option<&str> {
        let words = self.argv.iter().filter_map(|arg| arg.to_str());
        let is_nameless = |word: &&str| word.starts_with("---") || word.starts_with("--=");
        words
            .take_while(|word| *word != "--")
            .find(|word| is_nameless(word) && word.starts_with(unknown))
    }

    /// The error of a flag without its value. It is the last argument, since pflag takes any next
    /// argument as the value.
    fn missing_value(&self) -> String {
        let last = self.argv.last().and_then(|arg| arg.to_str()).unwrap_or_default();
        match last.strip_prefix('-') {
            Some(shorthands) if !shorthands.starts_with('-') => {
                let shorthand = shorthands.chars().last().unwrap_or_default();
                format!("flag needs an argument: '{shorthand}' in -{shorthand}")
            }
            Some(_) => format!("flag needs an argument: {last}"),
            None => self.in_claps_words(),
        }
    }

    /// The flag in pflag's form: `"--replicas"`, or `"-v, --v"` with a shorthand.
    fn flag(&self) -> String {
        let invalid = text_of(self.error, ContextKind::InvalidArg).unwrap_or_default();
        let arg = self.command.get_arguments().find(|arg| arg.to_string() == invalid);
        match arg.map(|arg| (arg.get_short(), arg.get_long())) {
            Some((Some(short), Some(long))) => format!("\"-{short}, --{long}\""),
            Some((None, Some(long))) => format!("\"--{long}\""),
            _ => go::quote(&invalid),
        }
    }

    fn in_claps_words(&self) -> String {
        let rendered = self.error.render().to_string();
        // Drop the usage after the first blank line, since `of_usage` adds its own line.
        let lines: Vec<_> =
            rendered.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let text = lines.join(" ");
        text.strip_prefix("error: ").unwrap_or(&text).to_owned()
    }
}

/// The help text with the examples and the usage of a plugin: `kubectl locust scale …`.
fn with_program_name(help: &str, program: &str) -> String {
    let names = SUBCOMMANDS.iter().map(|it| it.name).chain(["--sandbox"]);
    names.fold(help.to_owned(), |help, name| {
        help.replace(&format!("locustctl {name}"), &format!("{program} {name}"))
    })
}

/// cobra's error for an unknown subcommand, with its suggestions. A command of kubectl gets another
/// advice.
fn unknown_command(error: &Error, program: &str) -> String {
    let typed = text_of(error, ContextKind::InvalidSubcommand).unwrap_or_default();
    let mut text = format!("error: unknown command {} for \"{program}\"\n", go::quote(&typed));
    if typed == "options" {
        text.push_str(&format!(
            "The help of a command shows the global options, too: {program} scale --help\n"
        ));
        return text;
    }
    if similar::is_kubectl_command(&typed) {
        text.push_str(&format!("This is a command of kubectl: use kubectl {typed} …\n"));
        return text;
    }
    let suggestions = similar::commands(&typed);
    if !suggestions.is_empty() {
        text.push_str("\nDid you mean this?\n");
        suggestions.iter().for_each(|suggestion| text.push_str(&format!("\t{suggestion}\n")));
    }
    text
}

fn text_of(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(" ")),
        _ => None,
    }
}
