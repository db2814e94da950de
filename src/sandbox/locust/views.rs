//! The master's state as JSON.

use serde_json::{Map, Value, json};

use super::super::object::format_time;
use super::{
    csv,
    statistics::rate,
    swarm::{RunnerState, Swarm, Worker},
};

const LOCUSTFILE: &str = "locustfile.py";

impl Swarm {
    /// `GET /stats/requests`
    pub(super) fn stats(&self) -> Value {
        let rate = rate(self.users());
        let mut stats = json!({ "state": self.state_name(), "user_count": self.users(),
            "workers": self.workers.iter().map(row).collect::<Vec<_>>(),
            "stats": self.rows(), "errors": self.errors(),
            "fail_ratio": self.statistics.fail_ratio(),
            "total_fail_per_sec": self.statistics.total_rate() * self.statistics.fail_ratio(),
            "total_rps": self.statistics.total_rate(), "current_rps": rate,
            "current_fail_per_sec": rate * self.statistics.failure_share,
            "current_response_time_percentiles":
                { "response_time_percentile_0.5": 11, "response_time_percentile_0.95": 26 } });
        if self.release.reports_worker_count() {
            stats["worker_count"] = json!(self.count());
        }
        if !self.release.reports_rates() {
            for row in stats["stats"].as_array_mut().into_iter().flatten() {
                if let Some(row) = row.as_object_mut() {
                    row.remove("total_rps");
                    row.remove("total_fail_per_sec");
                }
            }
        }
        stats
    }

    /// The rows of `errors`. Every failure of the simulated test is the same.
    fn errors(&self) -> Vec<Value> {
        let (first, last) = self.statistics.seen(&self.journal.clock);
        let seen = |time: time::OffsetDateTime| time.unix_timestamp_nanos() as f64 / 1e9;
        match self.statistics.failed() {
            0 => Vec::new(),
            failed => vec![json!({ "method": "GET", "name": "/", "error": csv::ERROR,
                "occurrences": failed, "first_seen": seen(first), "last_seen": seen(last) })],
        }
    }

    /// `GET /stats/requests/csv`
    pub(super) fn requests_csv(&self) -> String {
        csv::requests(&self.rows())
    }

    /// `GET /stats/failures/csv`
    pub(super) fn failures_csv(&self) -> String {
        let (first, last) = self.statistics.seen(&self.journal.clock);
        let seen = (format_time(first), format_time(last));
        let seen = self.release.reports_failure_times().then_some(seen);
        csv::failures(self.statistics.failed(), seen)
    }

    fn rows(&self) -> Vec<Value> {
        self.statistics.rows(self.users(), self.state != RunnerState::Ready)
    }

    /// `window.templateArgs` in the page.
    pub(super) fn template_args(&self) -> Value {
        let settings = &self.settings;
        let history = if self.statistics.has_requests() {
            self.statistics.history(&self.journal.clock)
        } else {
            json!([])
        };
        json!({ "available_shape_classes": ["Default"], "available_user_classes": ["U"],
            "available_user_tasks": { "U": ["index"] }, "extra_options": extra_options(), "hide_common_options": null,
            "history": history, "host": "", "is_distributed": true, "is_host_required": false,
            "locustfile": LOCUSTFILE, "missing_host_warning": false, "num_users": settings.num_users,
            "override_host_warning": false, "percentiles_to_chart": [0.5, 0.95],
            "percentiles_to_statistics": [0.95, 0.99], "profile": null, "run_time": settings.run_time,
            "shape_use_common_options": null, "show_userclass_picker": false,
            "spawn_rate": settings.spawn_rate, "state": self.state_name(), "stats_history_enabled": false,
            "tasks": "{}", "user_count": self.users(),
            "users": { "U": { "fixed_count": 0, "host": null, "tasks": ["index"], "weight": 1 } },
            "version": self.release.to_string(), "worker_count": self.count() })
    }

    /// `GET /tasks`
    pub(super) fn tasks(&self) -> Value {
        ratios(self.users() > 0)
    }

    /// `GET /logs`
    pub(super) fn logs(&self) -> Value {
        let master: Vec<&str> = self.journal.lines().collect();
        if !self.release.collects_logs() {
            return json!({ "logs": master });
        }
        let workers = self.journal.workers().map(|(id, line)| (id.to_owned(), json!([line])));
        json!({ "master": master, "workers": workers.collect::<Map<_, _>>() })
    }

    /// The name of a file to download, without its end.
    pub(super) fn file_name(&self) -> String {
        let (start, ..) = self.statistics.span(&self.journal.clock);
        let time = format!("{}-{:02}h{:02}", start.date(), start.hour(), start.minute());
        format!("Locust_{time}_{LOCUSTFILE}")
    }

    /// `window.templateArgs` in the report.
    pub(super) fn report(&mut self, is_download: bool) -> Value {
        self.statistics.complete_history(self.users());
        let clock = &self.journal.clock;
        let (start, end, duration) = self.statistics.span(clock);
        let is_over = matches!(self.state, RunnerState::Stopping | RunnerState::Stopped);
        let has_users = if is_over { self.had_users } else { self.users() > 0 };
        let rows = self.rows();
        json!({ "is_report": true, "requests_statistics": rows, "failures_statistics": self.errors(),
            "exceptions_statistics": [], "response_time_statistics": percentiles(&rows),
            "start_time": format_time(start), "end_time": format_time(end), "duration": duration,
            "host": "None", "history": self.statistics.history(clock), "show_download_link": !is_download,
            "locustfile": LOCUSTFILE, "tasks": ratios(has_users), "percentiles_to_chart": [0.5, 0.95],
            "profile": null })
    }

    fn state_name(&self) -> &'static str {
        match self.state {
            RunnerState::Ready => "ready",
            RunnerState::Spawning => "spawning",
            RunnerState::Running => "running",
            RunnerState::Stopping => "stopping",
            RunnerState::Stopped => "stopped",
        }
    }
}

/// The custom option of the simulated locustfile.
fn extra_options() -> Value {
    json!({ "failure_percent": { "choices": null, "default_value": "0", "is_secret": false,
        "is_required": false, "is_multiple": false, "help_text": "The percentage of requests that fail" } })
}

fn row(worker: &Worker) -> Value {
    let state = match worker.reported {
        _ if worker.is_missing => "missing",
        0 => "ready",
        _ => "running",
    };
    json!({ "id": worker.id, "state": state, "user_count": worker.reported,
        "cpu_usage": 1.5 + worker.reported as f64 * 0.4, "memory_usage": 55_914_496 })
}

/// The ratio of each user class and task.
fn ratios(has_users: bool) -> Value {
    let share = if has_users { 1.0 } else { 0.0 };
    let class =
        |task: f64| json!({ "U": { "ratio": share, "tasks": { "index": { "ratio": task } } } });
    json!({ "per_class": class(1.0), "total": class(share) })
}

fn percentiles(rows: &[Value]) -> Vec<Value> {
    let row = |row: &Value| {
        json!({ "name": row["name"], "method": row["method"], "0.5": 11, "0.6": 12, "0.7": 13,
            "0.8": 15, "0.9": 20, "0.95": 26, "0.99": 26, "1.0": 26 })
    };
    rows.iter().map(row).collect()
}
