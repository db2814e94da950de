//! Flags that are taken and not used.

use clap::Args;

use super::refusal::Refusal;
use super::value;
use crate::text::go;
use crate::text::terminal::printable;

/// What kubectl can make a profile of: Go's own, and none.
const PROFILES: [&str; 8] =
    ["none", "cpu", "allocs", "block", "goroutine", "heap", "mutex", "threadcreate"];

/// Global flags of kubectl's that have nothing to act on here: there is no cache to place, no
/// buffered log, no profiler. Scripts may still give them.
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
    /// kubectl looks at it before it looks for flags that are missing.
    ///
    /// # Errors
    /// In its words, that there is no such profile.
    pub(super) fn check_profile(&self) -> Result<(), Refusal> {
        match self.profile.as_deref() {
            Some(profile) if !PROFILES.contains(&profile) => {
                Err(Refusal::Mistake(format!("error: unknown profile '{}'\n", printable(profile))))
            }
            _ => Ok(()),
        }
    }
}
