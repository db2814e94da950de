//! The extensions of a certificate (RFC 5280, section 4.2), read by the rules of
//! Go's `processExtensions`.

use std::collections::BTreeSet;

use super::alternative_names::AlternativeNames;
use super::der::{BOOLEAN, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, context};
use super::malformed::Malformed;
use super::name_constraints::NameConstraints;
use super::policies::Policies;

/// The decoded extensions of a certificate. The default has none.
#[derive(Debug, Default)]
pub struct Extensions<'a> {
    pub basic_constraints: Option<BasicConstraints>,
    /// The usages that have names, bit 0 first. No bit is set without the extension.
    key_usage: u16,
    /// The object identifiers of the purposes. Empty without the extension.
    pub extended_key_usages: Vec<&'a [u8]>,
    pub alternative_names: Option<AlternativeNames<'a>>,
    pub name_constraints: Option<NameConstraints<'a>>,
    pub policies: Policies<'a>,
    pub subject_key_id: &'a [u8],
    pub authority_key_id: &'a [u8],
    /// True if a critical extension has a meaning that is not known here.
    pub has_unhandled_critical: bool,
}

/// The role of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicConstraints {
    pub is_authority: bool,
    /// The number of intermediate authorities that may follow.
    pub max_path_length: Option<u64>,
}

const KEY_CERT_SIGN: u16 = 1 << 5;

/// 1.3.6.1.5.5.7.1.1
const AUTHORITY_INFO_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];

impl<'a> Extensions<'a> {
    /// Reads the content of the field `extensions`.
    ///
    /// # Errors
    /// An extension is broken, or present twice.
    pub fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut all = Self::default();
        let mut seen = BTreeSet::new();
        let mut list = Reader::new(der).nested(SEQUENCE).ok_or("malformed extensions")?;
        while !list.is_empty() {
            let mut extension = list.nested(SEQUENCE).ok_or("malformed extension")?;
            let oid =
                extension.content(OBJECT_IDENTIFIER).ok_or("malformed extension OID field")?;
            let is_critical = match extension.is_next(BOOLEAN) {
                true => extension.boolean().ok_or("malformed extension critical field")?,
                false => false,
            };
            let value = extension.content(OCTET_STRING).ok_or("malformed extension value field")?;
            if !seen.insert(oid) {
                return Err(format!(
                    "certificate contains duplicate extension with OID {:?}",
                    dotted(oid)
                )
                .into());
            }
            let is_handled = all.read(oid, value, is_critical)?;
            all.has_unhandled_critical |= is_critical && !is_handled;
        }
        Ok(all)
    }

    /// Reads one extension. Returns false if it is unknown.
    fn read(&mut self, oid: &[u8], value: &'a [u8], is_critical: bool) -> Result<bool, Malformed> {
        let [0x55, 0x1d, number] = oid else {
            if oid == AUTHORITY_INFO_ACCESS && is_critical {
                return Err("authority info access incorrectly marked critical".into());
            }
            return Ok(oid == AUTHORITY_INFO_ACCESS);
        };
        let mut reader = Reader::new(value);
        match number {
            14 if is_critical => {
                return Err("subject key identifier incorrectly marked critical".into());
            }
            14 => {
                self.subject_key_id =
                    reader.content(OCTET_STRING).ok_or("invalid subject key identifier")?;
            }
            15 => self.key_usage = key_usage(reader)?,
            17 => {
                let names = AlternativeNames::parse(value)?;
                let is_handled = !names.is_empty();
                self.alternative_names = Some(names);
                return Ok(is_handled);
            }
            19 => self.basic_constraints = Some(basic_constraints(reader)?),
            30 => {
                let constraints = NameConstraints::parse(value)?;
                let is_handled = !constraints.has_other_kinds;
                self.name_constraints = Some(constraints);
                return Ok(is_handled);
            }
            31 => {
                reader.content(SEQUENCE).ok_or("invalid CRL distribution points")?;
            }
            32 => self.policies.read_policies(reader)?,
            33 => self.policies.read_mappings(reader)?,
            35 if is_critical => {
                return Err("authority key identifier incorrectly marked critical".into());
            }
            35 => {
                let invalid = "invalid authority key identifier";
                let mut identifier = reader.nested(SEQUENCE).ok_or(invalid)?;
                self.authority_key_id =
                    identifier.optional(context(0)).ok_or(invalid)?.unwrap_or_default();
            }
            36 => self.policies.read_constraints(reader)?,
            37 => {
                let invalid = "invalid extended key usages";
                let mut purposes = reader.nested(SEQUENCE).ok_or(invalid)?;
                while !purposes.is_empty() {
                    let purpose = purposes.content(OBJECT_IDENTIFIER).ok_or(invalid)?;
                    self.extended_key_usages.push(purpose);
                }
            }
            54 => self.policies.read_inhibit_any(reader)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// True if the key usage includes the signing of certificates, or is absent.
    pub fn may_sign_certificates(&self) -> bool {
        self.key_usage == 0 || self.key_usage & KEY_CERT_SIGN != 0
    }
}

fn key_usage(mut reader: Reader<'_>) -> Result<u16, Malformed> {
    let (bytes, bits) = reader.bit_string().ok_or("invalid key usage")?;
    let is_set = |bit: &usize| bytes[bit / 8] & (0x80 >> (bit % 8)) != 0;
    Ok((0..bits.min(9)).filter(is_set).fold(0, |usage, bit| usage | 1 << bit))
}

fn basic_constraints(mut reader: Reader<'_>) -> Result<BasicConstraints, Malformed> {
    let invalid = "invalid basic constraints";
    let mut fields = reader.nested(SEQUENCE).ok_or(invalid)?;
    let is_authority = match fields.is_next(BOOLEAN) {
        true => fields.boolean().ok_or(invalid)?,
        false => false,
    };
    let max_path_length = match fields.is_next(INTEGER) {
        true => Some(fields.small_integer().ok_or(invalid)?),
        false => None,
    };
    Ok(BasicConstraints { is_authority, max_path_length })
}

/// An object identifier in the form `1.2.3`.
fn dotted(oid: &[u8]) -> String {
    let mut numbers = Vec::new();
    let mut number = 0_u64;
    for byte in oid {
        number = number.wrapping_mul(128).wrapping_add(u64::from(byte & 0x7f));
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first.to_string());
                number -= first * 40;
            }
            numbers.push(number.to_string());
            number = 0;
        }
    }
    numbers.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_identifier_is_shown_with_dots() {
        assert_eq!(dotted(&[0x55, 0x1d, 0x25, 0]), "2.5.29.37.0");
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1]), "1.2.840.113549.1");
    }

    #[test]
    fn key_usages_are_bits_from_the_left() {
        let usage = |der: &[u8]| key_usage(Reader::new(der)).unwrap();
        assert_eq!(usage(&[3, 2, 2, 0x04]), KEY_CERT_SIGN);
        assert_eq!(usage(&[3, 3, 7, 0x00, 0x80]), 1 << 8);
        assert_eq!(usage(&[3, 1, 0]), 0);
    }
}
