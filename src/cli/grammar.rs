//! Where pflag and cobra read a command line differently from clap: flags of the subcommand may
//! stand before it, and `_` in a flag's name is `-`.

use std::ffi::OsString;

use clap::{Arg, Command};

/// The same command line as clap would want it: subcommand first, dashes in flag names.
/// What is not UTF-8 stays where it is, for clap to refuse.
pub fn canonical(command: &Command, argv: Vec<OsString>) -> Vec<OsString> {
    let mut argv = with_bare_equals_as_value(command, argv);
    dash_flag_names(&mut argv);
    if let Some(at) = subcommand_position(command, &argv)
        && at > 1
    {
        let subcommand = argv.remove(at);
        argv.insert(1, subcommand);
    }
    argv
}

/// As kubectl's `WordSepNormalizeFunc` does: `--dry_run` is `--dry-run`.
fn dash_flag_names(argv: &mut [OsString]) {
    for arg in argv.iter_mut().skip(1) {
        let Some(text) = arg.to_str() else { continue };
        if text == "--" {
            return;
        }
        let Some(flag) = text.strip_prefix("--") else {
            continue;
        };
        let (name, value) = match flag.find('=') {
            Some(at) => flag.split_at(at),
            None => (flag, ""),
        };
        if name.contains('_') {
            *arg = format!("--{}{value}", name.replace('_', "-")).into();
        }
    }
}

/// To pflag the value of `-n=` is `=`. Taking it for no value would let a script with an empty
/// variable scale something else.
fn with_bare_equals_as_value(command: &Command, argv: Vec<OsString>) -> Vec<OsString> {
    let mut canonical = Vec::with_capacity(argv.len());
    let mut only_arguments = false;
    for arg in argv {
        only_arguments |= arg == "--";
        let shorthand = arg.to_str().and_then(|text| text.strip_prefix('-')?.strip_suffix('='));
        let mut characters = shorthand.unwrap_or_default().chars();
        match (characters.next(), characters.next()) {
            (Some(shorthand), None)
                if !only_arguments && takes_value(command, Flag::Short(shorthand)) =>
            {
                canonical.extend([format!("-{shorthand}").into(), OsString::from("=")]);
            }
            _ => canonical.push(arg),
        }
    }
    canonical
}

/// Where the subcommand stands: the first argument that is neither a flag nor a flag's value.
fn subcommand_position(command: &Command, argv: &[OsString]) -> Option<usize> {
    let mut at = 1;
    while at < argv.len() {
        let text = argv[at].to_str()?;
        match text {
            "--" => return None,
            _ if text.starts_with("--") => {
                let takes_next =
                    !text.contains('=') && takes_value(command, Flag::Long(&text[2..]));
                at += 1 + usize::from(takes_next);
            }
            _ if text.len() > 1 && text.starts_with('-') => {
                at += 1 + usize::from(shorthands_take_next(command, &text[1..]));
            }
            _ => return Some(at),
        }
    }
    None
}

/// In `-abc` the first shorthand with a value takes the rest; with no rest, the next argument.
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
    let is_it = |arg: &&Arg| match flag {
        Flag::Long(name) => arg.get_long() == Some(name),
        Flag::Short(shorthand) => arg.get_short() == Some(shorthand),
    };
    let everywhere = std::iter::once(command).chain(command.get_subcommands());
    everywhere
        .flat_map(Command::get_arguments)
        .find(is_it)
        .is_some_and(|arg| arg.get_action().takes_values() && !arg.is_require_equals_set())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

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
            assert_eq!(canonical(&Cli::command(), argv), expected, "{typed}");
        }
    }
}
