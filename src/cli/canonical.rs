//! The canonical form of a command line. pflag and cobra accept what clap refuses: flags of the
//! subcommand before it, and `_` instead of `-` in the name of a flag.

use std::borrow::Cow;
use std::ffi::OsString;

use clap::{Arg, Command};

/// The command line in the form that clap reads: the subcommand first, dashes in the names of
/// flags, and `=` as the value of `-n=`. A word that is not UTF-8 stays in its place, and clap
/// refuses it.
pub fn canonical(command: &Command, argv: Vec<OsString>) -> Vec<OsString> {
    let mut args = argv.into_iter();
    let mut canonical: Vec<OsString> = args.next().into_iter().collect();
    let mut has_subcommand = false;
    while let Some(arg) = args.next() {
        let text = arg.to_str().unwrap_or_default();
        if text == "--" {
            canonical.push(arg);
            break;
        }
        if let Some(flag) = text.strip_prefix("--") {
            let flag = with_dashes(flag);
            let takes_next = !flag.contains('=') && takes_value(command, Flag::Long(&flag));
            canonical.push(format!("--{flag}").into());
            canonical.extend(args.next_if(takes_next));
        } else if let Some(shorthand) = bare_equals(command, text) {
            canonical.extend([format!("-{shorthand}").into(), OsString::from("=")]);
        } else if text.len() > 1 && text.starts_with('-') {
            let takes_next = shorthands_take_next(command, &text[1..]);
            canonical.push(arg);
            canonical.extend(args.next_if(takes_next));
        } else if has_subcommand || arg.to_str().is_none() {
            canonical.push(arg);
        } else {
            has_subcommand = true;
            canonical.insert(1, arg);
        }
    }
    canonical.extend(args);
    canonical
}

/// A canonical command line with each flag and its value in one word. The second result is `true` if the
/// last word is a flag without its value.
pub fn joined(command: &Command, argv: Vec<OsString>) -> (Vec<OsString>, bool) {
    let mut args = argv.into_iter();
    let mut joined: Vec<OsString> = args.next().into_iter().collect();
    while let Some(mut arg) = args.next() {
        let text = arg.to_str().unwrap_or_default();
        if text == "--" {
            joined.push(arg);
            break;
        }
        let (takes_next, between) = match (text.strip_prefix("--"), text.strip_prefix('-')) {
            (Some(flag), _) => (takes_value(command, Flag::Long(flag)), "="),
            (None, Some(shorthands)) => (shorthands_take_next(command, shorthands), ""),
            (None, None) => (false, ""),
        };
        let value = args.next_if(takes_next);
        let is_open = takes_next && value.is_none();
        if let Some(value) = value {
            arg.push(between);
            arg.push(value);
        }
        joined.push(arg);
        if is_open {
            return (joined, true);
        }
    }
    joined.extend(args);
    (joined, false)
}

/// The flags of a canonical command line by their long names, without dashes, and their values.
pub fn flags<'a>(
    command: &Command,
    argv: &'a [OsString],
) -> Vec<(Cow<'a, str>, Option<Cow<'a, str>>)> {
    let mut args =
        argv.iter().skip(1).map_while(|arg| (arg != "--").then(|| arg.to_string_lossy()));
    let mut flags = Vec::new();
    while let Some(arg) = args.next() {
        if let Some(flag) = arg.strip_prefix("--") {
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(Cow::Owned(value.to_owned()))),
                None => (flag, args.next_if(takes_value(command, Flag::Long(flag)))),
            };
            flags.push((Cow::Owned(name.to_owned()), value));
        } else if let Some(shorthands) = arg.strip_prefix('-') {
            let mut rest = shorthands.chars();
            while let Some(shorthand) = rest.next() {
                let Some(name) = long_of(command, shorthand) else { break };
                if !takes_value(command, Flag::Short(shorthand)) {
                    flags.push((name.into(), None));
                    continue;
                }
                let value = rest.as_str();
                let value = match value.strip_prefix('=').unwrap_or(value) {
                    "" => args.next(),
                    value => Some(Cow::Owned(value.to_owned())),
                };
                flags.push((name.into(), value));
                break;
            }
        }
    }
    flags
}

