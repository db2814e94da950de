//! X.509 certificates, read by the rules of Go's `x509.ParseCertificate`.

use super::der::{Reader, SEQUENCE, constructed, context};
use super::distinguished_name::DistinguishedName;
use super::extensions::Extensions;
use super::malformed::Malformed;
use super::public_key::PublicKey;
use super::signature_algorithm::SignatureAlgorithm;
use super::validity::Validity;

/// A longer serial number is shown by its length. RFC 5280 allows 20 bytes; a hostile server may send many,
/// and the conversion to decimal digits takes quadratic time.
const MAX_SERIAL: usize = 32;

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
    pub public_key: PublicKey<'a>,
    pub extensions: Extensions<'a>,
    /// The part that the issuer signed, with tag and length.
    pub signed_part: &'a [u8],
    pub signature_algorithm: SignatureAlgorithm,
    pub signature: &'a [u8],
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
        // Go also says "issuer" here.
        let subject = body.whole(SEQUENCE).ok_or("malformed issuer")?;
        let subject_name = DistinguishedName::parse(subject)?;
        let public_key = PublicKey::parse(body.whole(SEQUENCE).ok_or("malformed spki")?)?;
        let extensions = match version {
            1 => Extensions::default(),
            version => extensions(body, version)?,
        };
        let signature = certificate.bytes_of_bit_string().ok_or("malformed signature")?;
        Ok(Self {
            der,
            version,
            serial,
            issuer,
            subject,
            subject_name,
            validity,
            public_key,
            extensions,
            signed_part,
            signature_algorithm,
            signature,
        })
    }

    /// The name of the subject in Go's messages: the common name, the organization, or the serial
    /// number.
    pub fn display_name(&self) -> String {
        let DistinguishedName { common_name, organization } = &self.subject_name;
        match (common_name.as_str(), organization.as_str()) {
            ("", "") if self.serial.len() > MAX_SERIAL => {
                format!("serial:({} bytes)", self.serial.len())
            }
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
    use rcgen::{CertificateParams, KeyPair};

    use super::super::curve::Curve;
    use super::super::{der, oid};
    use super::*;
    use crate::text::pem;

    fn fixture(pem: &str) -> Vec<u8> {
        pem::blocks(pem.as_bytes()).next().unwrap().content
    }

    #[test]
    fn keys_of_every_kind_are_found_in_versions_1_and_3() {
        let rsa = fixture(include_str!("../../../tests/fixtures/keys/rsa.crt"));
        let key = Certificate::parse(&rsa).unwrap().public_key;
        let PublicKey::Rsa(key) = key else { panic!("{key:?}") };
        assert_eq!((key.bits(), key.exponent), (2048, &[1, 0, 1][..]));
        let p521 = fixture(include_str!("../../../tests/fixtures/keys/p521.crt"));
        let key = Certificate::parse(&p521).unwrap().public_key;
        assert!(matches!(key, PublicKey::Ec { curve: Curve::P521, point: [4, ..] }));
        for (algorithm, curve) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, Curve::P256),
            (&rcgen::PKCS_ECDSA_P384_SHA384, Curve::P384),
        ] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let certificate = CertificateParams::default().self_signed(&key).unwrap();
            let expected = PublicKey::Ec { curve, point: key.public_key_raw() };
            assert_eq!(Certificate::parse(certificate.der()).unwrap().public_key, expected);
        }
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        let expected = PublicKey::Ed25519(key.public_key_raw());
        assert_eq!(Certificate::parse(certificate.der()).unwrap().public_key, expected);
    }

    #[test]
    fn malformed_certificates_have_gos_texts() {
        const NULL: &[u8] = b"\x05\x00";
        let sequence = |parts: &[&[u8]]| der::encode(der::SEQUENCE, &parts.concat());
        let (serial, empty) = (b"\x02\x01\x05", sequence(&[]));
        let algorithm = sequence(&[b"\x06\x01\x2a"]);
        let date = der::encode(der::UTC_TIME, b"260102030405Z");
        let validity = sequence(&[&date, &date]);
        let certificate = |parts: &[&[u8]]| {
            let signed = sequence(parts);
            sequence(&[&signed, &algorithm, b"\x03\x01\x00"])
        };
        let info = |oid: &[u8], parameters: &[u8], key: &[u8]| {
            let oid = der::encode(der::OBJECT_IDENTIFIER, oid);
            let key = der::encode(der::BIT_STRING, &[&[0], key].concat());
            let info = sequence(&[&sequence(&[&oid, parameters]), &key]);
            certificate(&[serial, &algorithm, &empty, &validity, &empty, &info])
        };
        let curve = der::encode(der::OBJECT_IDENTIFIER, Curve::P256.oid());
        let other_curve = der::encode(der::OBJECT_IDENTIFIER, &[0x2b, 0x81, 0x04, 0x00, 0x0a]);
        let table = [
            (b"x".to_vec(), "malformed certificate"),
            ([certificate(&[]), b"x".to_vec()].concat(), "trailing data"),
            (empty.clone(), "malformed tbs certificate"),
            (certificate(&[b"\xa0\x03\x02\x01\x03", serial]), "invalid version"),
            (certificate(&[b"\xa0\x03\x02\x01\xff", serial]), "malformed version"),
            (certificate(&[b"\xa0\x00", serial]), "malformed version"),
            (certificate(&[]), "malformed serial number"),
            (certificate(&[b"\x02\x01\x80"]), "negative serial number"),
            (certificate(&[serial]), "malformed signature algorithm identifier"),
            (
                certificate(&[serial, &sequence(&[serial])]),
                "inner and outer signature algorithm identifiers don't match",
            ),
            (sequence(&[&sequence(&[serial, &empty]), &empty]), "malformed OID"),
            (certificate(&[serial, &algorithm]), "malformed issuer"),
            (certificate(&[serial, &algorithm, &sequence(&[NULL])]), "invalid RDNSequence"),
            (certificate(&[serial, &algorithm, &empty]), "malformed validity"),
            (certificate(&[serial, &algorithm, &empty, &empty]), "unsupported time format"),
            (certificate(&[serial, &algorithm, &empty, &validity]), "malformed issuer"),
            (certificate(&[serial, &algorithm, &empty, &validity, &empty]), "malformed spki"),
            (
                certificate(&[serial, &algorithm, &empty, &validity, &empty, &empty]),
                "malformed public key algorithm identifier",
            ),
            (
                certificate(&[serial, &algorithm, &empty, &validity, &empty, &sequence(&[&empty])]),
                "malformed OID",
            ),
            (info(oid::RSA, b"", b""), "RSA key missing NULL parameters"),
            (info(oid::RSA, NULL, b"x"), "invalid RSA public key"),
            (info(oid::RSA, NULL, &sequence(&[])), "invalid RSA modulus"),
            (info(oid::RSA, NULL, &sequence(&[serial])), "invalid RSA public exponent"),
            (
                info(oid::RSA, NULL, &sequence(&[b"\x02\x01\x00", serial])),
                "RSA modulus is not a positive number",
            ),
            (
                info(oid::RSA, NULL, &sequence(&[serial, b"\x02\x01\x00"])),
                "RSA public exponent is not a positive number",
            ),
            (info(oid::EC, NULL, b""), "invalid ECDSA parameters"),
            (info(oid::EC, &other_curve, b""), "unsupported elliptic curve"),
            (info(oid::EC, &curve, &[2; 33]), "failed to unmarshal elliptic curve point"),
            (info(oid::ED25519, NULL, &[0; 32]), "Ed25519 key encoded with illegal parameters"),
            (info(oid::ED25519, b"", &[0; 31]), "wrong Ed25519 public key size"),
        ];
        for (der, expected) in table {
            let problem = Certificate::parse(&der).unwrap_err().to_string();
            assert_eq!(problem, format!("x509: {expected}"), "{der:x?}");
        }
        let other = info(b"\x2a", b"", b"x");
        assert_eq!(Certificate::parse(&other).unwrap().public_key, PublicKey::Other);
    }

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
