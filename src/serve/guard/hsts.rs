//! Strict-Transport-Security (RFC 6797), for a server with its own certificate.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::middleware::Next;
use axum::response::Response;

use super::host::is_host_name;
use super::request::host_of;

/// One year. Subdomains are other servers, so they are not included.
const POLICY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The middleware that adds `Strict-Transport-Security` to all responses: browsers then use only TLS for
/// this host name. An IP address cannot have the policy, and `localhost` has many servers without TLS.
pub async fn add_hsts(request: Request, next: Next) -> Response {
    let is_named = host_of(&request).is_ok_and(is_host_name);
    let mut response = next.run(request).await;
    if is_named {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, POLICY);
    }
    response
}
