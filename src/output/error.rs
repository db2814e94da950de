//! Errors on stderr, in the sentences of kubectl (`pkg/cmd/util/helpers.go`).

use anyhow::Error;

use super::TargetError;
use crate::cluster::api::{self, FailureKind, Status};
use crate::cluster::kubeconfig::ConfigError;
use crate::scaling::manifests;
use crate::scaling::{ListErrors, ScaleError, WaitError};
use crate::text::terminal::printable;

/// A failed command: all its errors, in order.
#[derive(Debug)]
pub struct Failed {
    /// The errors to print.
    pub errors: Vec<Error>,
    /// Hints, printed after the errors, each on its own line.
    hints: Vec<String>,
    /// The exit code, if it is not 1.
    code: Option<u8>,
}

impl Failed {
    /// A command with several errors.
    pub fn all(errors: Vec<Error>) -> Self {
        Self { errors, hints: Vec::new(), code: None }
    }

    /// A command that the signal with this number has ended.
    pub fn by_signal(number: u8, errors: Vec<Error>) -> Self {
        Self::with_code(128 + number, errors)
    }

    /// A command that ends with this exit code. It prints nothing if there are no errors.
    pub fn with_code(code: u8, errors: Vec<Error>) -> Self {
        Self { errors, hints: Vec::new(), code: Some(code) }
    }

    /// Sets the exit code, unless there is one already.
    pub fn or_code(self, code: u8) -> Self {
        Self { code: self.code.or(Some(code)), ..self }
    }

    /// Sets the hints.
    pub fn with_hints(self, hints: Vec<String>) -> Self {
        Self { hints, ..self }
    }

    /// The exit code: 1 if no other code was set. After a signal it is 128 plus the signal's number, as in a
    /// shell.
    pub fn exit_code(&self) -> u8 {
        self.code.unwrap_or(1)
    }
}

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::all(vec![error.into()])
    }
}

/// The text for stderr, with a newline at the end. It is empty if there is no error.
///
/// A single error gets the prefix `error: `, unless it has a sentence of its own. Several errors get no
/// prefix. kubectl does the same.
pub fn render(failed: &Failed) -> String {
    let mut text = match failed.errors.as_slice() {
        [] => return String::new(),
        [only] => match sentence(only) {
            Sentence::Whole(text) => text,
            Sentence::Bare(text) if text.starts_with("error: ") => text,
            Sentence::Bare(text) => format!("error: {text}"),
        },
        several => {
            let texts: Vec<_> = several.iter().map(one_of_several).collect();
            texts.join("\n")
        }
    };
    text.push('\n');
    for hint in &failed.hints {
        text.push_str(hint);
        text.push('\n');
    }
    printable(&text)
}

/// The text of a failed request, to be used inside another sentence.
pub fn sentence_of(error: &api::Error) -> String {
    of_api(error).into_text()
}

/// The text of one of several errors. Some errors have another text if they are not alone.
fn one_of_several(error: &Error) -> String {
    match error.is::<manifests::Error>() || error.is::<ListErrors>() {
        true => error.to_string(),
        false => sentence(error).into_text(),
    }
}

enum Sentence {
    /// Needs no prefix.
    Whole(String),
    /// Needs the prefix `error: `.
    Bare(String),
}

impl Sentence {
    fn into_text(self) -> String {
        match self {
            Self::Whole(text) | Self::Bare(text) => text,
        }
    }
}

fn sentence(error: &Error) -> Sentence {
    if let Some(named) = error.downcast_ref::<TargetError>() {
        return match sentence(&named.error) {
            Sentence::Whole(text) => Sentence::Whole(named.named(text)),
            Sentence::Bare(text) => Sentence::Bare(named.named(text)),
        };
    }
    if let Some(problem) = error.downcast_ref::<ScaleError>() {
        return match problem {
            ScaleError::Api(error) => of_api(error),
            ScaleError::AnswerLost { cause, known_state } => match of_api(cause) {
                Sentence::Whole(text) => Sentence::Whole(format!("{text}\n{known_state}")),
                Sentence::Bare(text) => Sentence::Bare(format!("{text}\n{known_state}")),
            },
            other => Sentence::Bare(other.to_string()),
        };
    }
    if let Some(error) = error.downcast_ref::<api::Error>() {
        return of_api(error);
    }
    if let Some(manifests::Error::Unreachable { failure, .. }) = error.downcast_ref() {
        return of_api(&api::Error::Failure(failure.clone()));
    }
    // In kubectl, an aggregate inside an aggregate gets no prefix.
    if let Some(ListErrors(errors)) = error.downcast_ref() {
        return Sentence::Whole(errors.join("\n"));
    }
    match error.downcast_ref::<WaitError>() {
        Some(WaitError::Api(error)) => return of_api(error),
        Some(error) => return Sentence::Bare(error.to_string()),
        None => {}
    }
    match error.downcast_ref::<ConfigError>() {
        Some(error) if error.is_whole_text() => Sentence::Whole(error.to_string()),
        _ => Sentence::Bare(format!("{error:#}")),
    }
}

