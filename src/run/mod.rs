//! A load test from scale to verdict: the phases of `locustctl run`, and what is undone after them.

mod count;
mod idle;
mod local_relay;
mod patience;
mod phase;
mod stop;
mod user_command;

pub use count::{PutBack, ReplacedCount, put_back, set_count};
pub use idle::{Idle, wait_for_idle};
pub use local_relay::LocalRelay;
pub use phase::Phase;
pub use stop::{WasRunning, stop_test};
pub use user_command::{URL_VARIABLE, UserCommand};
