//! Handles one HTTP request: reads it, records it, applies faults, and responds.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Request, Response, StatusCode, Version,
    body::Incoming,
    header::{CONTENT_DISPOSITION, HeaderName, HeaderValue, LOCATION, WARNING},
    http::request::Parts,
};
use tokio::{sync::Notify, time::timeout};

use super::{
    body::Body,
    dispatch::{self, ApiResponse},
    faults::{self, Action},
    object,
    proxied::Proxied,
    routes::{self, RequestInfo},
    shared::{ClusterState, RecordedRequest, Shared},
    status::{Failure, FailureBody},
    store::Key,
};

/// The limit of a real API server.
const MAX_BODY: usize = 3 * 1024 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
const REMEMBERED_BODY: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Connection {
    pub number: u64,
    /// Closes the connection immediately.
    pub kill: Notify,
    /// The client's certificate, DER.
    pub certificate: Option<Vec<u8>>,
    /// The name that the client asked for in the TLS handshake (SNI).
    pub server_name: Option<String>,
}

/// Responds to one request.
pub(super) async fn serve(
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = read(body).await;
    let whole = body.as_ref().cloned().unwrap_or_default();
    let (number, action, latency, mut cleared) = {
        let mut state = shared.lock();
        let recorded = recorded_request(&parts, &whole, &connection);
        let action = faults::take(&mut state.faults, &recorded.method, &recorded.path_and_query);
        (state.record(recorded), action, state.latency, state.faults_cleared.subscribe())
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    match &action {
        Some(Action::Delay(time)) => tokio::time::sleep(*time).await,
        // The sender lives as long as the cluster.
        Some(Action::Hold) => _ = cleared.changed().await,
        Some(Action::CloseBefore) => return kill(&connection).await,
        _ => {}
    }
    let mut response = match (&action, body) {
        (Some(Action::Answer { status, headers, body }), _) => ordered(*status, headers, body),
        (Some(Action::Oversized(size)), _) => json_response(200, Body::Filler(*size)),
        (_, Err(failure)) => refusal(&failure),
        (_, Ok(body)) => respond(&shared, &connection, &parts, &body, action.as_ref()),
    };
    match action {
        Some(Action::CloseAfter) => return kill(&connection).await,
        Some(Action::DelayAnswer(time)) => tokio::time::sleep(time).await,
        Some(Action::HoldAnswer) => _ = cleared.changed().await,
        Some(Action::TruncatedBody) => response = truncated(response),
        Some(Action::HoldWatch(time)) => response = held_back(response, time),
        Some(Action::EndWatch(time)) => response = ending(response, time, false),
        Some(Action::BreakWatch(time)) => response = ending(response, time, true),
        Some(Action::AnswerAfter(status)) => response = ordered(status, &[], b"gave up waiting"),
        _ => {}
    }
    if parts.method == hyper::Method::HEAD {
        *response.body_mut() = Body::Whole(Bytes::new());
    }
    shared.lock().answered(number, response.status().as_u16());
    Ok(response)
}

async fn kill(connection: &Connection) -> Result<Response<Body>, Infallible> {
    connection.kill.notify_one();
    std::future::pending().await
}

async fn read(body: Incoming) -> Result<Bytes, Failure> {
    match timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Failure::too_large(MAX_BODY)),
        Ok(Err(_)) => Err(Failure::bad_request("unexpected EOF")),
        Err(_) => {
            Err(Failure::new(408, "Timeout", "the request's body did not arrive in time", None))
        }
    }
}

fn recorded_request(parts: &Parts, body: &Bytes, connection: &Connection) -> RecordedRequest {
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    RecordedRequest {
        method: parts.method.to_string(),
        path_and_query: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: parts.headers.iter().map(header).collect(),
        body: body[..body.len().min(REMEMBERED_BODY)].to_vec(),
        connection: connection.number,
        server_name: connection.server_name.clone(),
        http2: parts.version == Version::HTTP_2,
        status: None,
        number: 0,
    }
}

