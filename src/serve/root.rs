//! Where our addresses begin, seen from the one that was asked for.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// What stands before each link of a page: nothing where it is among our addresses itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Root(pub &'static str);

impl<S: Sync> FromRequestParts<S> for Root {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or_default())
    }
}
