//! Holds the simulated cluster to recordings of a real API server.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod conformance;
mod faults;
mod http;
mod locust;
mod pods;
mod recordings;
