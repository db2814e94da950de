//! Tests of the simulated cluster itself.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod conformance;
mod faults;
mod http;
mod layouts;
mod locust;
mod pods;
mod recordings;
