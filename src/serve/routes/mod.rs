//! The routes.

mod events;
mod form;
mod question;
mod rebalance;
mod scale;
mod scale_input;
mod service;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;

use super::app::App;
use super::problem::Problem;

/// All routes except login and logout.
pub(super) fn routes(app: &Arc<App>) -> Router {
    Router::new()
        .route("/", get(form::page).layer(gzip()))
        .route("/rescale-form", get(form::page).layer(gzip()))
        .route("/rescale", get(form::go_to_page).post(form::rescale))
        .route("/api/scale", get(scale::read).put(scale::change))
        .route("/api/question", get(question::question))
        .route("/rebalance", get(form::go_to_page).post(form::rebalance))
        .route("/api/rebalance", post(rebalance::api))
        .route("/api/events", get(events::events))
        .route("/api/samples", get(service::samples).layer(gzip()))
        .route("/api/openapi.json", get(service::openapi).layer(gzip()))
        .route("/assets/{name}", get(service::asset).layer(gzip()))
        .route("/healthz", get(service::healthz))
        .route("/readyz", get(service::readyz))
        .route("/metrics", get(service::metrics))
        .with_state(Arc::clone(app))
}

/// Reads a content as each form of a requested change; for `fuzz/`.
pub(super) fn try_change(content: &[u8]) {
    scale_input::try_change(content);
    form::try_form(content);
}

/// Compresses answers without secrets. With a secret, their length could reveal it (BREACH).
fn gzip() -> CompressionLayer {
    CompressionLayer::new()
}

/// Adds the answers for unknown addresses and methods.
pub(super) fn with_fallbacks(router: Router) -> Router {
    router.fallback(service::unknown).method_not_allowed_fallback(not_allowed)
}

/// Counts all answers in the metrics.
pub(super) fn counted(router: Router, app: &Arc<App>) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::clone(app), count))
}

async fn not_allowed() -> Response {
    let detail =
        "This address does not support the method; the Allow header lists the supported methods.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", detail).into_response()
}

async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| route_label(path.as_str()));
    let (method, began) = (method_label(request.method()), Instant::now());
    let response = next.run(request).await;
    let code = response.status().as_u16();
    app.metrics.request_answered(route.unwrap_or("none"), method, code, began.elapsed());
    response
}

/// The label of a route in the metrics.
fn route_label(path: &str) -> &'static str {
    const ROUTES: [&str; 16] = [
        "/",
        "/rescale-form",
        "/rescale",
        "/api/scale",
        "/api/question",
        "/rebalance",
        "/api/rebalance",
        "/api/events",
        "/api/samples",
        "/api/openapi.json",
        "/assets/{name}",
        "/healthz",
        "/readyz",
        "/metrics",
        "/login",
        "/logout",
    ];
    ROUTES.into_iter().find(|route| *route == path).unwrap_or("none")
}

/// The label of a method in the metrics. Clients can send any method, so unknown ones share a label.
pub(super) fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