/// The positional arguments of a command line, up to `--`. An unknown flag and a word that is not
/// UTF-8 are errors. The arguments after an error are not reliable.
pub struct Positionals<'a> {
    command: &'a Command,
    args: &'a [OsString],
}

/// A flag that the grammar does not have, or a word that is not UTF-8.
pub struct UnknownFlag;

impl<'a> Positionals<'a> {
    /// `argv` includes the program's name.
    pub fn new(command: &'a Command, argv: &'a [OsString]) -> Self {
        Self { command, args: argv.get(1..).unwrap_or_default() }
    }

    /// True if the flag's value is the next word.
    fn takes_next(&self, text: &str) -> Result<bool, UnknownFlag> {
        let find = |flag| find(self.command, flag).ok_or(UnknownFlag);
        if let Some(flag) = text.strip_prefix("--") {
            let flag = with_dashes(flag);
            return match flag.split_once('=') {
                Some((name, _)) => find(Flag::Long(name)).map(|_| false),
                None => find(Flag::Long(&flag)).map(is_value_separate),
            };
        }
        let mut shorthands = text.chars().skip(1);
        while let Some(shorthand) = shorthands.next() {
            if is_value_separate(find(Flag::Short(shorthand))?) {
                return Ok(shorthands.next().is_none());
            }
        }
        Ok(false)
    }
}

impl<'a> Iterator for Positionals<'a> {
    type Item = Result<&'a str, UnknownFlag>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (arg, rest) = self.args.split_first()?;
            self.args = rest;
            let Some(text) = arg.to_str() else { return Some(Err(UnknownFlag)) };
            if text == "--" {
                return None;
            }
            if text.len() < 2 || !text.starts_with('-') {
                return Some(Ok(text));
            }
            match self.takes_next(text) {
                Ok(takes_next) => self.args = rest.get(usize::from(takes_next)..)?,
                Err(unknown) => return Some(Err(unknown)),
            }
        }
    }
}

trait NextIf: Iterator {
    /// The next item if `is_wanted`. It is the value of a flag, even if it looks like a flag.
    fn next_if(&mut self, is_wanted: bool) -> Option<Self::Item> {
        if is_wanted { self.next() } else { None }
    }
}

impl<I: Iterator> NextIf for I {}

/// Replaces `_` in the name of a flag, like kubectl's `WordSepNormalizeFunc`: `dry_run=a_b` becomes
/// `dry-run=a_b`. A flag without a name stays as it is, since the error quotes it.
fn with_dashes(flag: &str) -> String {
    match flag.split_once('=') {
        _ if flag.starts_with(['-', '=']) => flag.to_owned(),
        Some((name, value)) => format!("{}={value}", name.replace('_', "-")),
        None => flag.replace('_', "-"),
    }
}

/// The shorthand of `-n=`. pflag reads `=` as its value. Without that, a script with an empty variable
/// would scale another target.
fn bare_equals(command: &Command, text: &str) -> Option<char> {
    let mut characters = text.strip_prefix('-')?.strip_suffix('=')?.chars();
    let shorthand = characters.next()?;
    let is_alone = characters.next().is_none();
    (is_alone && takes_value(command, Flag::Short(shorthand))).then_some(shorthand)
}

/// True if the value of `-abc` is the next argument. The first shorthand that takes a value takes the
/// rest of the word, or the next argument if there is no rest.
fn shorthands_take_next(command: &Command, shorthands: &str) -> bool {
    let mut rest = shorthands.chars();
    while let Some(shorthand) = rest.next() {
        if takes_value(command, Flag::Short(shorthand)) {
            return rest.as_str().is_empty();
        }
    }
    false
}

enum Flag<'a> {
    Long(&'a str),
    Short(char),
}

fn takes_value(command: &Command, flag: Flag<'_>) -> bool {
    find(command, flag).is_some_and(is_value_separate)
}

