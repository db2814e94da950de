//! The grammar of the command line: as a whole, or only the part that one command line needs.

use std::ffi::OsString;

use clap::builder::styling::Styles;
use clap::{Arg, ArgAction, Args, Command, ValueHint};
use clap_complete::Shell;

use super::canonical::Positionals;
use super::global::GlobalArgs;
use super::subcommands::{GlobalFlags, SUBCOMMANDS, SubcommandGrammar};

const NAME: &str = "locustctl";

/// The grammar with all subcommands.
pub fn whole() -> Command {
    let root = GlobalArgs::augment_args(Command::new(NAME))
        .version(env!("CARGO_PKG_VERSION"))
        .about("Scale the workers of a Locust load test on Kubernetes")
        .after_help(
            "locustctl scale accepts the flags of kubectl scale, and prints the old and the new number.\n\
             To try it without a cluster: locustctl --sandbox scale --replicas=3",
        )
        .styles(Styles::plain())
        // The last of several values is used, as in kubectl.
        .args_override_self(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(100);
    root.subcommands(SUBCOMMANDS.iter().map(with_arguments))
}

/// Builds the subcommand. If its global flags are hidden, it defines them itself; otherwise clap would add
/// the visible ones.
fn with_arguments(subcommand: &SubcommandGrammar) -> Command {
    let command = (subcommand.add_to)(Command::new(subcommand.name));
    match subcommand.global_flags {
        GlobalFlags::Shown => command,
        GlobalFlags::HiddenExcept(shown) => {
            let global = GlobalArgs::augment_args(Command::new(NAME));
            let own = |arg: &Arg| match shown.contains(&arg.get_id().as_str()) {
                true => arg.clone().help_heading(None::<&str>),
                false => arg.clone().hide(true),
            };
            command.args(global.get_arguments().map(own))
        }
    }
}

/// The grammar with the one subcommand that `argv` names. Building the whole grammar takes several
/// times as long.
///
/// `None` if this part is not enough: the command line names no subcommand, or it has flags that
/// this part does not know, such as `--help`. A command line that this part accepts has the same
/// meaning in the whole grammar. The text of an error can differ.
pub fn part(argv: &[OsString]) -> Option<Command> {
    let globals = GlobalArgs::augment_args(Command::new(NAME));
    let typed = Positionals::new(&globals, argv).next()?.ok()?;
    let subcommand = SubcommandGrammar::find(typed)?;
    // In canonical order no flag stands before the subcommand, so only that needs the global flags.
    let command = Command::new(NAME).subcommand((subcommand.add_to)(globals.name(subcommand.name)));
    let is_enough = Positionals::new(&command, argv).all(|positional| positional.is_ok());
    is_enough.then_some(command)
}

/// The static completion script of a shell, which does not call locustctl. `completions/` has these
/// scripts.
pub fn completion_script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut completable(), NAME, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The whole grammar, adapted to clap's completion.
pub fn completable() -> Command {
    let mut grammar = whole().mut_args(completable_arg);
    for subcommand in &SUBCOMMANDS {
        grammar = grammar.mut_subcommand(subcommand.name, |it| it.mut_args(completable_arg));
    }
    grammar
}

/// Corrects two errors of the generated scripts: they read the next word as the value of
/// `--sandbox[=BOOL]`, and they offer files for every value without a hint.
fn completable_arg(arg: Arg) -> Arg {
    if arg.is_require_equals_set() {
        let mut plain = Arg::new(arg.get_id().clone()).action(ArgAction::SetTrue);
        plain = plain.long(&*arg.get_long().unwrap_or_default().to_owned().leak());
        plain = plain.global(arg.is_global_set()).hide(arg.is_hide_set());
        return plain.help(arg.get_help().cloned().unwrap_or_default());
    }
    match arg.get_value_hint() {
        ValueHint::Unknown if arg.get_action().takes_values() => arg.value_hint(ValueHint::Other),
        _ => arg,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subcommands(line: &str) -> Option<Vec<String>> {
        let argv: Vec<_> = std::iter::once(NAME).chain(line.split(' ')).map(Into::into).collect();
        let names = |it: Command| it.get_subcommands().map(|it| it.get_name().to_owned()).collect();
        part(&argv).map(names)
    }

    #[test]
    fn only_the_typed_subcommand_is_built() {
        for (line, name) in [
            ("scale --replicas=1", "scale"),
            ("resize deploy/a --replicas 1 -n=x", "scale"),
            ("-n scale --context=serve status -w", "status"),
            ("--insecure_skip_tls_verify -v6 --as --help scale --current_replicas 1", "scale"),
            ("scale -Ryn x -- --listen", "scale"),
            ("completion --static bash", "completion"),
            ("version --client -o json", "version"),
        ] {
            assert_eq!(subcommands(line), Some(vec![name.to_owned()]), "{line}");
        }
    }

    #[test]
    fn other_command_lines_need_the_whole_grammar() {
        for line in [
            "",
            "--help",
            "help scale",
            "scale --help",
            "scale -h",
            "scale --version",
            "scal --replicas=1",
            "--replicas=1 scale",
            "scale --listen=x",
            "scale -z",
            "scale -Rz",
            "scale ---replicas",
            "-- scale",
            "-n",
        ] {
            assert_eq!(subcommands(line), None, "{line:?}");
        }
    }
}
