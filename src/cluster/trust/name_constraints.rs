//! The check of name constraints: the names that an authority may certify (RFC 5280, section
//! 4.2.1.10). The rules and the texts are those of Go 1.26 (`crypto/x509/constraints.go`).

use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

use crate::cluster::x509::{AlternativeNames, NameConstraints, is_domain, mailbox};
use crate::text::go::quote;

/// The limit of comparisons for one chain. Hostile certificates have thousands of names and
/// constraints.
const MAX_COMPARISONS: usize = 250_000;

/// The part of a certificate that name constraints depend on.
#[derive(Debug, Clone, Copy)]
pub struct Link<'c, 'a> {
    pub names: Option<&'c AlternativeNames<'a>>,
    pub constraints: Option<&'c NameConstraints<'a>>,
}

/// Checks that each authority of a chain may certify the names of the certificates below it. The
/// chain runs from the server's certificate to the root.
///
/// # Errors
/// The text of the violation, for Go's "a root or intermediate certificate is not authorized …".
pub fn check(chain: &[Link<'_, '_>]) -> Result<(), String> {
    let mut budget = Budget(MAX_COMPARISONS);
    for (place, link) in chain.iter().enumerate() {
        let Some(names) = link.names else { continue };
        let above = chain[place + 1..].iter();
        let mut constraints = above.filter_map(|authority| authority.constraints).peekable();
        if constraints.peek().is_none() {
            continue;
        }
        let names = Names::parse(names)?;
        for constraints in constraints {
            check_names(constraints, &names, &mut budget)?;
        }
    }
    Ok(())
}

/// Checks the names of one certificate against the constraints of one authority.
fn check_names(
    constraints: &NameConstraints<'_>,
    names: &Names<'_>,
    budget: &mut Budget,
) -> Result<(), String> {
    let NameConstraints { permitted, excluded, .. } = constraints;
    for address in names.addresses {
        let is_in = |network: &IpNet| network.contains(address);
        // The certificate is valid for the IPv4 address of an address in IPv6 form.
        let is_excluded =
            |network: &IpNet| is_in(network) || network.contains(&address.to_canonical());
        let (permitted, excluded) = (&permitted.addresses, &excluded.addresses);
        let shown = || address.to_canonical().to_string();
        budget.check("IP address", shown, permitted, excluded, is_in, is_excluded)?;
    }
    for name in names.dns {
        if !is_domain(name, false) {
            return Err(format!("x509: cannot parse dnsName {}", quote(name)));
        }
        let (permitted, excluded) = (&permitted.dns, &excluded.dns);
        let shown = || (*name).to_owned();
        let is_below = |base: &&str| is_below(name, base);
        // `*.example.com` is excluded if any of its hosts is, such as `a.example.com`.
        let covers = |base: &&str| is_below(base) || is_wildcard_of(name, base);
        budget.check("DNS name", shown, permitted, excluded, is_below, covers)?;
    }
    for (uri, host) in &names.uris {
        let is_below = |base: &&str| is_below(host, base);
        let (permitted, excluded) = (&permitted.uris, &excluded.uris);
        budget.check("URI", || (*uri).to_owned(), permitted, excluded, is_below, is_below)?;
    }
    for (local, domain) in &names.emails {
        let is_in = |base: &&str| match mailbox(base) {
            Some((own, of)) => own == *local && of.eq_ignore_ascii_case(domain),
            None => is_below(domain, base),
        };
        let shown = || format!("{local}@{domain}");
        let (permitted, excluded) = (&permitted.emails, &excluded.emails);
        budget.check("email address", shown, permitted, excluded, is_in, is_in)?;
    }
    Ok(())
}

/// The comparisons that are left.
struct Budget(usize);

