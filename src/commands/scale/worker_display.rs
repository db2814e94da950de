//! The progress on stderr while workers connect to Locust: a line with the time on a terminal, elsewhere
//! one line for each change.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::locust::WorkersDiffer;
use crate::text::terminal::{can_redraw, masked, on_one_line, say};

/// A shorter wait shows no lines.
const MIN_DISPLAYED_WAIT: Duration = Duration::from_secs(1);

/// The time between two redraws of the line with the time.
const TICK: Duration = Duration::from_millis(250);

pub struct WorkerDisplay {
    /// The line on the terminal; `None` elsewhere.
    bar: Option<ProgressBar>,
    started: Instant,
    /// The last summary.
    last: RefCell<Option<LookSummary>>,
}

/// A summary of one look.
struct LookSummary {
    summary: String,
    /// The look failed.
    is_failure: bool,
    is_printed: bool,
}

impl WorkerDisplay {
    pub fn new() -> Self {
        let bar = can_redraw().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("[{elapsed}] {wide_msg}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, started: Instant::now(), last: RefCell::default() }
    }

    /// Shows the result of one look. Of several failures in turn, only the first is printed: their texts often
    /// alternate.
    pub fn update(&self, difference: &WorkersDiffer) {
        let summary = on_one_line(&masked(&difference.summary())).into_owned();
        let is_failure = difference.failure.is_some();
        let text = format!("Waiting for the workers: {summary}");
        if let Some(bar) = &self.bar {
            bar.set_message(text.clone());
        }
        let mut last = self.last.borrow_mut();
        let is_printed = last.as_ref().is_some_and(|last| {
            last.is_printed && (last.summary == summary || (last.is_failure && is_failure))
        });
        let prints =
            self.bar.is_none() && !is_printed && self.started.elapsed() >= MIN_DISPLAYED_WAIT;
        if prints {
            say(&text);
        }
        *last = Some(LookSummary { summary, is_failure, is_printed: is_printed || prints });
    }

    /// The last summary. `None` if there was no look yet, or if the wait is over.
    pub fn last_summary(&self) -> Option<String> {
        self.last.borrow().as_ref().map(|last| last.summary.clone())
    }

    /// Redraws the time. Never ends.
    pub async fn tick(&self) {
        loop {
            tokio::time::sleep(TICK).await;
            self.bar.iter().for_each(ProgressBar::tick);
        }
    }

    /// Ends the wait, and removes the line from the terminal.
    pub fn end(&self) {
        self.last.take();
        self.clear();
    }

    fn clear(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

impl Drop for WorkerDisplay {
    fn drop(&mut self) {
        self.clear();
    }
}
