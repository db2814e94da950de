//! The subcommands, and their parts of the grammar.

use clap::{ArgMatches, Args, Error, FromArgMatches};

use super::completion::CompletionArgs;
use super::rebalance::RebalanceArgs;
use super::run::RunArgs;
use super::sandbox::SandboxArgs;
use super::scale::ScaleArgs;
use super::serve::ServeArgs;
use super::status::StatusArgs;
use super::version::VersionArgs;

/// The subcommand that was typed, with its arguments.
#[derive(Debug)]
pub enum Command {
    Scale(Box<ScaleArgs>),
    Status(StatusArgs),
    Rebalance(RebalanceArgs),
    Run(Box<RunArgs>),
    Serve(Box<ServeArgs>),
    Sandbox(SandboxArgs),
    Version(VersionArgs),
    Completion(CompletionArgs),
}

impl Command {
    /// Reads the arguments of the subcommand `name`.
    ///
    /// # Errors
    /// The grammar has no such subcommand, or `matches` are of another one.
    pub(super) fn read(name: &str, matches: &mut ArgMatches) -> Result<Self, Error> {
        match SubcommandGrammar::find(name) {
            Some(subcommand) => (subcommand.read)(matches),
            None => Err(Error::new(clap::error::ErrorKind::InvalidSubcommand)),
        }
    }
}

/// The global flags in the help text of a subcommand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GlobalFlags {
    Shown,
    /// They are accepted, but have no effect: the subcommand does not connect to a cluster. The flags
    /// with these ids have an effect, and are shown.
    HiddenExcept(&'static [&'static str]),
}

/// The part of the grammar that belongs to one subcommand.
pub(super) struct SubcommandGrammar {
    pub name: &'static str,
    alias: Option<&'static str>,
    pub global_flags: GlobalFlags,
    /// Adds the arguments and the help text.
    pub add_to: fn(clap::Command) -> clap::Command,
    read: fn(&mut ArgMatches) -> Result<Command, Error>,
}

/// In the order of the help text.
pub(super) const SUBCOMMANDS: [SubcommandGrammar; 8] = [
    SubcommandGrammar {
        name: "scale",
        alias: Some("resize"),
        global_flags: GlobalFlags::Shown,
        add_to: ScaleArgs::augment_args,
        read: |matches| Ok(Command::Scale(Box::new(ScaleArgs::from_arg_matches_mut(matches)?))),
    },
    SubcommandGrammar {
        name: "status",
        alias: None,
        global_flags: GlobalFlags::Shown,
        add_to: StatusArgs::augment_args,
        read: |matches| Ok(Command::Status(StatusArgs::from_arg_matches_mut(matches)?)),
    },
    SubcommandGrammar {
        name: "rebalance",
        alias: None,
        global_flags: GlobalFlags::Shown,
        add_to: RebalanceArgs::augment_args,
        read: |matches| Ok(Command::Rebalance(RebalanceArgs::from_arg_matches_mut(matches)?)),
    },
    SubcommandGrammar {
        name: "run",
        alias: None,
        global_flags: GlobalFlags::Shown,
        add_to: RunArgs::augment_args,
        read: |matches| Ok(Command::Run(Box::new(RunArgs::from_arg_matches_mut(matches)?))),
    },
    SubcommandGrammar {
        name: "serve",
        alias: None,
        global_flags: GlobalFlags::Shown,
        add_to: ServeArgs::augment_args,
        read: |matches| Ok(Command::Serve(Box::new(ServeArgs::from_arg_matches_mut(matches)?))),
    },
    SubcommandGrammar {
        name: "sandbox",
        alias: None,
        global_flags: GlobalFlags::HiddenExcept(&["layout", "trouble"]),
        add_to: SandboxArgs::augment_args,
        read: |matches| Ok(Command::Sandbox(SandboxArgs::from_arg_matches_mut(matches)?)),
    },
    SubcommandGrammar {
        name: "version",
        alias: None,
        global_flags: GlobalFlags::Shown,
        add_to: VersionArgs::augment_args,
        read: |matches| Ok(Command::Version(VersionArgs::from_arg_matches_mut(matches)?)),
    },
    SubcommandGrammar {
        name: "completion",
        alias: None,
        global_flags: GlobalFlags::HiddenExcept(&[]),
        add_to: CompletionArgs::augment_args,
        read: |matches| Ok(Command::Completion(CompletionArgs::from_arg_matches_mut(matches)?)),
    },
];

impl SubcommandGrammar {
    /// The subcommand with this name or alias.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        const { &SUBCOMMANDS }.iter().find(|it| it.name == name || it.alias == Some(name))
    }
}
