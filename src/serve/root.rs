//! The path from the requested address to the server's own addresses.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// The prefix of the links of a page. It is empty if the page is at one of the server's own addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Root(pub &'static str);

impl<S: Sync> FromRequestParts<S> for Root {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or_default())
    }
}