fn of_api(error: &api::Error) -> Sentence {
    match error {
        api::Error::Status(status) => of_status(status),
        api::Error::Failure(failure) => match &failure.kind {
            FailureKind::Refused(authority) => Sentence::Whole(format!(
                "The connection to the server {authority} was refused - did you specify the right host or port?"
            )),
            FailureKind::Lost | FailureKind::Connection | FailureKind::UnknownAuthority => {
                Sentence::Whole(format!("Unable to connect to the server: {}", failure.text))
            }
            FailureKind::Body { .. } | FailureKind::TooLarge { .. } => {
                Sentence::Bare(failure.text.clone())
            }
        },
        api::Error::NoCredentials(error) => sentence(error),
        api::Error::Unreadable(text) => Sentence::Bare(text.clone()),
    }
}

fn of_status(status: &Status) -> Sentence {
    let Status { reason, message, .. } = status;
    match reason.as_str() {
        "Unauthorized" => {
            Sentence::Bare(format!("You must be logged in to the server ({message})"))
        }
        "Invalid" => Sentence::Whole(of_invalid(status)),
        "" => Sentence::Whole(format!("Error from server: {message}")),
        reason => Sentence::Whole(format!("Error from server ({reason}): {message}")),
    }
}

fn of_invalid(status: &Status) -> String {
    let details = status.details.clone().unwrap_or_default();
    if details.kind.is_empty() && details.name.is_empty() {
        return format!("The request is invalid: {}", status.message);
    }
    let subject = format!("The {} \"{}\" is invalid", details.kind, details.name);
    let mut causes: Vec<String> = Vec::new();
    for cause in &details.causes {
        let text = format!("{}: {}", cause.field, cause.message);
        if !causes.contains(&text) {
            causes.push(text);
        }
    }
    match causes.as_slice() {
        [] => subject,
        [only] => format!("{subject}: {only}"),
        several => format!("{subject}: \n* {}", several.join("\n* ")),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::cluster::api::{Cause, Details, Failure};

    fn status(reason: &str, message: &str, details: Option<Details>) -> Error {
        let mut status = Status::default();
        status.details = details;
        (status.reason, status.message) = (reason.into(), message.into());
        api::Error::Status(Box::new(status)).into()
    }

    fn details(causes: &[&str]) -> Option<Details> {
        let cause =
            |message: &&str| Cause { field: "spec.replicas".into(), message: (*message).into() };
        let causes = causes.iter().map(cause).collect();
        Some(Details { kind: "Scale".into(), name: "a".into(), causes })
    }

    #[test]
    fn a_single_error_gets_the_sentence_of_kubectl() {
        let refused =
            Failure { kind: FailureKind::Refused("h:1".into()), text: String::new(), sent: false };
        let lost = Failure { kind: FailureKind::Connection, text: "EOF".into(), sent: true };
        for (error, expected) in [
            (anyhow!("oops"), "error: oops\n"),
            (anyhow!("error: oops"), "error: oops\n"),
            (status("NotFound", "m", None), "Error from server (NotFound): m\n"),
            (status("", "m", None), "Error from server: m\n"),
            (status("Unauthorized", "m", None), "error: You must be logged in to the server (m)\n"),
            (status("Invalid", "m", None), "The request is invalid: m\n"),
            (status("Invalid", "m", Some(Details::default())), "The request is invalid: m\n"),
            (status("Invalid", "m", details(&[])), "The Scale \"a\" is invalid\n"),
            (
                status("Invalid", "m", details(&["x", "x"])),
                "The Scale \"a\" is invalid: spec.replicas: x\n",
            ),
            (
                status("Invalid", "m", details(&["x", "y"])),
                "The Scale \"a\" is invalid: \n* spec.replicas: x\n* spec.replicas: y\n",
            ),
            (
                api::Error::Failure(refused).into(),
                "The connection to the server h:1 was refused - did you specify the right host or port?\n",
            ),
            (
                ScaleError::AnswerLost {
                    cause: api::Error::Failure(lost),
                    known_state: "still 1".into(),
                }
                .into(),
                "Unable to connect to the server: EOF\nstill 1\n",
            ),
        ] {
            assert_eq!(render(&Failed::all(vec![error])), expected);
        }
    }

    #[test]
    fn several_errors_get_no_prefix() {
        let failed = Failed::all(vec![anyhow!("one"), status("NotFound", "two", None)]);
        assert_eq!(render(&failed), "one\nError from server (NotFound): two\n");
    }
}
