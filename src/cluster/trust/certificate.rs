//! X.509 certificates, read as Go's `x509.ParseCertificate` reads them.

use super::asn1::{BIT_STRING, Reader, SEQUENCE, constructed, context};
use super::distinguished_name::DistinguishedName;
use super::extensions::Extensions;
use super::malformed::Malformed;
use super::public_key::{PublicKey, SignatureError};
use super::signature_algorithm::SignatureAlgorithm;
use super::validity::Validity;

/// A certificate. It borrows from its DER form.
#[derive(Debug)]
pub struct Certificate<'a> {
    pub der: &'a [u8],
    /// 1, 2 or 3
    pub version: u64,
    /// Two's complement, big-endian.
    pub serial: &'a [u8],
    /// With tag and length, to compare it with the subject of the issuer.
    pub issuer: &'a [u8],
    /// With tag and length.
    pub subject: &'a [u8],
    pub subject_name: DistinguishedName,
    pub validity: Validity,
    pub key: PublicKey<'a>,
    pub extensions: Extensions<'a>,
    signed_part: &'a [u8],
    signature_algorithm: SignatureAlgorithm,
    signature: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads a certificate.
    ///
    /// # Errors
    /// It is not a certificate. The text is Go's.
    pub fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut outer = Reader::new(der);
        let mut certificate = outer.nested(SEQUENCE).ok_or("malformed certificate")?;
        if !outer.is_empty() {
            return Err("trailing data".into());
        }
        let signed_part = certificate.whole(SEQUENCE).ok_or("malformed tbs certificate")?;
        let mut body =
            Reader::new(signed_part).nested(SEQUENCE).ok_or("malformed tbs certificate")?;
        let version = version(&mut body)?;
        let serial = body.integer().ok_or("malformed serial number")?;
        if serial[0] & 0x80 != 0 {
            return Err("negative serial number".into());
        }
        let algorithm = body.content(SEQUENCE).ok_or("malformed signature algorithm identifier")?;
        let outer_algorithm =
            certificate.content(SEQUENCE).ok_or("malformed algorithm identifier")?;
        if algorithm != outer_algorithm {
            return Err("inner and outer signature algorithm identifiers don't match".into());
        }
        let signature_algorithm = SignatureAlgorithm::parse(algorithm)?;
        let issuer = body.whole(SEQUENCE).ok_or("malformed issuer")?;
        DistinguishedName::parse(issuer)?;
        let validity = body.content(SEQUENCE).ok_or("malformed validity")?;
        let validity = Validity::parse(validity)?;
        // The text is Go's.
        let subject = body.whole(SEQUENCE).ok_or("malformed issuer")?;
        let subject_name = DistinguishedName::parse(subject)?;
        let key = PublicKey::parse(body.whole(SEQUENCE).ok_or("malformed spki")?)?;
        let extensions = match version {
            1 => Extensions::default(),
            version => extensions(body, version)?,
        };
        let signature = match certificate.is_next(BIT_STRING) {
            true => certificate.bytes_of_bit_string(),
            false => None,
        };
        Ok(Self {
            der,
            version,
            serial,
            issuer,
            subject,
            subject_name,
            validity,
            key,
            extensions,
            signed_part,
            signature_algorithm,
            signature: signature.ok_or("malformed signature")?,
        })
    }

    /// Verifies this certificate's signature with the key of its issuer.
    ///
    /// # Errors
    /// The signature is wrong, or its algorithm cannot be used.
    pub fn verify_signature(&self, issuer: &PublicKey<'_>) -> Result<(), SignatureError> {
        issuer.verify(self.signature_algorithm, self.signed_part, self.signature)
    }

    /// The name of the subject in Go's messages: the common name, the organization, or the serial
    /// number.
    pub fn display_name(&self) -> String {
        let DistinguishedName { common_name, organization } = &self.subject_name;
        match (common_name.as_str(), organization.as_str()) {
            ("", "") => format!("serial:{}", decimal(self.serial)),
            ("", organization) => organization.to_owned(),
            (common_name, _) => common_name.to_owned(),
        }
    }
}

/// The subject of a certificate, with tag and length, without reading the rest; `None` if it is not
/// a certificate. A bundle of the system has more than a hundred certificates.
pub fn subject(der: &[u8]) -> Option<&[u8]> {
    let mut body = Reader::new(der).nested(SEQUENCE)?.nested(SEQUENCE)?;
    body.optional(constructed(0))?;
    body.integer()?;
    body.content(SEQUENCE)?;
    body.content(SEQUENCE)?;
    body.content(SEQUENCE)?;
    body.whole(SEQUENCE)
}

fn version(body: &mut Reader<'_>) -> Result<u64, Malformed> {
    let number = match body.optional(constructed(0)).ok_or("malformed version")? {
        Some(content) => Reader::new(content).small_integer().ok_or("malformed version")?,
        None => 0,
    };
    match number {
        0..=2 => Ok(number + 1),
        _ => Err("invalid version".into()),
    }
}

/// Skips the unique identifiers, and reads the extensions of version 3.
fn extensions(mut body: Reader<'_>, version: u64) -> Result<Extensions<'_>, Malformed> {
    body.optional(context(1)).ok_or("malformed issuerUniqueID")?;
    body.optional(context(2)).ok_or("malformed subjectUniqueID")?;
    if version < 3 {
        return Ok(Extensions::default());
    }
    match body.optional(constructed(3)).ok_or("malformed extensions")? {
        Some(der) => Extensions::parse(der),
        None => Ok(Extensions::default()),
    }
}

/// A positive big-endian number in decimal digits.
fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) * 256;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_shown_in_decimal() {
        for (bytes, expected) in [
            (&[0][..], "0"),
            (&[1, 0], "256"),
            (&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "18446744073709551615"),
        ] {
            assert_eq!(decimal(bytes), expected);
        }
    }
}
