//! `locustctl run`.

mod command;
mod command_signals;
mod events;
mod failures;
mod other_tests;
mod refusals;
mod stopping;
mod terminal;
mod test;
mod test_signals;
mod two_runs;
