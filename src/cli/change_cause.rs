//! The text that `--record` writes into an annotation: the command without its secrets.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::secret::{SECRET_FLAGS, mask_credentials};

/// The command in kubectl's form: program, subcommand, arguments, and then each flag as
/// `--long=value`, in the order in which they were given. kubectl includes secrets; locustctl leaves
/// them out.
pub fn describe(program: &str, command: &Command, matches: &ArgMatches) -> String {
    let mut words = vec![program.to_owned(), command.get_name().to_owned()];
    let mut flags: Vec<(usize, String)> = Vec::new();
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        let is_typed = matches.value_source(id) == Some(ValueSource::CommandLine);
        let Some(values) = matches.get_raw(id).filter(|_| is_typed) else { continue };
        let values = values.map(|value| value.to_string_lossy().into_owned());
        match arg.get_long() {
            None => words.extend(values),
            Some(long) if SECRET_FLAGS.contains(&long) => {}
            Some(long) => {
                let flag = |value: String| format!("--{long}={}", mask_credentials(&value, ""));
                flags.extend(matches.indices_of(id).into_iter().flatten().zip(values.map(flag)));
            }
        }
    }
    flags.sort();
    words.extend(flags.into_iter().map(|(_, flag)| flag));
    words.join(" ")
}
