//! Events that a client reports to its caller, in addition to the results of requests.

use std::time::Duration;

/// An event that the user should see although no request has failed. The caller shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A warning. Each text is reported once.
    Warning(&'a str),
    /// A pause of more than a second before a request is sent again.
    Pause {
        /// The time that the client waits.
        length: Duration,
        /// The reason for the pause.
        reason: PauseReason,
    },
}

/// The reason for a pause before a request is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseReason {
    /// The server named the pause in `Retry-After`.
    RetryAfter,
    /// The server is too busy (429) and named no pause.
    Busy,
    /// The server closed the connection, and has not processed the request.
    NotProcessed,
}
