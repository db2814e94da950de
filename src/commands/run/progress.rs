//! The progress of a test on stderr: a bar on a terminal, elsewhere one line every 10 seconds and for
//! each new state.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::{Observations, Tick};
use crate::text::go;
use crate::text::quantity;
use crate::text::terminal::{can_redraw, masked, on_one_line, say};

/// The time between two lines.
const PERIOD: Duration = Duration::from_secs(10);

/// Two lines, so that nothing is cut off at the usual width of a terminal.
const BAR: &str = "[{bar:20}] {prefix}\n{wide_msg}";

pub(super) struct Progress {
    run_time: Option<Duration>,
    /// The bar on the terminal; `None` elsewhere.
    bar: Option<ProgressBar>,
    last_line: Option<Instant>,
    /// The state of Locust's runner at the last look.
    state: String,
    /// Notes that were printed.
    notes: usize,
}

impl Progress {
    /// `run_time` is unknown for a LoadTestShape.
    pub(super) fn new(run_time: Option<Duration>) -> Self {
        let bar = can_redraw().then(|| {
            let length = run_time.map(|time| time.as_secs());
            let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template(BAR);
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.with_style(style.progress_chars("#>-"))
        });
        Self { run_time, bar, last_line: None, state: String::new(), notes: 0 }
    }

    /// Shows the state of the test, and the notes that are new. `tick` is `None` if Locust did not answer.
    pub(super) fn update(&mut self, tick: Option<&Tick>, seen: &Observations) {
        self.print_notes(seen);
        let Some(tick) = tick else { return };
        let is_new_state = self.state != tick.page.state;
        self.state.clone_from(&tick.page.state);
        let is_due = self.last_line.is_none_or(|last| last.elapsed() >= PERIOD);
        match &self.bar {
            Some(bar) => {
                bar.set_position(tick.since_start.as_secs());
                bar.set_prefix(state(tick, self.run_time));
                bar.set_message(masked(&figures(tick)).into_owned());
            }
            None if is_due || is_new_state => {
                self.last_line = Some(Instant::now());
                say(&format!("{}, {}", state(tick, self.run_time), figures(tick)));
            }
            None => {}
        }
    }

    /// Prints the notes that are new.
    pub(super) fn print_notes(&mut self, seen: &Observations) {
        for note in &seen.notes[self.notes..] {
            let text = format!("Note: {}", on_one_line(&note.text));
            match &self.bar {
                Some(bar) => bar.suspend(|| say(&text)),
                None => say(&text),
            }
        }
        self.notes = seen.notes.len();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

/// `20s of 10m0s: running, 1000 users, 20 workers`
fn state(tick: &Tick, run_time: Option<Duration>) -> String {
    let whole = |time: Duration| go::Duration::from_std(Duration::from_secs(time.as_secs()));
    let page = &tick.page;
    let mut text = whole(tick.since_start).to_string();
    if let Some(run_time) = run_time {
        text.push_str(&format!(" of {}", whole(run_time)));
    }
    let users = quantity(page.user_count, "user");
    text.push_str(&format!(": {}, {users}", on_one_line(&page.state)));
    if let Some(workers) = page.worker_count {
        text.push_str(&format!(", {}", quantity(workers, "worker")));
    }
    text
}

/// `523.1 requests/s, 12 of 9801 requests failed, median 12 ms, p95 80 ms`
fn figures(tick: &Tick) -> String {
    let total = &tick.live.statistics.total;
    let (rate, failures, requests) = (tick.live.current_rate, total.failures, total.requests);
    let mut text = format!("{rate:.1} requests/s, {failures} of {requests} requests failed");
    if total.requests > 0 {
        text.push_str(&format!(", median {} ms", total.median.rounded(0)));
        for (percentile, figure) in &total.percentiles {
            if let Some(figure) = figure {
                text.push_str(&format!(", p{percentile} {} ms", figure.rounded(0)));
            }
        }
    }
    text
}
