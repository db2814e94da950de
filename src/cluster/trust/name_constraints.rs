//! Name constraints: the names that an authority may certify (RFC 5280, section 4.2.1.10). The rules
//! and the texts are those of Go 1.26 (`crypto/x509/constraints.go`).

use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

use super::alternative_names::{ADDRESS, AlternativeNames, DNS, EMAIL, URI, address, ascii};
use super::asn1::{Reader, SEQUENCE, constructed};
use super::malformed::Malformed;
use crate::text::go::quote;

/// The limit of comparisons for one chain. Hostile certificates have thousands of names and
/// constraints.
const MAX_COMPARISONS: usize = 250_000;

/// The constraints of one authority.
#[derive(Debug, Default)]
pub struct NameConstraints<'a> {
    permitted: Subtrees<'a>,
    excluded: Subtrees<'a>,
    /// True if there are constraints on other kinds of names, such as directory names.
    pub has_other_kinds: bool,
}

#[derive(Debug, Default)]
struct Subtrees<'a> {
    dns: Vec<&'a str>,
    emails: Vec<&'a str>,
    uris: Vec<&'a str>,
    addresses: Vec<IpNet>,
}

impl<'a> NameConstraints<'a> {
    /// Reads the value of the extension, as Go's `parseNameConstraintsExtension` does.
    ///
    /// # Errors
    /// The extension is empty or broken.
    pub fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let invalid = "invalid NameConstraints extension";
        let mut outer = Reader::new(der);
        let mut fields = outer.nested(SEQUENCE).ok_or(invalid)?;
        let permitted = fields.optional(constructed(0)).ok_or(invalid)?.unwrap_or_default();
        let excluded = fields.optional(constructed(1)).ok_or(invalid)?.unwrap_or_default();
        if !outer.is_empty() || !fields.is_empty() {
            return Err(invalid.into());
        }
        if permitted.is_empty() && excluded.is_empty() {
            return Err("empty name constraints extension".into());
        }
        let mut constraints = Self::default();
        constraints.permitted = constraints.subtrees(permitted)?;
        constraints.excluded = constraints.subtrees(excluded)?;
        Ok(constraints)
    }

    fn subtrees(&mut self, der: &'a [u8]) -> Result<Subtrees<'a>, Malformed> {
        let mut subtrees = Subtrees::default();
        let mut list = Reader::new(der);
        while !list.is_empty() {
            let base = list.nested(SEQUENCE).and_then(|mut subtree| subtree.any());
            let base = base.ok_or("invalid NameConstraints extension")?;
            let text = |kind| match ascii(base.content) {
                Some(text) if is_domain(text, true) => Ok(text),
                Some(text) => Err(format!("failed to parse {kind} constraint {}", quote(text))),
                None => Err("invalid constraint value".to_owned()),
            };
            match base.tag {
                DNS => subtrees.dns.push(text("dnsName")?),
                EMAIL => {
                    let is_mailbox = ascii(base.content).filter(|text| mailbox(text).is_some());
                    let email = is_mailbox.map_or_else(|| text("rfc822Name"), Ok)?;
                    subtrees.emails.push(email);
                }
                URI => {
                    let domain = text("URI")?;
                    if domain.parse::<IpAddr>().is_ok() {
                        let domain = quote(domain);
                        return Err(format!(
                            "failed to parse URI constraint {domain}: cannot be IP address"
                        )
                        .into());
                    }
                    subtrees.uris.push(domain);
                }
                ADDRESS => subtrees.addresses.push(network(base.content)?),
                _ => self.has_other_kinds = true,
            }
        }
        Ok(subtrees)
    }

    /// Checks the names of one certificate.
    fn check(&self, names: &Names<'_>, budget: &mut Budget) -> Result<(), String> {
        let Self { permitted, excluded, .. } = self;
        for address in names.addresses {
            let is_in = |network: &IpNet| network.contains(address);
            let (permitted, excluded) = (&permitted.addresses, &excluded.addresses);
            let shown = || address.to_canonical().to_string();
            budget.check("IP address", shown, permitted, excluded, is_in, is_in)?;
        }
        for name in names.dns {
            if !is_domain(name, false) {
                return Err(format!("x509: cannot parse dnsName {}", quote(name)));
            }
            let (permitted, excluded) = (&permitted.dns, &excluded.dns);
            let shown = || (*name).to_owned();
            let is_below = |base: &&str| is_below(name, base);
            // `*.example.com` stands also for an excluded `a.example.com`.
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
}

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
            constraints.check(&names, &mut budget)?;
        }
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

/// The local part and the domain of an address. Quoted local parts are not supported.
fn mailbox(text: &str) -> Option<(&str, &str)> {
    let (local, domain) = text.rsplit_once('@')?;
    let is_plain = !local.is_empty() && !local.contains(['"', '@', ' ', '\\']);
    (is_plain && is_domain(domain, false)).then_some((local, domain))
}

/// Go's `domainNameValid`. A constraint may be empty, and may begin with a dot.
fn is_domain(name: &str, is_constraint: bool) -> bool {
    if name.is_empty() {
        return is_constraint;
    }
    let is_printable = |label: &str| label.bytes().all(|byte| (33..=126).contains(&byte));
    let labels = if is_constraint { name.strip_prefix('.').unwrap_or(name) } else { name };
    name.len() <= 253
        && labels.split('.').all(|label| (1..64).contains(&label.len()) && is_printable(label))
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

fn network(bytes: &[u8]) -> Result<IpNet, Malformed> {
    let length = bytes.len();
    if length != 8 && length != 32 {
        return Err(format!("IP constraint contained value of length {length}").into());
    }
    let (base, mask) = bytes.split_at(length / 2);
    let (base, mask_address) = (address(base), address(mask));
    let network =
        base.zip(mask_address).and_then(|(base, mask)| IpNet::with_netmask(base, mask).ok());
    network.ok_or_else(|| {
        let mask: String = mask.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("IP constraint contained invalid mask {mask}").into()
    })
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

    #[test]
    fn a_network_needs_a_mask_of_leading_ones() {
        assert_eq!(network(&[10, 0, 0, 0, 255, 0, 0, 0]).unwrap().to_string(), "10.0.0.0/8");
        let wrong = network(&[10, 0, 0, 0, 255, 0, 255, 0]).unwrap_err().to_string();
        assert_eq!(wrong, "x509: IP constraint contained invalid mask ff00ff00");
        assert!(network(&[10, 0, 0, 0]).is_err());
    }
}
