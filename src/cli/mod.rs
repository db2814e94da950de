//! The command line: subcommands and flags in kubectl's grammar, with their help texts.
//!
//! This module checks only the form of a value. The subcommand decides what the value means. Modules
//! below this one do not use clap.

mod canonical;
mod change_cause;
mod completion;
mod global;
mod grammar;
mod ignored;
mod locust;
#[cfg(test)]
mod man_pages;
mod parse;
mod partial_line;
mod preferences;
mod rebalance;
mod refusal;
mod run;
mod sandbox;
mod scale;
mod secret;
mod serve;
mod similar;
mod status;
mod subcommands;
mod suggested_command;
mod typed_flags;
mod value;
mod version;

pub use completion::CompletionArgs;
pub use global::GlobalArgs;
pub use grammar::{completable as completable_grammar, completion_script};
pub use locust::{LocustArgs, Rebalance, ServeRebalance};
pub use parse::{Cli, program_name};
pub use partial_line::PartialLine;
pub use rebalance::RebalanceArgs;
pub use refusal::Refusal;
pub use run::{OWN_FAILURE, RunArgs};
pub use sandbox::{SandboxArgs, Trouble};
pub use scale::ScaleArgs;
pub use secret::Secret;
pub use serve::{Auth, ServeArgs};
pub use status::StatusArgs;
pub use subcommands::Command;
pub use suggested_command::{quoted, suggested_command, suggested_scale};
pub use typed_flags::TypedFlags;
pub use value::RelativeCount;
pub use version::VersionArgs;
