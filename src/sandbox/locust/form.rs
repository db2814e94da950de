//! The form of `POST /swarm`.

use super::super::query::Query;
use super::release::LocustRelease;

/// The values of the page's fields, from the last form. They are kept even if the form was refused.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub num_users: Option<i64>,
    pub spawn_rate: Option<f64>,
    /// In seconds.
    pub run_time: Option<u64>,
    /// The custom option `failure_percent` of the simulated locustfile: the share of requests that fail.
    pub failure_percent: f64,
}

/// A valid form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub users: u64,
    pub rate: f64,
    pub run_time: Option<u64>,
}

/// The reason why a form does not start a test.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A field cannot be parsed. Nothing has been changed.
    Unreadable(String),
    /// Users or spawn rate are missing or invalid. The timers have been cancelled.
    Incomplete(&'static str),
    /// An exception in Locust: error 500.
    Crash,
}

/// An exception in Locust.
#[derive(Debug)]
pub(super) struct Crash;

/// Reads a form as the release does. It stores each field before it reads the next.
pub(super) fn read(
    body: &[u8],
    release: LocustRelease,
    settings: &mut Settings,
) -> Result<Start, Refusal> {
    let form = Query::parse(&String::from_utf8_lossy(body));
    let unreadable = |field: &str, value: &str, wanted: &str| {
        if release.saves_num_users() {
            let text = format!("Invalid {field} value: '{value}' (must be {wanted})");
            Refusal::Unreadable(text)
        } else {
            Refusal::Crash
        }
    };
    let mut users = None;
    if let Some(value) = form.get("user_count") {
        let number = value.trim().parse::<i64>();
        users = Some(number.map_err(|_| unreadable("user_count", value, "an integer"))?);
        if release.saves_num_users() {
            settings.num_users = users;
        }
    }
    let mut rate = None;
    if let Some(value) = form.get("spawn_rate") {
        let number = value.trim().parse::<f64>();
        rate = Some(number.map_err(|_| unreadable("spawn_rate", value, "a number"))?);
        if release.saves_spawn_rate() {
            settings.spawn_rate = rate;
        }
    }
    let mut run_time = None;
    if let Some(value) = form.get("run_time").filter(|value| !value.is_empty()) {
        let formats = "Valid run_time formats are : 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.";
        let seconds = seconds(value).ok_or_else(|| Refusal::Unreadable(formats.to_owned()))?;
        settings.run_time = Some(seconds);
        run_time = Some(seconds).filter(|seconds| *seconds > 0);
    }
    if let Some(percent) = form.get("failure_percent").and_then(|text| text.trim().parse().ok()) {
        settings.failure_percent = percent;
    }
    let users = users.and_then(|users| u64::try_from(users).ok());
    match (users, rate.filter(|rate| *rate > 0.0 && rate.is_finite())) {
        (Some(users), Some(rate)) => Ok(Start { users, rate, run_time }),
        _ if release.saves_num_users() => Err(Refusal::Incomplete(
            "Missing or invalid user_count or spawn_rate from /swarm request",
        )),
        _ => Err(Refusal::Incomplete("Missing user_count or spawn_rate from /swarm request")),
    }
}

/// The seconds of a duration such as `20`, `20s`, `3m`, `2h` or `1h20m`.
fn seconds(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let mut rest = text;
    let mut sum = 0_u64;
    for (unit, length) in [('h', 3600), ('m', 60), ('s', 1)] {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if let Some(after) = rest[digits..].strip_prefix(unit) {
            let count: u64 = rest[..digits].parse().ok()?;
            sum = count.checked_mul(length).and_then(|part| sum.checked_add(part))?;
            rest = after;
        }
    }
    (rest.is_empty() && !text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_times_are_parsed_like_in_locust() {
        let table = [
            ("20", Some(20)),
            ("20s", Some(20)),
            ("3m", Some(180)),
            ("2h", Some(7200)),
            ("1h20m", Some(4800)),
            ("3h30m10s", Some(12_610)),
            ("10s3h", None),
            ("1.5h", None),
            ("h", None),
            ("-1", None),
            ("99999999999999999999", None),
        ];
        for (text, expected) in table {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_refused_form_still_sets_num_users() {
        let mut settings = Settings::default();
        let refusal = read(b"user_count=-1&spawn_rate=1", LocustRelease::LATEST, &mut settings);
        assert!(matches!(refusal, Err(Refusal::Incomplete(_))), "{refusal:?}");
        assert_eq!(settings.num_users, Some(-1));
    }
}
