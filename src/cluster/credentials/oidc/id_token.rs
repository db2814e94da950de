//! The expiry of an id-token (a JSON Web Token). The API server verifies the signature.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, alphabet::URL_SAFE, engine::general_purpose};
use serde_json::Value;

/// The time before the expiry at which a token is renewed, as in client-go's oidc provider.
const RENEWAL_MARGIN: Duration = Duration::from_secs(10);

/// The rules of Go's `RawURLEncoding`: no padding, and stray trailing bits are ignored.
const ENGINE: general_purpose::GeneralPurpose = general_purpose::GeneralPurpose::new(
    &URL_SAFE,
    general_purpose::NO_PAD.with_decode_allow_trailing_bits(true),
);

/// True if `token` is valid for more than the renewal margin. A token without an expiry is not
/// valid.
///
/// # Errors
/// The text is not an id-token. The message is kubectl's and does not show the text.
pub(super) fn is_valid(token: &str) -> Result<bool, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(expiry(token)? > (now + RENEWAL_MARGIN).as_secs_f64())
}

/// The `exp` claim, in seconds since 1970.
fn expiry(token: &str) -> Result<f64, String> {
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("ID Token is not a valid JWT".to_owned());
    };
    let claims = ENGINE.decode(claims).map_err(|_| {
        let is_digit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        // Go reports the start of an incomplete last group.
        let at = claims.find(|c| !is_digit(c)).unwrap_or(claims.len() / 4 * 4);
        format!("illegal base64 data at input byte {at}")
    })?;
    let bad = |what: &str| format!("parsing claims: {what}");
    let claims: Value = serde_json::from_slice(&claims).map_err(|_| bad("invalid JSON"))?;
    match claims.get("exp") {
        None | Some(Value::Null) if claims.is_object() || claims.is_null() => Ok(0.0),
        Some(Value::Number(seconds)) => Ok(seconds.as_f64().unwrap_or_default().trunc()),
        Some(Value::String(seconds)) => {
            seconds.parse().map(f64::trunc).map_err(|_| bad("exp is not a number"))
        }
        Some(_) => Err(bad("exp is not a number")),
        None => Err(bad("they are not an object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.x", ENGINE.encode(claims))
    }

    #[test]
    fn a_token_is_valid_until_ten_seconds_before_its_expiry() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let table = [
            ((now + 60).to_string(), true),
            (format!("\"{}\"", now + 60), true),
            (format!("{}.5", now + 60), true),
            ("4.1e9".into(), true),
            ((now + 8).to_string(), false),
            ("1000".into(), false),
            ("null".into(), false),
        ];
        for (exp, expected) in table {
            assert_eq!(is_valid(&jwt(&format!("{{\"exp\":{exp}}}"))), Ok(expected), "{exp}");
        }
        assert_eq!(is_valid(&jwt("{}")), Ok(false));
    }

    #[test]
    fn the_error_about_an_invalid_token_does_not_show_it() {
        let table = [
            ("s3cret".to_owned(), "ID Token is not a valid JWT"),
            ("s3cret.b.c.d".into(), "ID Token is not a valid JWT"),
            ("s3cret.a=b.c".into(), "illegal base64 data at input byte 1"),
            ("s3cret.e30xy.c".into(), "illegal base64 data at input byte 4"),
            ("s3cret.e30=.c".into(), "illegal base64 data at input byte 3"),
            (jwt("s3cret"), "parsing claims: invalid JSON"),
            (jwt("[\"s3cret\"]"), "parsing claims: they are not an object"),
            (jwt("{\"exp\":\"s3cret\"}"), "parsing claims: exp is not a number"),
        ];
        for (token, expected) in table {
            assert_eq!(is_valid(&token), Err(expected.to_owned()), "{token}");
        }
    }
}
