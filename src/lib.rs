//! locustctl scales the workers of a Locust load test on Kubernetes.
//!
//! The modules. A module imports only from those below it, and a test checks this:
//!
//! - `commands`: one file or folder for each subcommand; it calls the other modules, and prints
//! - `cli`: parses the command line; it sends no requests
//! - `serve`: the web form, the HTTP API, and Locust's web UI with the panel
//! - `run`: a load test from scale to verdict: phases, conditions, results, verdict, reports
//! - `output`: printers of results and errors
//! - `locust`: Locust: its web API, the health of a test, and the redistribution of its users
//! - `scaling`: `kubectl scale`: targets, manifests, preconditions, the PATCH, and its outcome
//! - `cluster`: the Kubernetes client
//! - `process`: programs that are run: finding them, and ending them with their children
//! - [`sandbox`]: a simulated cluster on loopback; it shares no code with `cluster`
//! - `text`: YAML, PEM, label selectors, literals as Go writes them, and text that is safe to show

// Everything is printed through `terminal` or `output`: neither panics on a full disk.
#![deny(clippy::print_stderr, clippy::print_stdout)]

mod cli;
mod cluster;
mod commands;
#[doc(hidden)]
pub mod fuzzing;
mod locust;
mod output;
mod process;
mod run;
pub mod sandbox;
mod scaling;
mod serve;
mod text;

pub use cli::{Cli, Refusal, program_name};
pub use commands::{complete, run};
pub use output::{Failed, render};
pub use text::stderr::flush as flush_stderr;
