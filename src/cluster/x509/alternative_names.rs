//! The subject alternative names of a certificate.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::der::{Reader, SEQUENCE, context};
use super::malformed::Malformed;

pub const EMAIL: u8 = context(1);
pub const DNS: u8 = context(2);
pub const URI: u8 = context(6);
pub const ADDRESS: u8 = context(7);

/// The alternative names of the four types that Go reads.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AlternativeNames<'a> {
    /// The extension as it was sent, to compare certificates.
    pub der: &'a [u8],
    pub dns: Vec<&'a str>,
    pub emails: Vec<&'a str>,
    pub uris: Vec<&'a str>,
    /// IPv4 in IPv6 form stays as it is.
    pub addresses: Vec<IpAddr>,
}

impl<'a> AlternativeNames<'a> {
    /// Reads the value of the extension by the rules of Go's `parseSANExtension`.
    ///
    /// # Errors
    /// A name has other characters than ASCII, or an address has another length than 4 or 16 bytes.
    pub fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut names = Self { der, ..Self::default() };
        let mut list =
            Reader::new(der).nested(SEQUENCE).ok_or("invalid subject alternative names")?;
        while !list.is_empty() {
            let name = list.any().ok_or("invalid subject alternative name")?;
            let text = || ascii(name.content);
            match name.tag {
                EMAIL => names.emails.push(text().ok_or("SAN rfc822Name is malformed")?),
                DNS => names.dns.push(text().ok_or("SAN dNSName is malformed")?),
                URI => {
                    let uri = text().ok_or("SAN uniformResourceIdentifier is malformed")?;
                    names.uris.push(uri);
                }
                ADDRESS => {
                    let length = name.content.len();
                    let address = address(name.content);
                    let address = address
                        .ok_or_else(|| format!("cannot parse IP address of length {length}"))?;
                    names.addresses.push(address);
                }
                _ => {}
            }
        }
        Ok(names)
    }

    pub fn is_empty(&self) -> bool {
        self.dns.is_empty()
            && self.emails.is_empty()
            && self.uris.is_empty()
            && self.addresses.is_empty()
    }
}

/// The bytes as text; `None` if they are not all ASCII.
pub fn ascii(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok().filter(|text| text.is_ascii())
}

/// Converts 4 or 16 bytes to an address; `None` for another length.
pub fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).into());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into())).ok()
}

/// The local part and the domain of an address. Quoted local parts are not supported.
pub fn mailbox(text: &str) -> Option<(&str, &str)> {
    let (local, domain) = text.rsplit_once('@')?;
    let is_plain = !local.is_empty() && !local.contains(['"', '@', ' ', '\\']);
    (is_plain && is_domain(domain, false)).then_some((local, domain))
}

/// Go's `domainNameValid`. A constraint may be empty, and may begin with a dot.
pub fn is_domain(name: &str, is_constraint: bool) -> bool {
    if name.is_empty() {
        return is_constraint;
    }
    let is_printable = |label: &str| label.bytes().all(|byte| (33..=126).contains(&byte));
    let labels = if is_constraint { name.strip_prefix('.').unwrap_or(name) } else { name };
    name.len() <= 253
        && labels.split('.').all(|label| (1..64).contains(&label.len()) && is_printable(label))
}
