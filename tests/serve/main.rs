//! Tests of `locustctl serve` against a simulated cluster.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod api;
mod auth;
mod blocking;
mod compression;
mod deploy;
mod error_pages;
mod faults;
mod hidden_characters;
mod ingress;
mod late_answers;
mod locust;
mod locust_edits;
mod locust_missing;
mod locust_steps;
mod locust_turns;
mod locust_ui;
mod locust_ui_login;
mod locust_ui_safety;
mod memory;
mod openapi;
mod replicas;
mod request_rules;
mod restart;
mod revoked;
mod samples;
mod shared_history;
mod slow;
mod viewers;
