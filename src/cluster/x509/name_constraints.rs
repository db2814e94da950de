//! The extension with the names that an authority may certify (RFC 5280, section 4.2.1.10).

use std::net::IpAddr;

use ipnet::IpNet;

use super::alternative_names::{ADDRESS, DNS, EMAIL, URI, address, ascii, is_domain, mailbox};
use super::der::{Reader, SEQUENCE, constructed};
use super::malformed::Malformed;
use crate::text::go::quote;

/// The constraints of one authority.
#[derive(Debug, Default)]
pub struct NameConstraints<'a> {
    pub permitted: Subtrees<'a>,
    pub excluded: Subtrees<'a>,
    /// True if there are constraints on other kinds of names, such as directory names.
    pub has_other_kinds: bool,
}

/// Constraints of each kind of name.
#[derive(Debug, Default)]
pub struct Subtrees<'a> {
    pub dns: Vec<&'a str>,
    pub emails: Vec<&'a str>,
    pub uris: Vec<&'a str>,
    pub addresses: Vec<IpNet>,
}

impl<'a> NameConstraints<'a> {
    /// Reads the value of the extension, by the rules of Go's
    /// `parseNameConstraintsExtension`.
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
    fn a_network_needs_a_mask_of_leading_ones() {
        assert_eq!(network(&[10, 0, 0, 0, 255, 0, 0, 0]).unwrap().to_string(), "10.0.0.0/8");
        let wrong = network(&[10, 0, 0, 0, 255, 0, 255, 0]).unwrap_err().to_string();
        assert_eq!(wrong, "x509: IP constraint contained invalid mask ff00ff00");
        assert!(network(&[10, 0, 0, 0]).is_err());
    }
}
