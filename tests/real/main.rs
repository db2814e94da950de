//! Tests with real programs: Locust, Chromium and kubectl. `tests/run.sh` installs them.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod browser;
mod chromium;
mod kubectl;
mod locust;
mod locust_panel;
mod locust_plugin;
mod locust_process;
mod swarm_confirm;
mod swarm_random;
mod swarm_steps;
mod swarm_time;
mod swarm_wanted;

use parking_lot::{ReentrantMutex, ReentrantMutexGuard};

/// The exclusive right to run a real Locust or a browser.
type Alone = ReentrantMutexGuard<'static, ()>;

/// Waits until no other test runs a real Locust or a browser, because they would slow each other
/// down. One test may run both.
fn alone() -> Alone {
    static ALONE: ReentrantMutex<()> = ReentrantMutex::new(());
    ALONE.lock()
}
