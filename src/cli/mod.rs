//! What may be typed: subcommands and flags in kubectl's grammar, with their help texts.
//!
//! No behaviour: values are read as far as their form goes, and what they mean is decided by
//! the command. Nothing below this layer sees a type of clap's.

mod canonical;
mod change_cause;
mod completion;
mod global;
mod grammar;
mod ignored;
mod locust;
mod parse;
mod partial_line;
mod preferences;
mod rebalance;
mod refusal;
mod sandbox;
mod scale;
mod secret;
mod serve;
mod status;
mod subcommands;
mod typed_flags;
mod value;

pub use completion::CompletionArgs;
pub use global::GlobalArgs;
pub use grammar::{completable as completable_grammar, completion_script};
pub use locust::{LocustArgs, Rebalance, ServeRebalance};
pub use parse::{Cli, program_name};
pub use partial_line::Partial;
pub use rebalance::RebalanceArgs;
pub use refusal::Refusal;
pub use sandbox::SandboxArgs;
pub use scale::ScaleArgs;
pub use secret::Hidden;
pub use serve::{Auth, ServeArgs};
pub use status::StatusArgs;
pub use subcommands::Command;
pub use typed_flags::{TypedFlags, quoted};
pub use value::Change;
