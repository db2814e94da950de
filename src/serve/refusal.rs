//! Converts errors of scaling to HTTP answers.

use axum::http::StatusCode;

use super::problem::Problem;
use crate::cluster::api::{Error, FailureKind, Status};
use crate::scaling;
use crate::text::terminal::printable;

/// The answer for an error of scaling. If the API server rejects the server's own credentials, it is a
/// 502: the caller's login cannot fix that.
pub fn refusal(problem: &scaling::ScaleError) -> Problem {
    use scaling::ScaleError as P;
    let text = explain(problem);
    match problem {
        P::Api(error) => of_error(error, text),
        P::AnswerLost { cause, .. } => Problem::new(code(cause), "Unknown", text),
        P::ReplicasDiffer { was, .. } => {
            Problem::new(StatusCode::CONFLICT, "Conflict", text).with_current(*was)
        }
        P::LostRaces { last, .. } => {
            Problem::new(StatusCode::CONFLICT, "Conflict", text).with_current(*last)
        }
        P::VersionDiffers { .. } => Problem::new(StatusCode::CONFLICT, "Conflict", text),
        P::TooMany { .. }
        | P::BeyondLimits { .. }
        | P::NothingToChange { .. }
        | P::Ignored { .. }
        | P::NotRestored { .. }
        | P::NoSpec => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", text),
    }
}

/// The error as a sentence. The reader did not send the request to the API server.
pub fn explain(problem: &scaling::ScaleError) -> String {
    use scaling::ScaleError as P;
    let text = match problem {
        P::Api(Error::Failure(failure)) => {
            format!("The cluster's API server did not answer, and nothing was changed: {failure}")
        }
        P::AnswerLost { cause: cause @ Error::Failure(_), known_state } => {
            format!("The cluster's API server did not answer ({cause}): {known_state}")
        }
        problem => problem.to_string(),
    };
    printable(&text)
}

fn of_error(error: &Error, text: String) -> Problem {
    let problem = Problem::new(code(error), reason(error), text);
    let pause = error.status().and_then(|status| status.retry_after);
    match pause {
        Some(pause) => problem.with_retry_after(pause.as_secs().max(1)),
        None => problem,
    }
}

fn reason(error: &Error) -> &str {
    match error {
        Error::Status(status) if status.reason.is_empty() => "Unknown",
        Error::Status(status) => &status.reason,
        Error::Failure(_) if code(error) == StatusCode::GATEWAY_TIMEOUT => "Timeout",
        Error::Failure(_) => "Unreachable",
        Error::Unreadable(_) => "Unreadable",
        Error::NoCredentials(_) => "NoCredentials",
    }
}

fn code(error: &Error) -> StatusCode {
    match error {
        Error::Status(status) => code_of_status(status),
        Error::Failure(failure) => match failure.kind {
            FailureKind::Connection if failure.sent => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        },
        Error::Unreadable(_) | Error::NoCredentials(_) => StatusCode::BAD_GATEWAY,
    }
}

fn code_of_status(status: &Status) -> StatusCode {
    match status.code {
        400 | 403 | 404 | 409 | 422 | 429 => {
            StatusCode::from_u16(status.code).unwrap_or(StatusCode::BAD_GATEWAY)
        }
        408 | 504 => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    }
}
