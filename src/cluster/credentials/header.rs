//! The `Authorization` header. Neither `Debug` nor an error shows it.

use anyhow::{Result, anyhow};
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::header::HeaderValue;

/// `Bearer <token>`. As in Go, a token may have characters beyond ASCII, which are sent as UTF-8.
///
/// # Errors
/// The token has a control character, such as a line break, which a header cannot carry.
pub(super) fn bearer(token: &str, user: &str) -> Result<HeaderValue> {
    let value = format!("Bearer {token}");
    let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
        anyhow!(
            "the bearer token of user {user:?} has a character that an HTTP header cannot carry, \
             such as a line break"
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// `Basic <base64 of name:password>`. A password may be empty.
///
/// # Errors
/// None in practice: a header can carry any base64 text.
pub(super) fn basic(username: &str, password: &str) -> Result<HeaderValue> {
    let pair = BASE64_STANDARD.encode(format!("{username}:{password}"));
    let mut value = HeaderValue::from_str(&format!("Basic {pair}"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_sensitive_and_exact() {
        let header = bearer("abc", "u").unwrap();
        assert_eq!(header.to_str().unwrap(), "Bearer abc");
        assert!(!format!("{header:?}").contains("abc"));
        assert_eq!(bearer("pä", "u").unwrap().as_bytes(), "Bearer pä".as_bytes());
        assert_eq!(basic("me", "pä").unwrap().to_str().unwrap(), "Basic bWU6cMOk");
        assert_eq!(basic("me", "").unwrap().to_str().unwrap(), "Basic bWU6");
    }

    #[test]
    fn the_error_about_a_token_does_not_show_it() {
        for token in ["s3cret\n", "s3\u{7f}cret"] {
            let err = bearer(token, "u").unwrap_err().to_string();
            assert!(err.contains("user \"u\"") && !err.contains("s3"), "{err}");
        }
    }
}