fn respond(
    shared: &Arc<Shared>,
    connection: &Connection,
    parts: &Parts,
    body: &[u8],
    action: Option<&Action>,
) -> Response<Body> {
    let info =
        routes::read(parts.method.as_str(), parts.uri.path(), parts.uri.query().unwrap_or(""));
    let mut deprecation = None;
    let answer = {
        let mut state = shared.lock();
        match action {
            Some(Action::Rival(replicas)) => rival(&mut state, &info, |_| *replicas),
            Some(Action::RivalIncrement) => rival(&mut state, &info, |replicas| replicas + 1),
            _ => {}
        }
        let caller = state.accounts.authenticate(&parts.headers, connection.certificate.as_deref());
        caller.and_then(|caller| {
            caller.authorize(&info)?;
            deprecation = deprecation_of(&state, &info);
            dispatch::answer(&mut state, &parts.headers, &info, parts.method.as_str(), body)
        })
    };
    let mut response = match answer {
        Ok(ApiResponse::Json(code, value)) => {
            json_response(code, Body::Whole(value.to_string().into()))
        }
        Ok(ApiResponse::Text(text)) => plain(200, text),
        Ok(ApiResponse::Aggregated(value)) => aggregated(&value.to_string()),
        Ok(ApiResponse::Proxied(answer)) => proxied(answer),
        Ok(ApiResponse::Watch(watch)) => {
            let (sender, lines) = tokio::sync::mpsc::channel(16);
            tokio::spawn(watch.run(Arc::clone(shared), sender));
            json_response(200, Body::Lines(lines))
        }
        Err(failure) => refusal(&failure),
    };
    if let Some(warning) = deprecation
        && let Ok(value) = HeaderValue::from_str(&format!("299 - \"{warning}\""))
    {
        response.headers_mut().insert(WARNING, value);
    }
    response
}

fn deprecation_of(state: &ClusterState, info: &RequestInfo) -> Option<&'static str> {
    let target = info.target.as_ref()?;
    let kind = state.types.find(&target.group, &target.version, &target.resource)?;
    kind.custom?.deprecation
}

/// Another client scales the object that this request addresses.
fn rival(state: &mut ClusterState, info: &RequestInfo, count: impl Fn(i64) -> i64) {
    let Some(target) = &info.target else { return };
    let found = state.types.find(&target.group, &target.version, &target.resource);
    let Some(kind) = found else { return };
    let namespace = target.namespace.as_deref().unwrap_or("");
    let key = Key::new(kind.stored_as(), namespace, target.name.as_deref().unwrap_or(""));
    if let Some(present) = state.store.get(&key) {
        let field = kind.count();
        let count = count(present["spec"][field].as_i64().unwrap_or(0));
        let scaled = object::with_count(present, field, count);
        state.store.put(&key, scaled);
    }
}

fn response(code: u16, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert("cache-control", HeaderValue::from_static("no-cache, private"));
    headers.insert("content-type", HeaderValue::from_static(content_type));
    response
}

fn proxied(answer: Proxied) -> Response<Body> {
    let body = Body::Whole(answer.body.into());
    let mut response = response(answer.status, answer.media_type, body);
    let disposition = answer.disposition.and_then(|text| HeaderValue::from_str(&text).ok());
    if let Some(value) = disposition {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    if let Some(value) = answer.location.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(LOCATION, value);
    }
    response
}

fn json_response(code: u16, body: Body) -> Response<Body> {
    response(code, "application/json", body)
}

fn plain(code: u16, text: &'static str) -> Response<Body> {
    let mut response = response(
        code,
        "text/plain; charset=utf-8",
        Body::Whole(Bytes::from_static(text.as_bytes())),
    );
    response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

fn aggregated(text: &str) -> Response<Body> {
    const TYPE: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let mut response = response(200, TYPE, Body::Whole(text.to_owned().into()));
    response.headers_mut().insert("cache-control", HeaderValue::from_static("public"));
    response
}

fn refusal(failure: &Failure) -> Response<Body> {
    match &failure.body {
        FailureBody::PlainText(text) => plain(failure.code, text),
        FailureBody::Status(status) => {
            let mut response = json_response(failure.code, Body::Whole(status.to_string().into()));
            if failure.code == 403 {
                let headers: &mut HeaderMap = response.headers_mut();
                headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
            }
            response
        }
    }
}

fn ordered(status: u16, headers: &[(String, String)], body: &[u8]) -> Response<Body> {
    let mut response = Response::new(Body::Whole(Bytes::copy_from_slice(body)));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn held_back(response: Response<Body>, time: Duration) -> Response<Body> {
    response.map(|body| match body {
        Body::Lines(lines) => Body::LinesAfter { lines, begin: Box::pin(tokio::time::sleep(time)) },
        other => other,
    })
}

fn ending(response: Response<Body>, time: Duration, breaks: bool) -> Response<Body> {
    response.map(|body| match body {
        Body::Lines(lines) => {
            let end = Box::pin(tokio::time::sleep(time));
            Body::LinesUntil { lines, end, breaks }
        }
        other => other,
    })
}

fn truncated(response: Response<Body>) -> Response<Body> {
    response.map(|body| match body {
        Body::Whole(bytes) => {
            let first = bytes.slice(..bytes.len() / 2);
            Body::Cut { first, whole: bytes.len() as u64, failed: false }
        }
        other => other,
    })
}
