//! Parses the command line.

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Error, FromArgMatches};

use super::canonical::canonical;
use super::change_cause;
use super::global::GlobalArgs;
use super::grammar;
use super::preferences::{self, EffectiveLine};
use super::refusal::Refusal;
use super::run;
use super::subcommands::Command;
use super::typed_flags::TypedFlags;

/// The parsed command line.
#[derive(Debug)]
pub struct Cli {
    pub global: GlobalArgs,
    pub command: Command,
}

/// The name of the program as the user types it: `kubectl locust` if kubectl started it as its plugin
/// `kubectl-locust`, otherwise `locustctl`.
pub fn program_name(argv0: Option<&OsString>) -> &'static str {
    let base = argv0.map(Path::new).and_then(|path| path.file_stem());
    match base.and_then(|base| base.to_str()) {
        Some("kubectl-locust") => "kubectl locust",
        _ => "locustctl",
    }
}

impl Cli {
    /// Reads the command line, `argv[0]` included, and applies the user's kuberc. `program` is the
    /// [`program_name`].
    ///
    /// # Errors
    /// The command line or the kuberc is invalid, or the command line asks for help. The text is in
    /// the words of pflag and cobra.
    pub fn read(argv: Vec<OsString>, program: &str) -> Result<Self, Refusal> {
        // Scripts ask for the version often. The answer costs half as much without a grammar.
        if let [_, only] = argv.as_slice()
            && (only == "--version" || only == "-V")
        {
            let version = env!("CARGO_PKG_VERSION");
            return Err(Refusal::Information(format!("locustctl {version}\n")));
        }
        // Dropping a grammar would cost as much as building it, and the process ends soon.
        let part = grammar::part(&argv);
        let is_part = part.is_some();
        let mut grammar =
            ManuallyDrop::new(part.unwrap_or_else(|| grammar::whole().bin_name(program)));
        let argv = canonical(&grammar, argv);
        let has_command = run::has_command(&argv);
        let cli = Self::read_canonical(&mut grammar, is_part, argv, program);
        cli.map_err(
            |refusal| {
                if has_command { refusal.with_code(run::OWN_FAILURE) } else { refusal }
            },
        )
    }

    /// Reads a canonical command line. `is_part` says that the grammar is that of one subcommand.
    fn read_canonical(
        grammar: &mut ManuallyDrop<clap::Command>,
        is_part: bool,
        argv: Vec<OsString>,
        program: &str,
    ) -> Result<Self, Refusal> {
        let applied = preferences::apply(grammar, argv, program)?;
        let mut parsed = Self::parse(grammar, &applied, program);
        if is_part && parsed.is_err() {
            // The whole grammar explains the error.
            *grammar = ManuallyDrop::new(grammar::whole().bin_name(program));
            parsed = Self::parse(grammar, &applied, program);
        }
        let mut cli = parsed.map_err(|error| {
            let alias = applied.alias.as_deref();
            Refusal::from_clap(&error, grammar, &applied.argv, program, alias)
        })?;
        cli.global.ignored.check_profile()?;
        cli.global.plugin_policy = applied.plugin_policy;
        cli.global.typed = TypedFlags::new(program, applied.argv);
        Ok(cli)
    }

    fn parse(
        grammar: &mut clap::Command,
        applied: &EffectiveLine,
        program: &str,
    ) -> Result<Self, Error> {
        let mut matches = grammar.try_get_matches_from_mut(&applied.argv)?;
        let Some((name, mut matches)) = matches.remove_subcommand() else {
            return Err(Error::new(ErrorKind::MissingSubcommand));
        };
        let is_recorded = matches!(matches.try_get_one("record"), Ok(Some(true)));
        let change_cause = grammar
            .find_subcommand(&name)
            .filter(|_| is_recorded)
            .map(|subcommand| change_cause::describe(program, subcommand, &matches));
        // The subcommand has the global flags as well.
        let global = GlobalArgs::from_arg_matches_mut(&mut matches)?;
        let mut command = Command::read(&name, &mut matches)?;
        if let Command::Scale(args) = &mut command {
            args.change_cause = change_cause;
        }
        Ok(Self { global, command })
    }
}
