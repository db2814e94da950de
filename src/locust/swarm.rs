//! What Locust's master tells of the swarm.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// `GET /stats/requests`; what a release leaves out is absent.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// `ready`, `spawning`, `running`, `stopping`, `stopped`, …
    pub state: String,
    /// Users right now.
    pub user_count: i64,
    /// Workers that are connected; absent when Locust runs in a single process.
    pub workers: Option<Vec<Worker>>,
    /// Requests per second, over all.
    pub total_rps: f64,
    /// The same over the last seconds; releases before 2.17 have only the other.
    pub current_rps: Option<f64>,
    /// Of all requests, from 0 to 1.
    pub fail_ratio: f64,
}

/// One worker, as the master sees it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Worker {
    /// The name of its machine, an underscore, and 32 hexadecimal digits.
    pub id: String,
    /// `ready`, `spawning`, `running`, `missing`.
    pub state: String,
    /// Its users.
    pub user_count: i64,
    /// Percent of one core.
    pub cpu_usage: f64,
    /// Bytes; absent before release 2.9.
    pub memory_usage: Option<f64>,
}

/// What the test wants, from `window.templateArgs` of the page; it is never cached.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// As in [`Stats::state`].
    pub state: String,
    /// Users right now.
    pub user_count: i64,
    /// Users that were asked for.
    #[serde(deserialize_with = "number")]
    pub num_users: Option<f64>,
    /// Users to start in a second.
    #[serde(deserialize_with = "number")]
    pub spawn_rate: Option<f64>,
    /// After which the test ends; absent when it does not.
    #[serde(deserialize_with = "given")]
    pub run_time: Option<String>,
    /// A LoadTestShape decides over the users.
    #[serde(deserialize_with = "truth")]
    pub hide_common_options: bool,
    /// A LoadTestShape decides over the users, with the usual options or without; it would be given
    /// up by a start that does not name it.
    #[serde(rename = "shape_use_common_options", deserialize_with = "is_given")]
    pub has_shape: bool,
    /// Workers that are counted.
    pub worker_count: Option<i64>,
    /// Locust's release.
    pub version: String,
}

impl Stats {
    /// Reads the answer to `GET /stats/requests`; `None` when it is none.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let stats: Self =
            serde_json::from_value(object(serde_json::from_slice(body).ok()?)?).ok()?;
        // Every release tells the state; other servers' JSON does not.
        (!stats.state.is_empty()).then_some(stats)
    }

    /// Requests per second.
    pub fn rate(&self) -> f64 {
        self.current_rps.unwrap_or(self.total_rps)
    }

    /// Whether a test is under way.
    pub fn is_running(&self) -> bool {
        is_running(&self.state)
    }

    /// The workers that count: those that answer.
    pub fn counted(&self) -> impl Iterator<Item = &Worker> {
        self.workers.iter().flatten().filter(|worker| !worker.is_missing())
    }
}

impl Worker {
    /// The pod that it runs in: the id without its random end.
    pub fn pod(&self) -> &str {
        let is_random =
            |end: &str| end.len() == 32 && end.bytes().all(|byte| byte.is_ascii_hexdigit());
        match self.id.rsplit_once('_') {
            Some((pod, end)) if is_random(end) => pod,
            _ => &self.id,
        }
    }

    /// The master has not heard of it lately.
    pub fn is_missing(&self) -> bool {
        self.state == "missing"
    }
}

impl Settings {
    /// Whether a test is under way.
    pub fn is_running(&self) -> bool {
        is_running(&self.state)
    }

    /// Whether the test has fewer users than it wants. What a LoadTestShape wants is not told.
    pub fn is_short(&self) -> bool {
        !self.is_shaped() && self.num_users.is_some_and(|wanted| (self.user_count as f64) < wanted)
    }

    /// Whether a LoadTestShape decides over the users.
    pub fn is_shaped(&self) -> bool {
        self.hide_common_options || self.has_shape
    }

    /// Whether [`Self::num_users`] is what was asked for last: releases up to 2.32, at least, leave
    /// it as it was when Locust was started.
    pub fn tells_wanted(&self) -> bool {
        let mut numbers = self.version.split('.').map_while(|number| number.parse::<u32>().ok());
        (numbers.next(), numbers.next()) >= (Some(2), Some(47))
    }

