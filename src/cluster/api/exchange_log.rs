//! The log of one request and its reply, without the credentials.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{HeaderMap, HeaderValue};

use super::Trace;
use super::connect::RemoteAddress;
use super::trace::Exchange;
use crate::text::terminal::{MASK, conceal};

#[derive(Clone, Copy)]
pub struct Timing {
    pub took: Duration,
    pub connecting: Option<Duration>,
}

/// The log of one request and its reply.
pub struct ExchangeLog<'a> {
    pub trace: Trace,
    pub verb: &'a str,
    pub url: &'a str,
}

impl ExchangeLog<'_> {
    pub fn request(&self, headers: &HeaderMap, body: &[u8]) {
        if self.trace.shows(7) {
            self.trace.request(self.verb, self.url, &shown(headers), body);
        }
    }

    pub fn response(&self, response: &reqwest::Response, timing: Timing) {
        if !self.trace.shows(6) {
            return;
        }
        if let (Some(_), Some(RemoteAddress(address))) =
            (timing.connecting, response.extensions().get())
        {
            self.trace.connected(&address.to_string());
        }
        self.exchange(&response.status().to_string(), &shown(response.headers()), timing);
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

/// The headers as the log shows them. client-go masks `Authorization` in the same form.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
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
        false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// Masks the credential of this header in all later output, even if the server repeats it.
pub fn conceal_credential(authorization: &HeaderValue) {
    let Ok(value) = std::str::from_utf8(authorization.as_bytes()) else { return };
    let credential = value.split_once(' ').map_or(value, |(_, credential)| credential);
    conceal(credential);
    conceal_password(credential);
}

/// Masks the password of basic authentication, which the header only encodes.
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
    use crate::text::terminal::printable;

    #[test]
    fn the_credential_is_masked_in_its_header_and_wherever_it_is_repeated() {
        let mut header = HeaderValue::from_static("Bearer abcdefgh12345");
        header.set_sensitive(true);
        conceal_credential(&header);
        conceal_credential(&HeaderValue::from_static("Basic bWU6cGFzcy13b3JkLW9mLW1l"));
        let headers = HeaderMap::from_iter([(AUTHORIZATION, header)]);
        assert_eq!(shown(&headers), [("authorization".to_owned(), "Bearer <masked>".to_owned())]);
        assert_eq!(
            printable("token abcdefgh12345, bWU6cGFzcy13b3JkLW9mLW1l, pass-word-of-me"),
            "token <masked>, <masked>, <masked>"
        );
    }
}
