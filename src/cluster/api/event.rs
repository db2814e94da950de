//! What a client reports to its caller beside the results of requests.

use std::time::Duration;

/// An event that the user should see although no request has failed. The caller shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A warning. Each text is reported once.
    Warning(&'a str),
    /// A pause of more than a second before a request is sent again.
    Pause {
        /// How long the client waits.
        length: Duration,
        /// Why it waits.
        reason: PauseReason,
    },
}

/// Why a client waits before it sends a request again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseReason {
    /// The server named the pause in `Retry-After`.
    RetryAfter,
    /// The server is too busy (429) and named no pause.
    Busy,
}
