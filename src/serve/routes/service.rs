//! Health, metrics, samples, the OpenAPI document, and the files of the page.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::super::app::App;
use super::super::metrics;
use super::super::page::ASSETS;
use super::super::problem::Problem;
use super::super::samples::Sample;
use super::super::snapshot::ConnectionState;
use super::scale::json;

const OPENAPI: &str = include_str!("../assets/openapi.json");

/// Liveness: the process runs.
pub(super) async fn healthz() -> Response {
    text(StatusCode::OK, "ok\n")
}

/// Readiness: the page has something to show. It stays ready while the cluster does not answer, because
/// the page shows that.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let link = app.backend.live.now().snapshot.connection.state;
    match (*app.is_stopping.borrow(), link) {
        (true, _) => text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
        (_, ConnectionState::Connecting) => text(StatusCode::SERVICE_UNAVAILABLE, "connecting\n"),
        (_, ConnectionState::Connected) => text(StatusCode::OK, "ok\n"),
        (_, ConnectionState::Lost) => text(StatusCode::OK, "ok, but the cluster does not answer\n"),
        (_, ConnectionState::Refused) => {
            text(StatusCode::OK, "ok, but the API server denies access\n")
        }
        (_, ConnectionState::TargetMissing) => {
            text(StatusCode::OK, "ok, but the target does not exist\n")
        }
    }
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    match app.metrics.text(&app.backend.live.now().snapshot) {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            let detail = format!("The metrics cannot be created: {error}");
            let code = StatusCode::INTERNAL_SERVER_ERROR;
            Problem::new(code, "InternalError", detail).into_response()
        }
    }
}

/// The last hour in numbers, for the chart of the page.
#[derive(Serialize)]
struct SamplesReply {
    samples: Vec<Sample>,
}

pub(super) async fn samples(State(app): State<Arc<App>>) -> Response {
    json(&SamplesReply { samples: app.samples.all() })
}

pub(super) async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// One of the files of the page. Browsers revalidate them with their ETag.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("assets/{name}");
    let Some(asset) = ASSETS.iter().find(|asset| asset.path == path) else {
        return unknown().await;
    };
    let tag = tag(asset.body);
    let is_known = headers.get(IF_NONE_MATCH).is_some_and(|known| *known == tag);
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(CONTENT_TYPE, asset.content_type)], asset.body).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn tag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn text(code: StatusCode, text: &'static str) -> Response {
    (code, [(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// The answer to a path without a route.
pub(super) async fn unknown() -> Response {
    let detail = "There is no page at this address; /api/openapi.json lists the addresses.";
    Problem::new(StatusCode::NOT_FOUND, "NotFound", detail).into_response()
}
