//! Public keys of certificates.

use super::curve::Curve;
use super::der::{self, NULL, OBJECT_IDENTIFIER, Reader, SEQUENCE};
use super::malformed::Malformed;
use super::oid;

/// A public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicKey<'a> {
    Rsa(RsaPublicKey<'a>),
    /// The point is not compressed. The signature shows if it is on the curve.
    Ec {
        curve: Curve,
        point: &'a [u8],
    },
    Ed25519(&'a [u8]),
    /// A key of another kind. It cannot sign in TLS, and verifies nothing.
    Other,
}

/// An RSA public key. Numbers are big-endian, without leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RsaPublicKey<'a> {
    /// The RSAPublicKey as it was sent.
    pub der: &'a [u8],
    pub modulus: &'a [u8],
    pub exponent: &'a [u8],
}

impl<'a> PublicKey<'a> {
    /// Reads a SubjectPublicKeyInfo with its tag and length, by the rules of Go's `parsePublicKey`.
    ///
    /// # Errors
    /// The key is broken, or its curve is unknown.
    pub fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut info = Reader::new(der).nested(SEQUENCE).ok_or("malformed spki")?;
        let mut algorithm =
            info.nested(SEQUENCE).ok_or("malformed public key algorithm identifier")?;
        let kind = algorithm.content(OBJECT_IDENTIFIER).ok_or("malformed OID")?;
        let key = info.bytes_of_bit_string().ok_or("malformed subjectPublicKey")?;
        match kind {
            oid::RSA if algorithm.content(NULL) == Some(&[]) => {
                RsaPublicKey::parse(key).map(Self::Rsa)
            }
            oid::RSA => Err("RSA key missing NULL parameters".into()),
            oid::EC => {
                let curve =
                    algorithm.content(OBJECT_IDENTIFIER).ok_or("invalid ECDSA parameters")?;
                let curve = Curve::from_oid(curve).ok_or("unsupported elliptic curve")?;
                match key.first() == Some(&4) && key.len() == curve.point_length() {
                    true => Ok(Self::Ec { curve, point: key }),
                    false => Err("failed to unmarshal elliptic curve point".into()),
                }
            }
            oid::ED25519 if !algorithm.is_empty() => {
                Err("Ed25519 key encoded with illegal parameters".into())
            }
            oid::ED25519 if key.len() != 32 => Err("wrong Ed25519 public key size".into()),
            oid::ED25519 => Ok(Self::Ed25519(key)),
            _ => Ok(Self::Other),
        }
    }

    /// The name of the key's type in Go.
    pub fn go_type(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "*rsa.PublicKey",
            Self::Ec { .. } => "*ecdsa.PublicKey",
            Self::Ed25519(_) => "ed25519.PublicKey",
            Self::Other => "<nil>",
        }
    }
}

impl<'a> RsaPublicKey<'a> {
    /// Reads an RSAPublicKey. The exponent has at most 63 bits.
    ///
    /// # Errors
    /// It is broken, or a number is not positive. The text is Go's.
    fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(der).nested(SEQUENCE).ok_or("invalid RSA public key")?;
        let modulus = reader.integer().ok_or("invalid RSA modulus")?;
        let exponent = reader.integer().filter(|exponent| exponent.len() <= 8);
        let exponent = exponent.ok_or("invalid RSA public exponent")?;
        let modulus = der::magnitude(modulus).ok_or("RSA modulus is not a positive number")?;
        let exponent =
            der::magnitude(exponent).ok_or("RSA public exponent is not a positive number")?;
        Ok(Self { der, modulus, exponent })
    }

    /// The length of the modulus in bits.
    pub fn bits(&self) -> usize {
        der::bit_length(self.modulus)
    }
}
