//! Public keys of certificates, and their signatures.

use ring::signature as ring_signature;
use ring_signature::VerificationAlgorithm;

use super::asn1::{BIT_STRING, NULL, OBJECT_IDENTIFIER, Reader, SEQUENCE};
use super::ecdsa::{self, Curve};
use super::malformed::Malformed;
use super::rsa;
use super::signature_algorithm::{Hash, SignatureAlgorithm};

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// A public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicKey<'a> {
    Rsa(rsa::PublicKey<'a>),
    /// The point is not compressed.
    Ecdsa {
        curve: Curve,
        point: &'a [u8],
    },
    Ed25519(&'a [u8]),
    /// A key of another kind, which verifies nothing.
    Other,
}

/// Why a signature was not accepted. The texts are Go's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("x509: cannot verify signature: algorithm unimplemented")]
    Unsupported,
    #[error("x509: cannot verify signature: insecure algorithm {0}")]
    Insecure(&'static str),
    #[error(
        "x509: signature algorithm specifies an {algorithm} public key, but have public key of type {key}"
    )]
    OtherKey { algorithm: &'static str, key: &'static str },
    #[error(
        "crypto/rsa: {0}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)"
    )]
    SmallKey(usize),
    #[error("crypto/rsa: verification error")]
    Rsa,
    #[error("x509: ECDSA verification failure")]
    Ecdsa,
    #[error("x509: Ed25519 verification failure")]
    Ed25519,
}

impl<'a> PublicKey<'a> {
    /// Reads a SubjectPublicKeyInfo with its tag and length, as Go's `parsePublicKey` does.
    ///
    /// # Errors
    /// The key is broken, or its curve is unknown.
    pub fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut info = Reader::new(der).nested(SEQUENCE).ok_or("malformed spki")?;
        let mut algorithm =
            info.nested(SEQUENCE).ok_or("malformed public key algorithm identifier")?;
        let kind = algorithm.content(OBJECT_IDENTIFIER).ok_or("malformed OID")?;
        let key = match info.is_next(BIT_STRING) {
            true => info.bytes_of_bit_string(),
            false => None,
        };
        let key = key.ok_or("malformed subjectPublicKey")?;
        match kind {
            RSA if algorithm.content(NULL) == Some(&[]) => {
                rsa::PublicKey::parse(key).map(Self::Rsa)
            }
            RSA => Err("RSA key missing NULL parameters".into()),
            EC => {
                let curve =
                    algorithm.content(OBJECT_IDENTIFIER).ok_or("invalid ECDSA parameters")?;
                let curve = Curve::of(curve).ok_or("unsupported elliptic curve")?;
                match key.first() == Some(&4) && key.len() == curve.point_length() {
                    true => Ok(Self::Ecdsa { curve, point: key }),
                    false => Err("failed to unmarshal elliptic curve point".into()),
                }
            }
            ED25519 if !algorithm.is_empty() => {
                Err("Ed25519 key encoded with illegal parameters".into())
            }
            ED25519 if key.len() != 32 => Err("wrong Ed25519 public key size".into()),
            ED25519 => Ok(Self::Ed25519(key)),
            _ => Ok(Self::Other),
        }
    }

    /// Verifies a signature over `message`, as Go's `checkSignature` does.
    ///
    /// # Errors
    /// The signature is wrong, or the algorithm is weak, unknown, or one for other keys.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        use SignatureAlgorithm as Algorithm;
        match (self, algorithm) {
            (_, Algorithm::Unknown) | (Self::Other, _) => Err(SignatureError::Unsupported),
            (_, Algorithm::Insecure(name)) => Err(SignatureError::Insecure(name)),
            (Self::Rsa(key), Algorithm::Rsa(padding, hash)) => {
                if key.bits() < rsa::MIN_BITS {
                    return Err(SignatureError::SmallKey(key.bits()));
                }
                match key.verify(padding, hash, message, signature) {
                    true => Ok(()),
                    false => Err(SignatureError::Rsa),
                }
            }
            (Self::Ecdsa { curve, point }, Algorithm::Ecdsa(hash)) => {
                let is_valid = match (curve, hash) {
                    (Curve::P224, _) => return Err(SignatureError::Unsupported),
                    // ring is several times faster, so it verifies what it can.
                    (Curve::P256, Hash::Sha256) => {
                        ring(&ring_signature::ECDSA_P256_SHA256_ASN1, point, message, signature)
                    }
                    (Curve::P256, Hash::Sha384) => {
                        ring(&ring_signature::ECDSA_P256_SHA384_ASN1, point, message, signature)
                    }
                    (Curve::P384, Hash::Sha256) => {
                        ring(&ring_signature::ECDSA_P384_SHA256_ASN1, point, message, signature)
                    }
                    (Curve::P384, Hash::Sha384) => {
                        ring(&ring_signature::ECDSA_P384_SHA384_ASN1, point, message, signature)
                    }
                    _ => ecdsa::verify(*curve, point, hash.digest(message).as_ref(), signature),
                };
                if is_valid { Ok(()) } else { Err(SignatureError::Ecdsa) }
            }
            (Self::Ed25519(key), Algorithm::Ed25519) => {
                match ring(&ring_signature::ED25519, key, message, signature) {
                    true => Ok(()),
                    false => Err(SignatureError::Ed25519),
                }
            }
            (key, algorithm) => Err(SignatureError::OtherKey {
                algorithm: algorithm.key_name(),
                key: key.go_type(),
            }),
        }
    }

    /// The name of the key's type in Go.
    pub fn go_type(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "*rsa.PublicKey",
            Self::Ecdsa { .. } => "*ecdsa.PublicKey",
            Self::Ed25519(_) => "ed25519.PublicKey",
            Self::Other => "<nil>",
        }
    }
}

fn ring(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    ring_signature::UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok()
}
