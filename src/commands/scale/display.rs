//! The progress of the wait on stderr: a bar on a terminal, elsewhere one line for each change. It
//! has no colours.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::scaling::{Observer, Readiness, Wait};
use crate::text::terminal::{can_redraw, masked, say};

/// The time between two redraws of the bar. The bar shows the elapsed seconds.
const TICK: Duration = Duration::from_millis(250);

const BAR: &str = "[{bar:30}] {msg}";

pub struct Display {
    names: Vec<String>,
    requested: Vec<i64>,
    last: Vec<Option<Readiness>>,
    form: Form,
    started: Instant,
}

enum Form {
    Silent,
    Lines,
    Bar(ProgressBar),
}

impl Display {
    /// Draws a bar if stderr is a terminal, otherwise prints lines.
    pub fn new(waits: &[Wait]) -> Self {
        match can_redraw() {
            true => Self::with(waits, Form::Bar(bar(waits))),
            false => Self::with(waits, Form::Lines),
        }
    }

    /// Shows nothing, like kubectl.
    pub fn silent(waits: &[Wait]) -> Self {
        Self::with(waits, Form::Silent)
    }

    fn with(waits: &[Wait], form: Form) -> Self {
        let names = waits.iter().map(|wait| wait.target.to_string()).collect();
        let requested = waits.iter().map(|wait| wait.requested).collect();
        let last = waits.iter().map(|_| None).collect();
        Self { names, requested, last, form, started: Instant::now() }
    }

    /// The last readiness of the target with this index.
    pub fn last(&self, index: usize) -> Option<&Readiness> {
        self.last[index].as_ref()
    }

    /// Redraws the elapsed time. Never ends.
    pub fn ticking(&self) -> impl Future<Output = ()> + use<> {
        let bar = match &self.form {
            Form::Bar(bar) => Some(bar.clone()),
            Form::Silent | Form::Lines => None,
        };
        async move {
            let Some(bar) = bar else { return std::future::pending().await };
            loop {
                tokio::time::sleep(TICK).await;
                bar.tick();
            }
        }
    }

    /// Removes the bar. After a success one line with the result remains.
    pub fn end(&self, is_success: bool) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
            if is_success && !self.last.is_empty() {
                say(&format!("{} ({}s)", self.summary(), self.started.elapsed().as_secs()));
            }
        }
    }

    fn summary(&self) -> String {
        if let [Some(only)] = self.last.as_slice() {
            return only.text();
        }
        let requested: i64 = self.requested.iter().sum();
        let all = self.last.iter().flatten();
        let fulfilled: i64 = all.map(Readiness::fulfilled).sum();
        format!("{fulfilled} of {requested} replicas are ready")
    }
}

impl Observer for Display {
    fn readiness_changed(&mut self, index: usize, readiness: &Readiness) {
        let before = self.last[index].replace(readiness.clone());
        match &self.form {
            Form::Silent => {}
            Form::Lines => {
                let text = readiness.text();
                // The first state is no progress, unless the target is not ready yet.
                let is_news = before.map_or(!readiness.done, |before| before.text() != text);
                let is_overtaken = readiness.desired != readiness.requested;
                if is_news && !is_overtaken {
                    say(&format!("{}: {text}", self.names[index]));
                }
            }
            Form::Bar(bar) => {
                let fulfilled: i64 = self.last.iter().flatten().map(Readiness::fulfilled).sum();
                bar.set_message(masked(&self.summary()).into_owned());
                bar.set_position(fulfilled.unsigned_abs());
            }
        }
    }

    fn note(&mut self, text: &str) {
        match &self.form {
            Form::Bar(bar) => bar.suspend(|| say(text)),
            Form::Silent | Form::Lines => say(text),
        }
    }
}

fn bar(waits: &[Wait]) -> ProgressBar {
    let requested: i64 = waits.iter().map(|wait| wait.requested).sum();
    let bar =
        ProgressBar::with_draw_target(Some(requested.unsigned_abs()), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(&format!("{BAR} ({{elapsed}})"));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("#>-"))
}
