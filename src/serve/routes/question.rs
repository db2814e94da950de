//! `/api/question`: the question before a change, for the page and the panel.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::super::app::App;
use super::super::problem::Problem;
use super::super::question::Question;
use super::super::test_before::TestBefore;
use super::scale::json;
use super::scale_input::{bad, count};

#[derive(Serialize)]
struct QuestionReply {
    /// The body of the PUT that makes the change.
    order: ConfirmedOrder,
    /// The question that a person must confirm first; `None` if the change needs none.
    question: Option<ShownQuestion>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfirmedOrder {
    replicas: i32,
    /// The number of replicas in the question. The change is valid only for this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_replicas: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ignore_locust: bool,
}

#[derive(Serialize)]
struct ShownQuestion {
    title: String,
    text: String,
    /// The change removes all workers.
    dangerous: bool,
}

/// The query parameters.
#[derive(Debug, PartialEq, Eq)]
struct Parameters {
    replicas: i32,
    /// The dialog is already open, so the reply must contain a question.
    is_asked: bool,
}

pub(super) async fn question(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    let Parameters { replicas: new, is_asked } =
        match parameters(query.as_deref().unwrap_or_default()) {
            Ok(parameters) => parameters,
            Err(problem) => return problem.into_response(),
        };
    let test = match app.look_for_question().await {
        Ok(test) => test,
        Err(problem) => return problem.into_response(),
    };
    let snapshot = &app.backend.live.now().snapshot;
    let old = snapshot.replicas.map(|replicas| replicas.desired);
    let policy = app.backend.locust.rebalance;
    let question = match is_asked {
        true => Some(Question::after_conflict(old, new, &test, policy)),
        false => Question::of(snapshot.limits, old, new, &test, policy),
    };
    let is_conditional = question.is_some() || matches!(test, TestBefore::Running(_));
    let order = ConfirmedOrder {
        replicas: new,
        current_replicas: old.filter(|_| is_conditional),
        ignore_locust: question.as_ref().is_some_and(Question::ignores_locust),
    };
    let question = question.map(|question| ShownQuestion {
        title: question.title(&snapshot.target.name),
        text: question.text(),
        dangerous: question.is_dangerous(),
    });
    json(&QuestionReply { order, question })
}

fn parameters(query: &str) -> Result<Parameters, Problem> {
    let (mut replicas, mut is_asked) = (None, false);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match (&*name, &*value) {
            ("replicas", number) if replicas.is_none() => {
                let number = number.parse().map_err(|_| bad("replicas must be a whole number."))?;
                replicas = Some(count(number)?);
            }
            ("asked", "true") => is_asked = true,
            ("asked", "false") => is_asked = false,
            _ => return Err(bad("The parameters are replicas and asked, each at most once.")),
        }
    }
    let replicas = replicas.ok_or_else(|| bad("The parameter replicas is missing."))?;
    Ok(Parameters { replicas, is_asked })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_needs_a_number_of_replicas() {
        let read = |query: &str| parameters(query).map_err(|problem| problem.status().as_u16());
        for (query, expected) in [
            ("replicas=3", Ok(Parameters { replicas: 3, is_asked: false })),
            ("replicas=0&asked=true", Ok(Parameters { replicas: 0, is_asked: true })),
            ("replicas=3&replicas=4", Err(400)),
            ("replicas=-1", Err(422)),
            ("replicas=x", Err(400)),
            ("asked=true", Err(400)),
            ("replicas=3&x=1", Err(400)),
            ("", Err(400)),
        ] {
            assert_eq!(read(query), expected, "{query}");
        }
    }
}
