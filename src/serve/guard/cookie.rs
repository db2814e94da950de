//! The session cookie (RFC 6265bis).

use anyhow::Result;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use super::scheme::Scheme;

/// The names of the session cookie. They contain the port, because all ports of a host share their
/// cookies.
#[derive(Debug)]
pub struct SessionCookie {
    /// The name in pages over HTTP.
    plain: String,
    /// The name in pages over HTTPS. Because of `__Host-`, browsers accept the cookie only over HTTPS
    /// and only from this host itself.
    secure: String,
}

impl SessionCookie {
    /// The cookie of a server on this port.
    pub fn new(port: u16) -> Self {
        let plain = format!("locustctl-session-{port}");
        Self { secure: format!("__Host-{plain}"), plain }
    }

    fn name(&self, scheme: Scheme) -> &str {
        match scheme {
            Scheme::Https => &self.secure,
            Scheme::Http | Scheme::Unknown => &self.plain,
        }
    }

    /// The value in a request. Cookies of other servers on this host may have bytes beyond ASCII.
    pub(super) fn value<'a>(&self, headers: &'a HeaderMap, scheme: Scheme) -> Option<&'a str> {
        let name = self.name(scheme).as_bytes();
        let mut cookies = headers.get_all(COOKIE).iter().flat_map(pairs);
        let value = cookies.find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))?;
        std::str::from_utf8(value).ok()
    }

    /// The value of `Set-Cookie`. Scripts cannot read the cookie, and pages of other sites do not send
    /// it. With 0 seconds the browser deletes it.
    pub(super) fn header(&self, scheme: Scheme, value: &str, seconds: u64) -> Result<HeaderValue> {
        let (name, secure) =
            (self.name(scheme), if scheme == Scheme::Https { "; Secure" } else { "" });
        let text =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        Ok(HeaderValue::from_str(&text)?)
    }

    /// True if a `name=value` pair has one of the names.
    pub fn is_pair(&self, pair: &[u8]) -> bool {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
        name == self.plain.as_bytes() || name == self.secure.as_bytes()
    }

    /// True if a browser that stores this `Set-Cookie` could send it as the session cookie.
    pub fn is_set_by(&self, cookie: &HeaderValue) -> bool {
        let pair = pairs(cookie).next().unwrap_or_default();
        // A cookie without a name is sent as its value alone, which may look like a pair.
        self.is_pair(pair.strip_prefix(b"=").unwrap_or(pair))
    }
}

/// The parts between the semicolons of a `Cookie` or a `Set-Cookie` header.
pub fn pairs(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_has_another_name_over_https() {
        let cookie = SessionCookie::new(8088);
        let id = |sent: &'static [u8], scheme| {
            let sent = HeaderValue::from_bytes(sent).unwrap();
            let headers = HeaderMap::from_iter([(COOKIE, sent)]);
            cookie.value(&headers, scheme).map(str::to_owned)
        };
        let both: &[u8] = b"caf\xe9=x; locustctl-session-8088=a;__Host-locustctl-session-8088=b";
        assert_eq!(id(both, Scheme::Http).as_deref(), Some("a"));
        assert_eq!(id(both, Scheme::Unknown).as_deref(), Some("a"));
        assert_eq!(id(both, Scheme::Https).as_deref(), Some("b"));
        assert_eq!(id(b"locustctl-session-8088=a", Scheme::Https), None);
        assert_eq!(id(b"locustctl-session-80889=a; locustctl-session-8088", Scheme::Http), None);
        let set = |scheme| cookie.header(scheme, "x", 1).unwrap().to_str().unwrap().to_owned();
        let attributes = "Path=/; Max-Age=1; HttpOnly; SameSite=Strict";
        assert_eq!(set(Scheme::Http), format!("locustctl-session-8088=x; {attributes}"));
        assert_eq!(
            set(Scheme::Https),
            format!("__Host-locustctl-session-8088=x; {attributes}; Secure")
        );
    }

    #[test]
    fn forged_cookies_are_recognized_in_every_form() {
        let cookie = SessionCookie::new(8088);
        for (set, expected) in [
            (&b"locustctl-session-8088=forged; Path=/"[..], true),
            (b"__Host-locustctl-session-8088=forged; Secure; Path=/", true),
            (b"locustctl-session-8088=forged\xe9; Path=/", true),
            (b"\tlocustctl-session-8088 =forged", true),
            (b"=locustctl-session-8088=forged", true),
            (b" = locustctl-session-8088=forged", true),
            (b"locustctl-session-8088", true),
            (b"session=a; locustctl-session-8088=x", false),
            (b"locustctl-session-80889=other", false),
            (b"caf\xe9=x", false),
            (b"", false),
        ] {
            let value = HeaderValue::from_bytes(set).unwrap();
            assert_eq!(cookie.is_set_by(&value), expected, "{value:?}");
        }
    }
}
