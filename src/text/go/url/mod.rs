//! URLs by the rules of Go's `net/url` (Go 1.26). A browser reads the same text differently: it
//! takes `\` for `/`, decodes `loc%61lhost`, and reads `127.1` as an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use secrecy::SecretString;

use super::quote::quote;
use crate::text::terminal::MASK;

/// A URL as `url.Parse` reads it, without the query and the fragment.
#[derive(Debug, Clone, Default)]
pub struct Url {
    /// In lower case; empty for a relative reference.
    pub scheme: String,
    /// The login before `@`, decoded.
    pub login: Option<Login>,
    /// `host` or `host:port`, decoded. An IPv6 address has brackets. Empty for a URL such as
    /// `mailto:me`.
    pub host: String,
    /// The decoded path. It may have any bytes.
    pub path: Vec<u8>,
}

/// The user name and the password of a URL. The password is empty if the URL has none.
#[derive(Debug, Clone, Default)]
pub struct Login {
    pub username: String,
    pub password: SecretString,
}

/// The text is not a URL. The message has Go's text, with the login of the URL masked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parse {}: {problem}", quote(url))]
pub struct UrlError {
    url: String,
    /// Go's text without the URL: `invalid URL escape "%zz"`.
    pub problem: String,
}

/// The part of a URL. Each part allows other characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Login,
    Host,
    Zone,
    Path,
    Fragment,
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// The text of Go's `url.Parse`.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
        // A `#` in a password cuts the login. Only the whole text shows where the login ends.
        let shown = if fragment.contains('@') { text } else { url };
        let parsed = Self::parse_reference(url).map_err(|problem| problem.of(shown))?;
        unescape(fragment, Part::Fragment).map_err(|problem| problem.of(text))?;
        Ok(parsed)
    }

    fn parse_reference(text: &str) -> Result<Self, Problem> {
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(Problem::Text("net/url: invalid control character in URL"));
        }
        let (scheme, rest) = split_scheme(text)?;
        let rest = rest.split('?').next().unwrap_or_default();
        let mut url = Self { scheme: scheme.to_ascii_lowercase(), ..Self::default() };
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                return Ok(url);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return Err(Problem::Text("first path segment in URL cannot contain colon"));
            }
        }
        let mut path = rest;
        let has_authority = !scheme.is_empty() || !rest.starts_with("///");
        if let Some(rest) = rest.strip_prefix("//").filter(|_| has_authority) {
            let (authority, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (url.login, url.host) = parse_authority(authority)?;
            path = after;
        }
        url.path = unescape(path, Part::Path)?;
        Ok(url)
    }

    /// The host without the port, and without the brackets of an IPv6 address.
    pub fn hostname(&self) -> &str {
        split_port(&self.host).0
    }

    /// The digits after the host; empty without a port.
    pub fn port(&self) -> &str {
        split_port(&self.host).1
    }
}

