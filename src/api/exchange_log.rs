//! The log of one exchange, without the secret that went along with it.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{HeaderMap, HeaderValue};

use super::Trace;
use super::trace::Exchange;
use crate::terminal::{MASK, conceal};

#[derive(Clone, Copy)]
pub struct Timing {
    pub took: Duration,
    pub connecting: Option<Duration>,
}

/// The log of one exchange.
pub struct Log<'a> {
    pub trace: Trace,
    pub verb: &'a str,
    pub url: &'a str,
}

impl Log<'_> {
    pub fn request(&self, headers: &HeaderMap, body: &[u8], secret: &Secret) {
        if self.trace.is_on(7) {
            self.trace.request(self.verb, self.url, &shown(headers, secret), body);
        }
    }

    pub fn response(&self, response: &reqwest::Response, timing: Timing, secret: &Secret) {
        if !self.trace.is_on(6) {
            return;
        }
        if let (Some(_), Some(address)) = (timing.connecting, response.remote_addr()) {
            self.trace.connected(&address.to_string());
        }
        self.exchange(&response.status().to_string(), &shown(response.headers(), secret), timing);
    }

    pub fn failure(&self, timing: Timing) {
        self.exchange("", &[], timing);
    }

    fn exchange(&self, status: &str, headers: &[(String, String)], timing: Timing) {
        let Timing { took, connecting } = timing;
        let (verb, url) = (self.verb, self.url);
        self.trace.response(&Exchange { verb, url, status, headers, took, connecting });
    }
}

/// Headers for the log; client-go masks `Authorization` in the same form.
fn shown(headers: &HeaderMap, secret: &Secret) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| match value.is_sensitive() {
        true => {
            let scheme = value.as_bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
            match scheme {
                b"Bearer" | b"Basic" | b"Negotiate" => {
                    format!("{} {MASK}", String::from_utf8_lossy(scheme))
                }
                _ => MASK.to_owned(),
            }
        }
        false => String::from_utf8_lossy(&secret.masked(value.as_bytes().to_vec())).into_owned(),
    };
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// What must not be shown even if the server repeats it: the credential in `Authorization`.
pub struct Secret(Vec<u8>);

impl Secret {
    pub fn of(authorization: Option<&HeaderValue>) -> Self {
        let value = authorization.map(HeaderValue::as_bytes).unwrap_or_default();
        let start = value.iter().position(|byte| *byte == b' ').map_or(0, |space| space + 1);
        let secret = &value[start..];
        if let Ok(text) = std::str::from_utf8(secret) {
            conceal(text);
            conceal_password(text);
        }
        Self(secret.to_vec())
    }

    /// The text with the secret blacked out. Very short ones are left: they would also black
    /// out what only looks like them.
    pub fn masked(&self, text: Vec<u8>) -> Vec<u8> {
        const SHORTEST: usize = 8;
        let length = self.0.len();
        if length < SHORTEST || !text.windows(length).any(|part| part == self.0) {
            return text;
        }
        let mut masked = Vec::with_capacity(text.len());
        let mut rest = text.as_slice();
        while let Some(at) = rest.windows(length).position(|part| part == self.0) {
            masked.extend_from_slice(&rest[..at]);
            masked.extend_from_slice(MASK.as_bytes());
            rest = &rest[at + length..];
        }
        masked.extend_from_slice(rest);
        masked
    }
}

/// Basic authentication only encodes the password.
fn conceal_password(pair: &str) {
    let decoded = BASE64_STANDARD.decode(pair).ok().and_then(|pair| String::from_utf8(pair).ok());
    if let Some((_, password)) = decoded.as_deref().and_then(|pair| pair.split_once(':')) {
        conceal(password);
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::AUTHORIZATION;

    use super::*;

    #[test]
    fn a_credential_that_the_server_repeats_is_blacked_out() {
        let mut header = HeaderValue::from_static("Bearer abcdefgh12345");
        header.set_sensitive(true);
        let secret = Secret::of(Some(&header));
        let body = b"token abcdefgh12345, again abcdefgh12345!".to_vec();
        assert_eq!(secret.masked(body), b"token <masked>, again <masked>!");
        assert_eq!(Secret::of(None).masked(b"x".to_vec()), b"x");
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, header);
        headers.insert("x-echo", HeaderValue::from_static("abcdefgh12345"));
        let shown = shown(&headers, &secret);
        assert!(shown.contains(&("authorization".into(), "Bearer <masked>".into())), "{shown:?}");
        assert!(shown.contains(&("x-echo".into(), "<masked>".into())), "{shown:?}");
    }
}
