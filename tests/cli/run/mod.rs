//! `locustctl run`.

mod command;
mod command_signals;
