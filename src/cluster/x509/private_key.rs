//! Private keys in the three forms that Go's `crypto/tls` tries one after the other: PKCS#1 (RFC
//! 8017), PKCS#8 (RFC 5208) and SEC1 (RFC 5915). The label of the PEM block does not matter.

use std::fmt;

use super::curve::Curve;
use super::der::{self, Reader};
use super::oid;

/// Go's error for a key in none of the forms.
const UNKNOWN_FORM: &str = "tls: failed to parse private key";

/// A private key. Its parts are secrets.
pub enum PrivateKey<'a> {
    Rsa(RsaPrivateKey<'a>),
    /// The scalar has the length of the curve.
    Ec {
        curve: Curve,
        scalar: Vec<u8>,
    },
    /// The seed of 32 bytes (RFC 8032).
    Ed25519(&'a [u8]),
}

/// An RSA key with two primes. Numbers are big-endian, without leading zeros.
pub struct RsaPrivateKey<'a> {
    pub modulus: &'a [u8],
    pub exponent: &'a [u8],
    /// The private exponent, the two primes, and the three numbers that are derived from them.
    secrets: [&'a [u8]; 6],
}

/// Shows only the kind of the key.
impl fmt::Debug for PrivateKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa(_) => "Rsa(…)",
            Self::Ec { .. } => "Ec(…)",
            Self::Ed25519(_) => "Ed25519(…)",
        })
    }
}

impl<'a> PrivateKey<'a> {
    /// Reads the content of a PEM block, by the rules of `parsePrivateKey` in Go's `crypto/tls`.
    ///
    /// # Errors
    /// The text is Go's.
    pub fn parse(der: &'a [u8]) -> Result<Self, &'static str> {
        if let Some(key) = RsaPrivateKey::parse(der) {
            return Ok(Self::Rsa(key));
        }
        if let Some(key) = pkcs8(der) {
            return key;
        }
        sec1(der, None).ok_or(UNKNOWN_FORM)
    }

    /// The key as PKCS#8, with its public key. A key of Ed25519 needs none.
    pub fn to_pkcs8(&self, public_key: &[u8]) -> Vec<u8> {
        let (oid, parameters, key) = match self {
            Self::Rsa(key) => (oid::RSA, der::encode(der::NULL, &[]), key.to_pkcs1()),
            Self::Ec { curve, scalar } => {
                let public_key = der::encode(der::BIT_STRING, &[&[0], public_key].concat());
                let parts = [
                    der::encode_positive(&[1]),
                    der::encode(der::OCTET_STRING, scalar),
                    der::encode(der::constructed(1), &public_key),
                ];
                let curve = der::encode(der::OBJECT_IDENTIFIER, curve.oid());
                (oid::EC, curve, der::encode(der::SEQUENCE, &parts.concat()))
            }
            Self::Ed25519(seed) => (oid::ED25519, Vec::new(), der::encode(der::OCTET_STRING, seed)),
        };
        let algorithm = [der::encode(der::OBJECT_IDENTIFIER, oid), parameters].concat();
        let parts = [
            der::encode(der::INTEGER, &[0]),
            der::encode(der::SEQUENCE, &algorithm),
            der::encode(der::OCTET_STRING, &key),
        ];
        der::encode(der::SEQUENCE, &parts.concat())
    }
}

impl<'a> RsaPrivateKey<'a> {
    /// Reads PKCS#1 by the rules of Go's `x509.ParsePKCS1PrivateKey`, without the check that the
    /// numbers fit together.
    fn parse(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader::new(der);
        let mut key = outer.nested(der::SEQUENCE)?;
        // Version 1 has more than two primes.
        if !outer.is_empty() || key.integer()? != [0] {
            return None;
        }
        let (modulus, exponent) = (key.positive()?, key.positive()?);
        let mut secrets = [&modulus[..0]; 6];
        for secret in &mut secrets {
            *secret = key.positive()?;
        }
        Some(Self { modulus, exponent, secrets })
    }

    /// The size of the modulus in bits.
    pub fn bits(&self) -> usize {
        der::bit_length(self.modulus)
    }

    /// The private exponent and the two primes.
    pub fn secrets(&self) -> [&'a [u8]; 3] {
        let [exponent, prime, other_prime, ..] = self.secrets;
        [exponent, prime, other_prime]
    }