/// True if the flag takes a value, which may be the next word.
fn is_value_separate(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

fn long_of(command: &Command, shorthand: char) -> Option<String> {
    find(command, Flag::Short(shorthand))?.get_long().map(str::to_owned)
}

fn find<'a>(command: &'a Command, flag: Flag<'_>) -> Option<&'a Arg> {
    let is_it = |arg: &&Arg| match flag {
        Flag::Long(name) => arg.get_long() == Some(name),
        Flag::Short(shorthand) => arg.get_short() == Some(shorthand),
    };
    let everywhere = std::iter::once(command).chain(command.get_subcommands());
    everywhere.flat_map(Command::get_arguments).find(is_it)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;
    use crate::cli::grammar::whole;

    #[test]
    fn flags_are_found_with_their_values() {
        for (typed, expected) in [
            ("scale --replicas=1 deploy/a", "replicas=1"),
            (
                "scale --replicas 1 -ojson -n=x -n y",
                "replicas=1 output=json namespace=x namespace=y",
            ),
            ("scale --context --token --dry-run client", "context=--token dry-run"),
            ("scale -v6 -- --token=x", "v=6"),
            ("scale --bogus -z --as-group=a --as-group=b", "bogus as-group=a as-group=b"),
            ("scale -n", "namespace"),
        ] {
            let argv: Vec<OsString> =
                std::iter::once("locustctl").chain(typed.split(' ')).map(Into::into).collect();
            let shown: Vec<_> = flags(&whole(), &argv)
                .into_iter()
                .map(|(name, value)| match value {
                    Some(value) => format!("{name}={value}"),
                    None => name.into_owned(),
                })
                .collect();
            assert_eq!(shown.join(" "), expected, "{typed}");
        }
    }

    #[test]
    fn flags_and_their_values_become_one_word() {
        for (typed, expected, is_open) in [
            ("scale --replicas 1 -n a b", "scale --replicas=1 -na b", false),
            ("scale --dry-run a -v6 -v 7", "scale --dry-run a -v6 -v7", false),
            ("scale a -n", "scale a -n", true),
            ("scale --context", "scale --context", true),
            ("scale --context= -n=", "scale --context= -n=", false),
            ("scale -- -n a", "scale -- -n a", false),
        ] {
            let argv = std::iter::once("locustctl").chain(typed.split(' ')).map(Into::into);
            let (joined, open) = joined(&whole(), argv.collect());
            assert_eq!(joined[1..].join(OsStr::new(" ")), *expected, "{typed}");
            assert_eq!(open, is_open, "{typed}");
        }
    }

    #[test]
    fn flags_may_stand_before_the_subcommand() {
        for (typed, expected) in [
            ("scale --replicas=1 deploy/a", "scale --replicas=1 deploy/a"),
            ("--replicas=1 scale deploy/a", "scale --replicas=1 deploy/a"),
            ("--replicas 1 scale deploy/a", "scale --replicas 1 deploy/a"),
            ("-n ns scale deploy/a", "scale -n ns deploy/a"),
            ("-nns -v6 scale", "scale -nns -v6"),
            ("--sandbox scale", "scale --sandbox"),
            ("--dry-run scale", "scale --dry-run"),
            (
                "--current_replicas=1 --dry_run=a_b scale x_y",
                "scale --current-replicas=1 --dry-run=a_b x_y",
            ),
            ("--bogus scale", "scale --bogus"),
            ("scale -n= -o=json", "scale -n = -o=json"),
            ("-n= scale -- -n=", "scale -n = -- -n="),
            ("-- --a_b scale", "-- --a_b scale"),
            ("scale --token -n= deploy/a", "scale --token -n= deploy/a"),
            ("--token --a_b scale", "scale --token --a_b"),
            ("--context -- scale --dry_run", "scale --context -- --dry-run"),
            ("-n -o= scale", "scale -n -o="),
            ("--help", "--help"),
            ("", ""),
        ] {
            let split = |line: &str| {
                std::iter::once("locustctl")
                    .chain(line.split_whitespace())
                    .map(OsString::from)
                    .collect()
            };
            let argv: Vec<OsString> = split(typed);
            let expected: Vec<OsString> = split(expected);
            assert_eq!(canonical(&whole(), argv), expected, "{typed}");
        }
    }
}
