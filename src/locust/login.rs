//! Credentials for Locust.

use reqwest::header::HeaderValue;

use crate::cluster::api::Authorities;

/// Credentials for Locust, or for a proxy in front of it. The flags for them need a URL, because the API
/// server would see them on the way through its proxy.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// The `Cookie` header.
    pub cookie: Option<HeaderValue>,
    /// The `Authorization` header.
    pub authorization: Option<HeaderValue>,
    /// The certificate authorities that may sign Locust's certificate; `None` for the system's.
    pub authorities: Option<Authorities>,
}