impl Budget {
    fn check<T: std::fmt::Display>(
        &mut self,
        kind: &str,
        name: impl Fn() -> String,
        permitted: &[T],
        excluded: &[T],
        is_permitted: impl Fn(&T) -> bool,
        is_excluded: impl Fn(&T) -> bool,
    ) -> Result<(), String> {
        let count = permitted.len() + excluded.len();
        self.0 = self
            .0
            .checked_sub(count)
            .ok_or_else(|| "too many names and constraints to compare".to_owned())?;
        if !permitted.is_empty() && !permitted.iter().any(is_permitted) {
            return Err(format!("{kind} {} is not permitted by any constraint", quote(&name())));
        }
        match excluded.iter().find(|base| is_excluded(base)) {
            Some(base) => Err(format!(
                "{kind} {} is excluded by constraint {}",
                quote(&name()),
                quote(&base.to_string())
            )),
            None => Ok(()),
        }
    }
}

/// The alternative names of a certificate, in the form in which constraints apply to them.
struct Names<'a> {
    dns: &'a [&'a str],
    addresses: &'a [IpAddr],
    /// Pairs of a URI and its host.
    uris: Vec<(&'a str, String)>,
    /// Pairs of a local part and a domain.
    emails: Vec<(&'a str, &'a str)>,
}

impl<'a> Names<'a> {
    fn parse(names: &'a AlternativeNames<'a>) -> Result<Self, String> {
        let uris = names.uris.iter().map(|uri| Ok((*uri, host(uri)?)));
        let email = |email: &&'a str| match mailbox(email) {
            Some((local, domain)) if is_domain(domain, false) => Ok((local, domain)),
            _ => Err(format!("cannot parse rfc822Name {}", quote(email))),
        };
        Ok(Self {
            dns: &names.dns,
            addresses: &names.addresses,
            uris: uris.collect::<Result<_, String>>()?,
            emails: names.emails.iter().map(email).collect::<Result<_, String>>()?,
        })
    }
}

fn host(uri: &str) -> Result<String, String> {
    let quoted = quote(uri);
    let url = Url::parse(uri).map_err(|_| format!("URI {quoted} cannot be parsed"))?;
    match url.host_str() {
        None | Some("") => {
            Err(format!("URI with empty host ({quoted}) cannot be matched against constraints"))
        }
        Some(host) if host.starts_with('[') || host.parse::<IpAddr>().is_ok() => {
            Err(format!("URI with IP ({quoted}) cannot be matched against constraints"))
        }
        Some(host) if is_domain(host, false) => Ok(host.to_ascii_lowercase()),
        Some(_) => Err(format!("x509: internal error: URI SAN {quoted} failed to parse")),
    }
}

/// True if a name is the base or below it. A base that begins with a dot has only names below it.
fn is_below(name: &str, base: &str) -> bool {
    if base.is_empty() {
        return true;
    }
    let Some((rest, end)) =
        name.len().checked_sub(base.len()).and_then(|at| name.split_at_checked(at))
    else {
        return false;
    };
    end.eq_ignore_ascii_case(base)
        && (rest.is_empty() || base.starts_with('.') || rest.ends_with('.'))
}

/// True if `*.example.com` is the name, and `LABEL.example.com` the base.
fn is_wildcard_of(name: &str, base: &str) -> bool {
    let (Some(name), Some((_, base))) = (name.strip_prefix("*."), base.split_once('.')) else {
        return false;
    };
    name.eq_ignore_ascii_case(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_covers_itself_and_names_below() {
        for (name, base, expected) in [
            ("example.org", "example.org", true),
            ("a.example.org", "Example.org", true),
            ("badexample.org", "example.org", false),
            ("a.example.org", ".example.org", true),
            ("example.org", ".example.org", false),
            ("org", "example.org", false),
            ("localhost", "", true),
        ] {
            assert_eq!(is_below(name, base), expected, "{name} {base}");
        }
        assert!(is_wildcard_of("*.example.org", "a.example.org"));
        assert!(!is_wildcard_of("*.example.org", "example.org"));
    }
}
