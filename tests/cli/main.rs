//! Tests of the commands against a simulated cluster.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod addresses;
mod client_certificates;
mod completions;
mod connection;
mod discovery;
mod dynamic_completion;
mod errors;
mod formats;
mod goaway;
mod identity;
mod import_order;
mod kuberc;
mod kustomize;
mod large_lists;
mod locust;
mod locust_harm;
mod locust_keep;
mod locust_tls;
mod lost_answers;
mod outcome;
mod plugin_policy;
mod plugins;
mod program;
mod proxies;
mod refusals;
mod scale;
mod scale_files;
mod selection;
mod server_names;
mod server_trust;
mod signals;
mod status;
mod verbosity;
mod wait;
mod wait_trouble;
