//! Runs the binary with real programs beside it: Locust, Chromium and kubectl.
//! `tests/run.sh` installs them.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod chromium;
mod kubectl;
mod locust;
mod locust_panel;
mod locust_plugin;
mod locust_process;
mod swarm_confirm;
mod swarm_random;
mod swarm_steps;
mod swarm_time;
mod swarm_wanted;
