//! locustctl scales the workers of a Locust load test on Kubernetes.
//!
//! The map, in the order in which imports may run (a module uses only those below it):
//!
//! - [`commands`]: one file for each subcommand; wires the parts and prints
//! - [`cli`]: what may be typed, in kubectl's grammar; no behaviour
//! - [`scaling`]: the logic: targets, preconditions, the PATCH and the truth about its outcome
//! - [`serve`]: the web form and the HTTP endpoint
//! - [`output`]: printers of results and errors
//! - [`sandbox`]: a simulated cluster on loopback; shares no type with [`api`]
//! - [`manifests`]: objects from files, URLs, stdin and kustomizations
//! - [`locust`]: Locust's web API: the swarm, its workers, and giving a test its users back
//! - [`api`]: the Kubernetes API: client, error Status, resource paths, the scale subresource
//! - [`credentials`]: how to prove who we are: token, token file, client certificate, basic auth
//! - [`kuberc`]: preset flags, aliases, and which credential plugins may run
//! - [`kubeconfig`]: which cluster, as whom: files, merge, context and flags, in-cluster
//! - [`yaml`]: objects as YAML, in the form that kubectl prints
//! - [`terminal`]: what comes from outside, made harmless to show
//! - [`go`]: literals as Go reads and prints them, for kubectl is written in it

// All that is said goes through `terminal` or `output`: neither panics on a full disk.
#![deny(clippy::print_stderr, clippy::print_stdout)]

pub mod api;
pub mod cli;
pub mod commands;
pub mod credentials;
pub mod go;
pub mod kubeconfig;
pub mod kuberc;
pub mod locust;
pub mod manifests;
pub mod output;
pub mod sandbox;
pub mod scaling;
pub mod serve;
pub mod terminal;
pub mod yaml;
