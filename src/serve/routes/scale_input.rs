//! The input of `PUT /api/scale`: the body and the query parameters.

use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::super::change::ChangeRequest;
use super::super::problem::Problem;
use crate::scaling::NewCount;
use crate::text::go;

/// Limit of the parameter `wait`.
const MAX_WAIT: Duration = Duration::from_secs(600);

/// The body of PUT.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an object")]
pub(super) struct OrderBody {
    #[serde(default, deserialize_with = "whole_number")]
    pub replicas: Option<i64>,
    #[serde(default, deserialize_with = "whole_number")]
    by: Option<i64>,
    #[serde(default, deserialize_with = "whole_number")]
    current_replicas: Option<i64>,
    #[serde(default)]
    ignore_locust: bool,
}

/// Reads a whole number. `null` is an error, and `3.0` is 3, as in JSON Schema.
fn whole_number<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    /// Every whole number up to this one has an exact float.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    let number = serde_json::Number::deserialize(deserializer)?;
    let whole =
        |float: f64| (float.fract() == 0.0 && float.abs() < LARGEST).then_some(float as i64);
    let read = number.as_i64().or_else(|| whole(number.as_f64()?));
    read.map(Some)
        .ok_or_else(|| D::Error::custom(format!("{number} is not a whole number in range")))
}

/// The query parameters of PUT.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub is_dry_run: bool,
    pub wait: Option<Duration>,
}

/// Reads the body.
pub(super) fn order(headers: &HeaderMap, bytes: &[u8]) -> Result<OrderBody, Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = "The body must be JSON: send Content-Type: application/json.";
        let code = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(code, "UnsupportedMediaType", detail));
    }
    // serde would read an array as an object, by the order of the fields.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(bad("The body must be an object, such as {\"replicas\": 3}."));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        bad(format!("The body is not valid; an example is {{\"replicas\": 3}}: {error}"))
    })
}

/// Checks the numbers of the body.
pub(super) fn change_request(
    order: &OrderBody,
    is_dry_run: bool,
) -> Result<ChangeRequest, Problem> {
    let new = match (order.replicas, order.by) {
        (Some(replicas), None) => NewCount::Exactly(count(replicas)?),
        (None, Some(by)) => NewCount::By(by),
        (None, None) => return Err(bad("The body needs replicas or by.")),
        (Some(_), Some(_)) => return Err(bad("The body must not have both replicas and by.")),
    };
    let current = order.current_replicas;
    if let Some(current) = current {
        count(current)?;
    }
    Ok(ChangeRequest { new, current, is_dry_run, ignores_locust: order.ignore_locust })
}

/// Checks a count: the API server stores it as a 32-bit number.
pub(super) fn count(count: i64) -> Result<i32, Problem> {
    i32::try_from(count).ok().filter(|count| *count >= 0).ok_or_else(|| {
        let detail =
            format!("{count} is not a number of replicas: it must be from 0 to {}.", i32::MAX);
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", detail)
    })
}

/// Reads the query parameters.
pub(super) fn parameters(query: &str) -> Result<Parameters, Problem> {
    let mut parameters = Parameters::default();
    let mut seen = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if seen.contains(&name) {
            return Err(bad("A parameter is repeated."));
        }
        match (&*name, &*value) {
            ("dryRun", "true") => parameters.is_dry_run = true,
            ("dryRun", "false") => parameters.is_dry_run = false,
            ("dryRun", _) => return Err(bad("dryRun must be true or false.")),
            ("wait", value) => {
                let duration = go::Duration::parse(value).ok().and_then(go::Duration::positive);
                parameters.wait =
                    Some(duration.filter(|wait| *wait <= MAX_WAIT).ok_or_else(|| {
                        bad("wait must be a duration of at most 10m, such as 30s or 2m.")
                    })?);
            }
            (name, _) => {
                let name: String = name.chars().take(40).collect();
                return Err(bad(format!(
                    "The parameter {name:?} is unknown; the parameters are dryRun and wait."
                )));
            }
        }
        seen.push(name);
    }
    Ok(parameters)
}

/// Reads a body and a query as those of `PUT /api/scale`; for `fuzz/`.
pub(super) fn try_change(content: &[u8]) {
    let json = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, json)]);
    let _ = order(&headers, content).and_then(|order| change_request(&order, true));
    let _ = parameters(&String::from_utf8_lossy(content));
}

pub(super) fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "BadRequest", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_invalid_parameters_are_refused() {
        let parameters =
            |query: &str| parameters(query).map_err(|problem| problem.detail().to_owned());
        let wait = |seconds| Some(Duration::from_secs(seconds));
        for (query, expected) in [
            ("", Parameters::default()),
            ("dryRun=true", Parameters { is_dry_run: true, wait: None }),
            ("dryRun=false&wait=1m30s", Parameters { is_dry_run: false, wait: wait(90) }),
            ("wait=10m", Parameters { is_dry_run: false, wait: wait(600) }),
        ] {
            assert_eq!(parameters(query), Ok(expected), "{query}");
        }
        for query in [
            "dryRun",
            "dryRun=All",
            "dryRun=true&dryRun=false",
            "wait=",
            "wait=30",
            "wait=-1s",
            "wait=0s",
            "wait=11m",
            "x=1",
        ] {
            assert!(parameters(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_body_has_either_replicas_or_by() {
        let order = |text: &str| serde_json::from_str::<OrderBody>(text).map_err(|_| 400);
        let read = |text: &str| {
            order(text)
                .and_then(|order| change_request(&order, false).map_err(|p| p.status().as_u16()))
        };
        let of = |new, current| {
            Ok(ChangeRequest { new, current, is_dry_run: false, ignores_locust: false })
        };
        for (text, expected) in [
            (r#"{"replicas": 3}"#, of(NewCount::Exactly(3), None)),
            (r#"{"replicas": 0, "currentReplicas": 2}"#, of(NewCount::Exactly(0), Some(2))),
            (r#"{"by": -2}"#, of(NewCount::By(-2), None)),
            (r#"{"replicas": -1}"#, Err(422)),
            (r#"{"replicas": 2147483648}"#, Err(422)),
            (r#"{"replicas": 1, "currentReplicas": -1}"#, Err(422)),
            (r#"{"replicas": 1, "by": 1}"#, Err(400)),
            ("{}", Err(400)),
            (r#"{"replicas": "3"}"#, Err(400)),
            (r#"{"replicas": 3.0}"#, of(NewCount::Exactly(3), None)),
            (r#"{"replicas": 3.5}"#, Err(400)),
            (r#"{"replicas": 1e300}"#, Err(400)),
            (r#"{"replicas": 9223372036854775808}"#, Err(400)),
            (r#"{"by": 1, "currentReplicas": null}"#, Err(400)),
            (r#"{"replicas": 3, "replicas": 4}"#, Err(400)),
            (r#"{"replicas": 3, "x": 4}"#, Err(400)),
            ("[]", Err(400)),
            ("", Err(400)),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
