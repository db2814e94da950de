//! The check that a certificate is for the server, as Go's `Certificate.VerifyHostname`.

use std::net::IpAddr;

use crate::cluster::x509::{AlternativeNames, Certificate};
use crate::text::terminal::on_one_line;

/// An error lists the names only if there are fewer than this, as in Go.
const MAX_LISTED: usize = 100;

/// The certificate is for other names. The text is Go's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("x509: {0}")]
pub struct HostNameError(String);

/// Checks that the certificate is for `host`, a name or an address.
///
/// # Errors
/// It is for other names.
pub fn verify(certificate: &Certificate<'_>, host: &str) -> Result<(), HostNameError> {
    let nothing = AlternativeNames::default();
    let names = certificate.extensions.alternative_names.as_ref().unwrap_or(&nothing);
    let address = host.parse::<IpAddr>().ok();
    let is_valid = match address {
        Some(address) => {
            let wanted = address.to_canonical();
            names.addresses.iter().any(|address| address.to_canonical() == wanted)
        }
        None => names.dns.iter().any(|pattern| is_match(pattern, host)),
    };
    match is_valid {
        true => Ok(()),
        false => Err(HostNameError(problem(certificate, names, host, address.is_some()))),
    }
}

/// The text of Go's `HostnameError`: why no name matches the host.
fn problem(
    certificate: &Certificate<'_>,
    names: &AlternativeNames<'_>,
    host: &str,
    is_address: bool,
) -> String {
    let common_name = &certificate.subject_name.common_name;
    if certificate.extensions.alternative_names.is_none() && is_pattern_match(common_name, host) {
        return "certificate relies on legacy Common Name field, use SANs instead".to_owned();
    }
    let (count, kind) = match is_address {
        true if names.addresses.is_empty() => {
            return format!(
                "cannot validate certificate for {host} because it doesn't contain any IP SANs"
            );
        }
        true => (names.addresses.len(), "IP SANs"),
        false => (names.dns.len(), "names"),
    };
    if count >= MAX_LISTED {
        return format!("certificate is valid for {count} {kind}, but none matched {host}");
    }
    let listed = match is_address {
        true => {
            let shown = names.addresses.iter().map(|address| address.to_canonical().to_string());
            shown.collect::<Vec<_>>().join(", ")
        }
        // A name may hold line breaks, which would forge further lines.
        false => on_one_line(&names.dns.join(", ")).into_owned(),
    };
    match listed.as_str() {
        "" => format!("certificate is not valid for any names, but wanted to match {host}"),
        listed => format!("certificate is valid for {listed}, not {host}"),
    }
}

/// True if the certificate's name matches the host. A name that is not a valid host name must equal the
/// host.
fn is_match(name: &str, host: &str) -> bool {
    if is_host_name(host.strip_suffix('.').unwrap_or(host), false) && is_host_name(name, true) {
        return is_pattern_match(name, host);
    }
    !["", "."].contains(&name) && !["", "."].contains(&host) && name.eq_ignore_ascii_case(host)
}

/// True if each label is the same. The first of the pattern may be `*`.
fn is_pattern_match(pattern: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    if pattern.is_empty() || host.is_empty() {
        return false;
    }
    let (mut wanted, mut labels) = (pattern.split('.').enumerate(), host.split('.'));
    loop {
        match (wanted.next(), labels.next()) {
            (None, None) => return true,
            (Some((0, "*")), Some(_)) => {}
            (Some((_, wanted)), Some(label)) if wanted.eq_ignore_ascii_case(label) => {}
            _ => return false,
        }
    }
}

/// Go's `validHostname`: letters, digits, `-` and `_`. The pattern `*` alone is invalid.
fn is_host_name(name: &str, is_pattern: bool) -> bool {
    if name == "*" {
        return false;
    }
    let is_label = |label: &str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        !label.is_empty() && !label.starts_with('-') && label.chars().all(is_allowed)
    };
    let mut labels = name.split('.').enumerate();
    labels.all(|(place, label)| is_label(label) || (is_pattern && place == 0 && label == "*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_go() {
        for (name, host, expected) in [
            ("example.com", "example.com", true),
            ("Example.com", "eXample.COM", true),
            ("example.com", "example.com.", true),
            ("example.com.", "example.com", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.*.com", "a.b.com", false),
            ("a*.example.com", "ab.example.com", false),
            ("*", "localhost", false),
            ("a_b", "a_b", true),
            ("-a", "-a", true),
            ("a..b", "a..b", true),
            ("", "", false),
        ] {
            assert_eq!(is_match(name, host), expected, "{name} {host}");
        }
    }
}
