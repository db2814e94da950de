//! Flags that have no effect.

use clap::Args;

use super::refusal::Refusal;
use super::value;
use crate::text::go;
use crate::text::terminal::printable;

/// The values of kubectl's `--profile`.
const PROFILES: [&str; 8] =
    ["none", "cpu", "allocs", "block", "goroutine", "heap", "mutex", "threadcreate"];

/// Global flags of kubectl that have no effect, since locustctl has no cache, no buffered log and no
/// profiler. They are accepted because scripts use them.
#[derive(Debug, Args)]
pub struct IgnoredArgs {
    #[arg(long, global = true, hide = true, value_name = "DIR", allow_hyphen_values = true)]
    cache_dir: Option<String>,
    #[arg(long, global = true, hide = true, value_name = "DURATION",
          value_parser = value::go_duration(), allow_hyphen_values = true)]
    log_flush_frequency: Option<go::Duration>,
    #[arg(long, global = true, hide = true, value_name = "NAME", allow_hyphen_values = true)]
    profile: Option<String>,
    #[arg(long, global = true, hide = true, value_name = "FILE", allow_hyphen_values = true)]
    profile_output: Option<String>,
    #[arg(long, global = true, hide = true, value_name = "PATTERNS", allow_hyphen_values = true)]
    vmodule: Option<String>,
}

impl IgnoredArgs {
    /// Checks `--profile`. kubectl does that before it checks for missing flags.
    ///
    /// # Errors
    /// There is no such profile. The text is kubectl's.
    pub(super) fn check_profile(&self) -> Result<(), Refusal> {
        match self.profile.as_deref() {
            Some(profile) if !PROFILES.contains(&profile) => {
                Err(Refusal::mistake(format!("error: unknown profile '{}'\n", printable(profile))))
            }
            _ => Ok(()),
        }
    }
}