    /// The key as PKCS#1.
    fn to_pkcs1(&self) -> Vec<u8> {
        let mut parts = der::encode(der::INTEGER, &[0]);
        for number in [self.modulus, self.exponent].iter().chain(&self.secrets) {
            parts.extend(der::encode_positive(number));
        }
        der::encode(der::SEQUENCE, &parts)
    }
}

/// Reads PKCS#8 by the rules of Go's `x509.ParsePKCS8PrivateKey`. `None` if the key is in another
/// form. The elements after the key are ignored, such as attributes and a public key.
fn pkcs8(der: &[u8]) -> Option<Result<PrivateKey<'_>, &'static str>> {
    let mut info = Reader::new(der).nested(der::SEQUENCE)?;
    info.integer()?;
    let mut algorithm = info.nested(der::SEQUENCE)?;
    let kind = algorithm.content(der::OBJECT_IDENTIFIER)?;
    let key = info.content(der::OCTET_STRING)?;
    let key = match kind {
        oid::RSA => PrivateKey::Rsa(RsaPrivateKey::parse(key)?),
        oid::EC => sec1(key, algorithm.content(der::OBJECT_IDENTIFIER))?,
        oid::ED25519 if algorithm.is_empty() => {
            let seed = Reader::new(key).content(der::OCTET_STRING)?;
            PrivateKey::Ed25519((seed.len() == 32).then_some(seed)?)
        }
        oid::X25519 if algorithm.is_empty() => {
            return Some(Err("tls: found unknown private key type in PKCS#8 wrapping"));
        }
        _ => return None,
    };
    Some(Ok(key))
}

/// Reads SEC1 by the rules of Go's `x509.parseECPrivateKey`. If PKCS#8 names a curve, that curve is used
/// instead of the key's own. The public key is ignored.
fn sec1<'a>(der: &'a [u8], curve: Option<&[u8]>) -> Option<PrivateKey<'a>> {
    let mut key = Reader::new(der).nested(der::SEQUENCE)?;
    if key.integer()? != [1] {
        return None;
    }
    let given = key.content(der::OCTET_STRING)?;
    let own = key.content(der::constructed(0)).map(Reader::new);
    let own = own.and_then(|mut parameters| parameters.content(der::OBJECT_IDENTIFIER));
    let curve = Curve::from_oid(curve.or(own)?)?;
    // Some programs add leading zeros to the scalar, and some remove them.
    let zeros = given.len().saturating_sub(curve.length());
    let (zeros, digits) = given.split_at(zeros);
    if zeros.iter().any(|&digit| digit != 0) {
        return None;
    }
    let mut scalar = vec![0; curve.length() - digits.len()];
    scalar.extend_from_slice(digits);
    Some(PrivateKey::Ec { curve, scalar })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::pem;

    fn content(pem: &str) -> Vec<u8> {
        pem::blocks(pem.as_bytes()).last().unwrap().content
    }

    #[test]
    fn each_form_gives_the_same_key() {
        for (one, other) in [
            (
                include_str!("../../../tests/fixtures/keys/rsa.pkcs1.key"),
                include_str!("../../../tests/fixtures/keys/rsa.pkcs8.key"),
            ),
            (
                include_str!("../../../tests/fixtures/keys/p256.sec1.key"),
                include_str!("../../../tests/fixtures/keys/p256.pkcs8.key"),
            ),
            (
                include_str!("../../../tests/fixtures/keys/p521.sec1.key"),
                include_str!("../../../tests/fixtures/keys/p521.pkcs8.key"),
            ),
        ] {
            let [one, other] = [one, other].map(|pem| {
                let der = content(pem);
                PrivateKey::parse(&der).unwrap().to_pkcs8(b"public")
            });
            assert_eq!(one, other);
            assert_eq!(PrivateKey::parse(&one).unwrap().to_pkcs8(b"public"), one);
        }
    }

    fn sec1_key(scalar: &[u8], parameters: &[u8]) -> Vec<u8> {
        let scalar = der::encode(der::OCTET_STRING, scalar);
        der::encode(der::SEQUENCE, &[&b"\x02\x01\x01"[..], &scalar, parameters].concat())
    }

    #[test]
    fn leading_zeros_of_a_scalar_may_be_missing_or_too_many() {
        let oid = der::encode(der::OBJECT_IDENTIFIER, Curve::P256.oid());
        let curve = der::encode(der::constructed(0), &oid);
        for scalar in [&[7][..], &[&[0; 40][..], &[7]].concat()] {
            match PrivateKey::parse(&sec1_key(scalar, &curve)) {
                Ok(PrivateKey::Ec { curve: Curve::P256, scalar }) => {
                    assert_eq!(scalar, [&[0; 31][..], &[7]].concat());
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(PrivateKey::parse(&sec1_key(&[1; 33], &curve)).is_err());
    }

    #[test]
    fn keys_that_go_refuses() {
        let oid = der::encode(der::OBJECT_IDENTIFIER, &[0x2b, 0x81, 0x04, 0x00, 0x0a]);
        let unknown_curve = der::encode(der::constructed(0), &oid);
        let pkcs8 = |oid: &[u8], key: &[u8]| {
            let oid = der::encode(der::OBJECT_IDENTIFIER, oid);
            let algorithm = der::encode(der::SEQUENCE, &oid);
            let key = der::encode(der::OCTET_STRING, key);
            der::encode(der::SEQUENCE, &[&b"\x02\x01\x00"[..], &algorithm, &key].concat())
        };
        for (der, expected) in [
            (b"".to_vec(), UNKNOWN_FORM),
            (b"x".to_vec(), UNKNOWN_FORM),
            (sec1_key(&[1], &unknown_curve), UNKNOWN_FORM),
            (sec1_key(&[1], b""), UNKNOWN_FORM),
            (pkcs8(oid::ED25519, b"\x04\x01x"), UNKNOWN_FORM),
            (pkcs8(oid::RSA, b"x"), UNKNOWN_FORM),
            (pkcs8(b"\x2a", b"x"), UNKNOWN_FORM),
            (
                pkcs8(oid::X25519, &[&b"\x04\x20"[..], &[1; 32]].concat()),
                "tls: found unknown private key type in PKCS#8 wrapping",
            ),
        ] {
            assert_eq!(PrivateKey::parse(&der).err(), Some(expected), "{der:x?}");
        }
    }
}
