//! Flags of `sandbox`.

use clap::{Args, ValueEnum};

use super::value;
use crate::sandbox::LocustRelease;
use crate::text::go;

const EXAMPLES: &str = "\
Examples:
  # Locust as the Helm chart installs it, or as your own manifests do
  locustctl sandbox --layout=helm
  helm template my-test deliveryhero/locust > mine.yaml && locustctl sandbox --layout=mine.yaml

  # One command against a layout, without a second terminal
  locustctl --sandbox --layout=google status deployment/locust-worker";

/// The reason why new pods of the simulated cluster do not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Trouble {
    /// Their image cannot be pulled
    Image,
    /// No node has room for them
    Room,
}

/// Run a simulated cluster on loopback, for kubectl and scripts
#[derive(Debug, Args)]
#[command(args_override_self = true, after_help = EXAMPLES)]
pub struct SandboxArgs {
    /// Time until a new pod is ready
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = value::go_duration(),
          allow_hyphen_values = true)]
    pub pod_ready_after: go::Duration,
    /// Delay of every response, to simulate a remote cluster
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = value::go_duration(),
          allow_hyphen_values = true, hide_default_value = true)]
    pub latency: go::Duration,
    /// The release of Locust to simulate, from 2.22.0 to 2.47.0
    #[arg(long, value_name = "VERSION", default_value_t = LocustRelease::LATEST)]
    pub locust_release: LocustRelease,
    /// Port to listen on; 0 means any free port
    #[arg(long, value_name = "PORT", default_value = "0", hide_default_value = true)]
    pub port: u16,
}
