//! Tests with real programs: Locust, Chromium and kubectl. `tests/run.sh` installs them.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod browser;
mod browser_state;
mod chromium;
mod kubectl;
mod locust;
mod locust_panel;
mod locust_plugin;
mod locust_process;
mod panel_place;
mod run;
mod run_failures;
mod run_results;
mod run_signals;
mod swarm_automatic;
mod swarm_care;
mod swarm_confirm;
mod swarm_edit;
mod swarm_random;
mod swarm_steps;
mod swarm_time;
mod swarm_wanted;
mod workflows;

use std::cell::Cell;

use parking_lot::{Condvar, Mutex};

/// The tests that may run a real Locust or a browser at a time. More of them would slow each other
/// down, until workers miss their heartbeats.
const MAX_AT_ONCE: usize = 10;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ONE_ENDED: Condvar = Condvar::new();

thread_local! {
    /// The turns of this test: it may run a Locust and a browser.
    static TURNS: Cell<usize> = const { Cell::new(0) };
}

/// The right of a test to run a real Locust or a browser.
struct Turn;

impl Turn {
    /// Waits until fewer than [`MAX_AT_ONCE`] other tests have a turn.
    fn wait() -> Self {
        if TURNS.get() == 0 {
            let mut running = RUNNING.lock();
            ONE_ENDED.wait_while(&mut running, |running| *running >= MAX_AT_ONCE);
            *running += 1;
        }
        TURNS.set(TURNS.get() + 1);
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURNS.set(TURNS.get() - 1);
        if TURNS.get() == 0 {
            *RUNNING.lock() -= 1;
            ONE_ENDED.notify_one();
        }
    }
}
