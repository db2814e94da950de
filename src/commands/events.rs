//! Events of the cluster client, shown on stderr.

use crate::cluster::api::{Event, PauseReason};
use crate::text::terminal::{say, warn};

pub fn show(event: Event<'_>) {
    match event {
        Event::Warning(text) => warn(text),
        Event::Pause { length, reason } => {
            let why = match reason {
                PauseReason::RetryAfter => "the server asked for it",
                PauseReason::Busy => "the server is busy",
                PauseReason::NotProcessed => {
                    "the server closed the connection before it processed the request"
                }
            };
            say(&format!("Waiting {} s before the next attempt: {why}", length.as_secs()));
        }
    }
}
