//! The response of a token endpoint: tokens, or an error of RFC 6749, as JSON or as a form.

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::form_urlencoded::{self, byte_serialize};

use crate::text::go;

/// The length of an excerpt of a response, in bytes. kubectl shows as much of a discovery document.
const EXCERPT_LENGTH: usize = 80;

/// The secrets that no message may show.
#[derive(Default)]
pub(super) struct Secrets(pub Vec<SecretString>);

/// The tokens of a successful response.
pub(super) struct TokenResponse {
    pub id: Option<SecretString>,
    pub refresh: Option<SecretString>,
}

impl TokenResponse {
    /// Reads a response.
    ///
    /// # Errors
    /// The text of golang.org/x/oauth2. It shows at most the start of the response, and no secret.
    pub fn parse(
        status: StatusCode,
        content_type: &str,
        body: &[u8],
        secrets: &Secrets,
    ) -> Result<Self, String> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let is_form = ["application/x-www-form-urlencoded", "text/plain"]
            .iter()
            .any(|form| media_type.eq_ignore_ascii_case(form));
        let fields = if is_form { Fields::from_form(body) } else { Fields::from_json(body) };
        let is_failure = !status.is_success();
        let cannot_fetch = || {
            let status = status_text(status);
            let start = excerpt(body, secrets);
            format!("oauth2: cannot fetch token: {status}\nResponse: {start}")
        };
        let fields = match fields {
            Ok(fields) => fields,
            Err(_) if is_failure => return Err(cannot_fetch()),
            Err(problem) => return Err(problem),
        };
        if let Some(code) = fields.get("error") {
            let details = [code].into_iter();
            let details = details.chain(fields.get("error_description"));
            let details = details.chain(fields.get("error_uri"));
            return Err(details.fold("oauth2:".to_owned(), |text, detail| {
                text + " " + &excerpt(detail.as_bytes(), secrets)
            }));
        }
        if is_failure {
            return Err(cannot_fetch());
        }
        if fields.get("access_token").is_none() {
            return Err("oauth2: server response missing access_token".to_owned());
        }
        let secret = |name: &str| fields.get(name).map(SecretString::from);
        Ok(Self { id: secret("id_token"), refresh: secret("refresh_token") })
    }
}

/// Not `Debug`: it holds secrets.
struct Fields(Value);

impl Fields {
    fn from_json(body: &[u8]) -> Result<Self, String> {
        match serde_json::from_slice(body) {
            Ok(fields @ Value::Object(_)) => Ok(Self(fields)),
            Ok(_) => Err("oauth2: cannot parse json: it is not an object".to_owned()),
            Err(err) => Err(format!(
                "oauth2: cannot parse json: invalid at line {}, column {}",
                err.line(),
                err.column()
            )),
        }
    }

    fn from_form(body: &[u8]) -> Result<Self, String> {
        let pairs = form_urlencoded::parse(body);
        let fields = pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into()));
        Ok(Self(Value::Object(fields.collect())))
    }

    /// A field with text in it.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }
}

impl Secrets {
    /// Replaces the secrets in a text, in case the issuer has sent them back.
    fn removed_from(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.0.iter().map(|secret| secret.expose_secret()) {
            let encoded: String = byte_serialize(secret.as_bytes()).collect();
            for form in [secret, &encoded].into_iter().filter(|form| !form.is_empty()) {
                text = text.replace(form, "[REDACTED]");
            }
        }
        text
    }
}

/// The start of a response, quoted because it may contain any character.
pub(super) fn excerpt(body: &[u8], secrets: &Secrets) -> String {
    // Secrets are removed first: after the cut, half a secret would not be found.
    let mut text = secrets.removed_from(&String::from_utf8_lossy(body));
    if text.len() > EXCERPT_LENGTH {
        text.truncate(text.floor_char_boundary(EXCERPT_LENGTH));
        text += "...";
    }
    go::quote(&text)
}

/// The status as in Go's `Response.Status`: `404 Not Found`.
pub(super) fn status_text(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    format!("{} {reason}", status.as_u16()).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(status: u16, content_type: &str, body: &str) -> Result<TokenResponse, String> {
        let secrets = Secrets(vec!["refr+sh".into(), SecretString::default()]);
        let status = StatusCode::from_u16(status).unwrap();
        TokenResponse::parse(status, content_type, body.as_bytes(), &secrets)
    }

    #[test]
    fn tokens_come_as_json_or_as_a_form() {
        let id = |content_type, body| {
            let answer = parse(200, content_type, body).ok().unwrap();
            answer.id.unwrap().expose_secret().to_owned()
        };
        let json = r#"{"access_token":"a","id_token":"i","expires_in":"3600"}"#;
        assert_eq!(id("application/json", json), "i");
        assert_eq!(id("", json), "i");
        assert_eq!(id("text/plain; charset=utf-8", "access_token=a&id_token=i"), "i");
        let answer = parse(200, "", r#"{"access_token":"a","id_token":7}"#).ok().unwrap();
        assert!(answer.id.is_none() && answer.refresh.is_none());
    }

    #[test]
    fn errors_have_the_words_of_oauth2_and_no_secret() {
        let long = "x".repeat(2000);
        let table = [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"bad refr+sh"}"#.to_owned(),
                r#"oauth2: "invalid_grant" "bad [REDACTED]""#.to_owned(),
            ),
            (200, r#"{"error":"x","error_uri":"u"}"#.into(), r#"oauth2: "x" "u""#.into()),
            (200, "{}".into(), "oauth2: server response missing access_token".into()),
            (
                200,
                "refr+sh".into(),
                "oauth2: cannot parse json: invalid at line 1, column 1".into(),
            ),
            (200, "[]".into(), "oauth2: cannot parse json: it is not an object".into()),
            (
                502,
                "<b>refr%2Bsh\u{1b}[0m".into(),
                "oauth2: cannot fetch token: 502 Bad Gateway\n\
                 Response: \"<b>[REDACTED]\\x1b[0m\""
                    .into(),
            ),
            (
                401,
                long,
                format!(
                    "oauth2: cannot fetch token: 401 Unauthorized\nResponse: \"{}...\"",
                    "x".repeat(80)
                ),
            ),
        ];
        for (status, body, expected) in table {
            assert_eq!(parse(status, "", &body).err(), Some(expected), "{body}");
        }
        assert_eq!(parse(400, "text/plain", "error=no").err().as_deref(), Some("oauth2: \"no\""));
    }
}
