//! The `Impersonate-*` headers, as client-go encodes them.

use anyhow::{Result, anyhow};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::cluster::kubeconfig::Impersonation;

/// The headers that go with every request; none without impersonation.
///
/// # Errors
/// A value has a character that a header cannot carry.
pub fn headers(who: &Impersonation) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut add = |name: String, text: &str| -> Result<()> {
        let unfit = || anyhow!("{name} {text:?} has a character that an HTTP header cannot carry");
        let value = HeaderValue::from_str(text).map_err(|_| unfit())?;
        headers.append(HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?, value);
        Ok(())
    };
    for (name, text) in [("Impersonate-User", &who.user), ("Impersonate-Uid", &who.uid)] {
        if !text.is_empty() {
            add(name.to_owned(), text)?;
        }
    }
    for group in &who.groups {
        add("Impersonate-Group".to_owned(), group)?;
    }
    for (key, values) in &who.extra {
        for value in values {
            add(format!("Impersonate-Extra-{}", escape_key(key)), value)?;
        }
    }
    Ok(headers)
}

/// client-go's `headerKeyEscape`: a byte that RFC 7230 does not allow in a header's name becomes
/// `%` and two hexadecimal digits, and so does `%` itself.
fn escape_key(key: &str) -> String {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte);
    key.bytes()
        .map(|byte| match is_token(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02x}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_uid_groups_and_extra_become_headers() {
        let extra = [("ex/a@b".to_owned(), vec!["1".to_owned(), "2".to_owned()])];
        let who = Impersonation {
            user: "bob".into(),
            uid: "42".into(),
            groups: vec!["devs".into(), "ops".into()],
            extra: extra.into(),
        };
        let headers = headers(&who).unwrap();
        let all = |name| headers.get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(all("impersonate-user"), ["bob"]);
        assert_eq!(all("impersonate-uid"), ["42"]);
        assert_eq!(all("impersonate-group"), ["devs", "ops"]);
        assert_eq!(all("impersonate-extra-ex%2fa%40b"), ["1", "2"]);
    }

    #[test]
    fn a_line_break_cannot_add_a_header() {
        let who = Impersonation { user: "bob\r\nx: y".into(), ..Impersonation::default() };
        assert!(headers(&who).is_err());
    }
}