    /// Reads them out of Locust's page; `None` where there are none, as in releases before 2.16.
    pub fn of_page(html: &str) -> Option<Self> {
        let (_, rest) = html.split_once("window.templateArgs = ")?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        serde_json::from_value(object(values.next()?.ok()?)?).ok()
    }
}

/// A list would be taken for an object whose fields come in their order.
fn object(value: Value) -> Option<Value> {
    value.is_object().then_some(value)
}

/// Whether a test is under way in this state of the runner.
pub fn is_running(state: &str) -> bool {
    matches!(state, "running" | "spawning")
}

/// Releases write numbers as numbers or as texts.
fn number<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite() && *number > 0.0))
}

/// A number of seconds, or a text as `3m`; nothing where it is empty.
fn given<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) if number.as_f64() != Some(0.0) => Some(number.to_string()),
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    })
}

/// Anything but nothing.
fn is_given<'a, D: Deserializer<'a>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(!Value::deserialize(deserializer)?.is_null())
}

/// As Python and JavaScript read it.
fn truth<'a, D: Deserializer<'a>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(is_so) => is_so,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Null => false,
        Value::Array(_) | Value::Object(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_release_leaves_out_is_absent() {
        let stats: Stats = serde_json::from_value(json!({"state": "running", "user_count": 3,
            "total_rps": 1.5, "fail_ratio": 0.1, "stats": [], "errors": []}))
        .unwrap();
        assert_eq!((stats.is_running(), stats.rate(), stats.workers.as_ref()), (true, 1.5, None));
        let worker: Worker =
            serde_json::from_value(json!({"id": "a_1", "state": "ready"})).unwrap();
        assert_eq!((worker.pod(), worker.memory_usage), ("a_1", None));
    }

    #[test]
    fn a_workers_id_names_its_pod() {
        let pod = |id: &str| Worker { id: id.to_owned(), ..Worker::default() }.pod().to_owned();
        assert_eq!(
            pod("locust-slave-7d6d-x2x_532504a3fc6440c3a0773eb17e1576da"),
            "locust-slave-7d6d-x2x"
        );
        assert_eq!(pod("host_name_532504a3fc6440c3a0773eb17e1576da"), "host_name");
        assert_eq!(pod("no-end"), "no-end");
    }

    #[test]
    fn settings_are_read_out_of_the_page() {
        let page = |args: &str| format!("<script>\n window.templateArgs = {args}\n </script> }}");
        let settings = Settings::of_page(&page(
            r#"{"num_users": 60, "spawn_rate": "2.5", "run_time": "", "hide_common_options": null,
                "state": "running", "user_count": 15, "worker_count": 1, "version": "2.47.0", "x": "</script>"}"#,
        ))
        .unwrap();
        assert_eq!((settings.num_users, settings.spawn_rate), (Some(60.0), Some(2.5)));
        assert_eq!((settings.run_time, settings.hide_common_options), (None, false));
        let settings = Settings::of_page(&page(
            r#"{"num_users": null, "spawn_rate": 0, "run_time": 90, "hide_common_options": "true"}"#,
        ))
        .unwrap();
        assert_eq!((settings.num_users, settings.spawn_rate), (None, None));
        assert_eq!(
            (settings.run_time.as_deref(), settings.hide_common_options),
            (Some("90"), true)
        );
        for (text, expected) in [("{}", false), (r#"{"shape_use_common_options": null}"#, false)]
            .into_iter()
            .chain([(r#"{"shape_use_common_options": false}"#, true)])
            .chain([(r#"{"shape_use_common_options": true}"#, true)])
        {
            assert_eq!(Settings::of_page(&page(text)).unwrap().is_shaped(), expected, "{text}");
        }
        for (version, expected) in [("2.47.0", true), ("2.47.1.dev3", true), ("3.0", true)]
            .into_iter()
            .chain([("2.32.2", false), ("", false), ("unknown", false)])
        {
            let settings = Settings { version: version.to_owned(), ..Settings::default() };
            assert_eq!(settings.tells_wanted(), expected, "{version}");
        }
        for hostile in ["<html>", &page("{"), &page("[]"), &page("{\"num_users\": 1e999}")] {
            assert_eq!(Settings::of_page(hostile), None, "{hostile}");
        }
    }
}
