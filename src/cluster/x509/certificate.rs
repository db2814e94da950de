//! The public key of a certificate.

use super::curve::Curve;
use super::der::{self, Reader};

/// The contents of the object identifiers of key algorithms.
pub(super) mod oid {
    /// 1.2.840.113549.1.1.1
    pub const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    /// 1.2.840.10045.2.1
    pub const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    /// 1.3.101.112
    pub const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
    /// 1.3.101.110
    pub const X25519: &[u8] = &[0x2b, 0x65, 0x6e];
}

/// The part of a certificate that locustctl needs of its own ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate<'a> {
    pub public_key: PublicKey<'a>,
}

/// A public key. Numbers are big-endian, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey<'a> {
    Rsa {
        modulus: &'a [u8],
        exponent: &'a [u8],
    },
    Ec {
        curve: Curve,
        point: &'a [u8],
    },
    Ed25519(&'a [u8]),
    /// A key of another algorithm. It cannot sign in TLS.
    Other,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate of version 1, 2 or 3.
    ///
    /// Names, dates and extensions are not read, in contrast to Go's `x509.ParseCertificate`: the
    /// other side of the connection judges them.
    ///
    /// # Errors
    /// The text is Go's.
    pub fn parse(der: &'a [u8]) -> Result<Self, &'static str> {
        let mut outer = Reader::new(der);
        let mut certificate = outer.sequence().ok_or("x509: malformed certificate")?;
        if !outer.rest().is_empty() {
            return Err("x509: trailing data");
        }
        let mut signed = certificate.sequence().ok_or("x509: malformed tbs certificate")?;
        check_version(&mut signed)?;
        let serial = signed.integer().ok_or("x509: malformed serial number")?;
        if matches!(serial, [0x80..=0xff, ..]) {
            return Err("x509: negative serial number");
        }
        let algorithm =
            signed.sequence().ok_or("x509: malformed signature algorithm identifier")?;
        let outer = certificate.sequence().ok_or("x509: malformed algorithm identifier")?;
        if algorithm.rest() != outer.rest() {
            return Err("x509: inner and outer signature algorithm identifiers don't match");
        }
        signed.sequence().ok_or("x509: malformed issuer")?;
        signed.sequence().ok_or("x509: malformed validity")?;
        // Go has this text for the subject too.
        signed.sequence().ok_or("x509: malformed issuer")?;
        let key = signed.sequence().ok_or("x509: malformed spki")?;
        let public_key = PublicKey::parse(key)?;
        certificate.content(der::BIT_STRING).ok_or("x509: malformed signature")?;
        Ok(Self { public_key })
    }
}

fn check_version(signed: &mut Reader<'_>) -> Result<(), &'static str> {
    let Some(version) = signed.content(der::context(0)) else { return Ok(()) };
    match Reader::new(version).integer() {
        Some([0..=2]) => Ok(()),
        Some([0..=0x7f, ..]) => Err("x509: invalid version"),
        _ => Err("x509: malformed version"),
    }
}

impl<'a> PublicKey<'a> {
    fn parse(mut info: Reader<'a>) -> Result<Self, &'static str> {
        const MALFORMED: &str = "x509: malformed public key algorithm identifier";
        let mut algorithm = info.sequence().ok_or(MALFORMED)?;
        let oid = algorithm.content(der::OBJECT_IDENTIFIER).ok_or(MALFORMED)?;
        let parameters = algorithm.rest();
        let Some([0, key @ ..]) = info.content(der::BIT_STRING) else {
            return Err("x509: malformed subjectPublicKey");
        };
        match oid {
            oid::RSA if parameters != der::NULL => Err("x509: RSA key missing NULL parameters"),
            oid::RSA => Self::parse_rsa(key),
            oid::EC => Self::parse_ec(parameters, key),
            oid::ED25519 if !parameters.is_empty() => {
                Err("x509: Ed25519 key encoded with illegal parameters")
            }
            oid::ED25519 if key.len() != 32 => Err("x509: wrong Ed25519 public key size"),
            oid::ED25519 => Ok(Self::Ed25519(key)),
            _ => Ok(Self::Other),
        }
    }

    fn parse_rsa(key: &'a [u8]) -> Result<Self, &'static str> {
        let mut key = Reader::new(key).sequence().ok_or("x509: invalid RSA public key")?;
        let modulus = key.positive().ok_or("x509: invalid RSA modulus")?;
        let exponent = key.positive().ok_or("x509: invalid RSA public exponent")?;
        Ok(Self::Rsa { modulus, exponent })
    }

    fn parse_ec(parameters: &[u8], point: &'a [u8]) -> Result<Self, &'static str> {
        let curve = Reader::new(parameters)
            .content(der::OBJECT_IDENTIFIER)
            .ok_or("x509: invalid ECDSA parameters")?;
        let curve = Curve::from_oid(curve).ok_or("x509: unsupported elliptic curve")?;
        // Go takes only the uncompressed form. The signature shows if the point is on the curve.
        match point {
            [4, ..] if point.len() == 1 + 2 * curve.length() => Ok(Self::Ec { curve, point }),
            _ => Err("x509: failed to unmarshal elliptic curve point"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::text::pem;

    fn fixture(pem: &str) -> Vec<u8> {
        pem::blocks(pem.as_bytes()).next().unwrap().content
    }

    #[test]
    fn keys_of_every_kind_are_found_in_versions_1_and_3() {
        let rsa = fixture(include_str!("../../../tests/fixtures/keys/rsa.crt"));
        let key = Certificate::parse(&rsa).unwrap().public_key;
        assert!(
            matches!(key, PublicKey::Rsa { modulus, exponent: [1, 0, 1] } if modulus.len() == 256)
        );
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
        let sequence = |parts: &[&[u8]]| der::encode(der::SEQUENCE, &parts.concat());
        let (serial, empty) = (b"\x02\x01\x05", sequence(&[]));
        let certificate = |parts: &[&[u8]]| {
            let signed = sequence(parts);
            sequence(&[&signed, &empty, b"\x03\x01\x00"])
        };
        let info = |oid: &[u8], parameters: &[u8], key: &[u8]| {
            let oid = der::encode(der::OBJECT_IDENTIFIER, oid);
            let key = der::encode(der::BIT_STRING, &[&[0], key].concat());
            let info = sequence(&[&sequence(&[&oid, parameters]), &key]);
            certificate(&[serial, &empty, &empty, &empty, &empty, &info])
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
            (certificate(&[serial, &empty]), "malformed issuer"),
            (certificate(&[serial, &empty, &empty]), "malformed validity"),
            (certificate(&[serial, &empty, &empty, &empty]), "malformed issuer"),
            (certificate(&[serial, &empty, &empty, &empty, &empty]), "malformed spki"),
            (
                certificate(&[serial, &empty, &empty, &empty, &empty, &empty]),
                "malformed public key algorithm identifier",
            ),
            (info(oid::RSA, b"", b""), "RSA key missing NULL parameters"),
            (info(oid::RSA, &der::NULL, b"x"), "invalid RSA public key"),
            (info(oid::RSA, &der::NULL, &sequence(&[])), "invalid RSA modulus"),
            (info(oid::RSA, &der::NULL, &sequence(&[serial])), "invalid RSA public exponent"),
            (info(oid::EC, &der::NULL, b""), "invalid ECDSA parameters"),
            (info(oid::EC, &other_curve, b""), "unsupported elliptic curve"),
            (info(oid::EC, &curve, &[2; 33]), "failed to unmarshal elliptic curve point"),
            (
                info(oid::ED25519, &der::NULL, &[0; 32]),
                "Ed25519 key encoded with illegal parameters",
            ),
            (info(oid::ED25519, b"", &[0; 31]), "wrong Ed25519 public key size"),
        ];
        for (der, expected) in table {
            assert_eq!(Certificate::parse(&der), Err(&*format!("x509: {expected}")), "{der:x?}");
        }
        let other = info(b"\x2a", b"", b"x");
        assert_eq!(Certificate::parse(&other).unwrap().public_key, PublicKey::Other);
    }
}