/// Splits `host:port`, as `URL.Hostname` and `URL.Port` do. The host loses its brackets.
pub fn split_port(host: &str) -> (&str, &str) {
    let (host, port) = match host.rfind(':') {
        Some(at) if is_port(&host[at..]) => (&host[..at], &host[at + 1..]),
        _ => (host, ""),
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    (address.unwrap_or(host), port)
}

/// Escapes a path as `URL.EscapedPath` does when the URL was not written in another way.
pub fn escape_path(path: &[u8]) -> String {
    let escape = |byte: &u8| match is_allowed(*byte, Part::Path) {
        true => char::from(*byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    path.iter().map(escape).collect()
}

/// Masks the login of a text that may be a URL: everything before its last `@`, apart from the
/// scheme.
pub fn mask_login(text: &str) -> String {
    match login_range(text) {
        Some((start, end)) => format!("{}{MASK}{}", &text[..start], &text[end..]),
        None => text.to_owned(),
    }
}

fn login_range(text: &str) -> Option<(usize, usize)> {
    let end = text.rfind('@')?;
    let start = text.find("://").map_or(0, |at| at + "://".len());
    (start < end).then_some((start, end))
}

/// A problem of a URL, before the login is masked.
#[derive(Debug)]
enum Problem {
    Text(&'static str),
    /// A sentence about a part of the URL, which is shown between the two texts.
    WithPart(&'static str, String, &'static str),
}

impl Problem {
    /// The error for the whole URL. It shows no part of the login.
    fn of(self, url: &str) -> UrlError {
        let problem = match self {
            Self::Text(text) => text.to_owned(),
            Self::WithPart(before, part, after) => {
                let is_secret = login_range(url)
                    .is_some_and(|(start, end)| url[start..end].contains(part.as_str()));
                let part = if is_secret { MASK } else { &part };
                format!("{before}{}{after}", quote(part))
            }
        };
        UrlError { url: mask_login(url), problem }
    }
}

/// `getScheme`: the scheme and the rest. A text that cannot begin with a scheme has none.
fn split_scheme(text: &str) -> Result<(&str, &str), Problem> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err(Problem::Text("missing protocol scheme")),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

fn parse_authority(authority: &str) -> Result<(Option<Login>, String), Problem> {
    let Some((login, host)) = authority.rsplit_once('@') else {
        return Ok((None, parse_host(authority)?));
    };
    let host = parse_host(host)?;
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !login.bytes().all(is_valid) {
        return Err(Problem::Text("net/url: invalid userinfo"));
    }
    let (username, password) = login.split_once(':').unwrap_or((login, ""));
    let decoded = |text: &str| -> Result<String, Problem> {
        Ok(String::from_utf8_lossy(&unescape(text, Part::Login)?).into_owned())
    };
    let login = Login { username: decoded(username)?, password: decoded(password)?.into() };
    Ok((Some(login), host))
}

/// `parseHost`, with Go 1.26's stricter rules for brackets and colons.
fn parse_host(host: &str) -> Result<String, Problem> {
    let wrong_port =
        |port: &str| Problem::WithPart("invalid port ", port.to_owned(), " after host");
    match host.rfind('[') {
        Some(0) => {
            let Some(end) = host.rfind(']') else {
                return Err(Problem::Text("missing ']' in host"));
            };
            let (address, port) = (&host[1..end], &host[end + 1..]);
            if !is_port(port) {
                return Err(wrong_port(port));
            }
            Ok(format!("[{}]{port}", parse_ipv6(address)?))
        }
        Some(_) => Err(Problem::Text("invalid IP-literal")),
        None => match host.find(':').map(|at| &host[at..]) {
            Some(port) if !is_port(port) => Err(wrong_port(port)),
            _ => unescape_host(host, Part::Host),
        },
    }
}

/// An IPv6 address with an optional zone, which is written after `%25` (RFC 6874).
fn parse_ipv6(text: &str) -> Result<String, Problem> {
    let (address, zone) = text.split_at(text.find("%25").unwrap_or(text.len()));
    let address = unescape_host(address, Part::Host)?;
    if address.parse::<Ipv4Addr>().is_ok() {
        return Err(Problem::Text("invalid IP-literal"));
    }
    if address.parse::<Ipv6Addr>().is_err() {
        return Err(Problem::WithPart(
            "invalid host: ParseAddr(",
            address,
            "): unable to parse IP",
        ));
    }
    Ok(format!("{address}{}", unescape_host(zone, Part::Zone)?))
}

/// The decoded host. A host that is not valid UTF-8 is an error.
fn unescape_host(text: &str, part: Part) -> Result<String, Problem> {
    let decoded = unescape(text, part)?;
    String::from_utf8(decoded)
        .map_err(|_| Problem::WithPart("invalid URL escape ", text.to_owned(), ""))
}

/// `unescape`: decodes `%XX`. A host may escape only bytes that are not ASCII (RFC 3986, 3.2.2).
fn unescape(text: &str, part: Part) -> Result<Vec<u8>, Problem> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte != b'%' {
            if matches!(part, Part::Host | Part::Zone) && byte < 0x80 && !is_allowed(byte, part) {
                let character = char::from(byte).to_string();
                return Err(Problem::WithPart("invalid character ", character, " in host name"));
            }
            decoded.push(byte);
            at += 1;
            continue;
        }
        let escape = &bytes[at..bytes.len().min(at + 3)];
        let invalid = || {
            let shown = String::from_utf8_lossy(escape).into_owned();
            Problem::WithPart("invalid URL escape ", shown, "")
        };
        let value = decode_escape(escape).ok_or_else(invalid)?;
        let is_refused = match part {
            Part::Host => value < 0x80 && value != b'%',
            Part::Zone => !matches!(value, b'%' | b' ') && !is_allowed(value, Part::Host),
            Part::Login | Part::Path | Part::Fragment => false,
        };
        if is_refused {
            return Err(invalid());
        }
        decoded.push(value);
        at += 3;
    }
    Ok(decoded)
}

/// The byte of `%XX`.
fn decode_escape(escape: &[u8]) -> Option<u8> {
    let &[b'%', high, low] = escape else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// The opposite of `shouldEscape`: true for a character that stands for itself.
fn is_allowed(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return true;
    }
    match part {
        Part::Host | Part::Zone => b"!$&'()*+,;=:[]<>\"".contains(&byte),
        Part::Path => b"$&+,/:;=@".contains(&byte),
        Part::Login => b"$&+,;=".contains(&byte),
        Part::Fragment => b"$&+,/:;=?@!()*".contains(&byte),
    }
}

/// True for an empty text, or a colon with any number of digits.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
}

/// The address that a host name stands for. An IPv4 address in IPv6 form (`::ffff:1.2.3.4`) is
/// an IPv4 address, as in Go. The zone of an IPv6 address is left out.
pub fn ip_address(host: &str) -> Option<IpAddr> {
    let address = match host.split_once('%') {
        Some((address, _)) => IpAddr::V6(address.parse().ok()?),
        None => host.parse().ok()?,
    };
    Some(address.to_canonical())
}

/// True for a name that ends in a number, such as `127.1`, `0x7f.1` or `2130706433`. The system's
/// resolver reads them as IPv4 addresses (`inet_aton(3)`). Go looks them up as names, and no such
/// name exists.
pub fn is_numeric_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests;
