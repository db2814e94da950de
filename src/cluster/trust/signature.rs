//! Signatures, verified with the public keys of certificates. ring verifies what it can, and
//! RustCrypto the rest.

use ring::signature as ring_signature;
use ring_signature::VerificationAlgorithm;

use super::{ecdsa, rsa};
use crate::cluster::x509::{Curve, Hash, PublicKey, SignatureAlgorithm};

/// The reason why a signature was not accepted. The texts are Go's.
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

/// Verifies a signature over `message`, by the rules of Go's `checkSignature`.
///
/// # Errors
/// The signature is wrong, or the algorithm is weak, unknown, or one for other keys.
pub fn verify(
    key: &PublicKey<'_>,
    algorithm: SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    use SignatureAlgorithm as Algorithm;
    match (key, algorithm) {
        (_, Algorithm::Unknown) | (PublicKey::Other, _) => Err(SignatureError::Unsupported),
        (_, Algorithm::Insecure(name)) => Err(SignatureError::Insecure(name)),
        (PublicKey::Rsa(key), Algorithm::Rsa(padding, hash)) => {
            if key.bits() < rsa::MIN_BITS {
                return Err(SignatureError::SmallKey(key.bits()));
            }
            match rsa::verify(key, padding, hash, message, signature) {
                true => Ok(()),
                false => Err(SignatureError::Rsa),
            }
        }
        (PublicKey::Ec { curve, point }, Algorithm::Ecdsa(hash)) => {
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
                _ => ecdsa::verify(*curve, point, hash, message, signature),
            };
            if is_valid { Ok(()) } else { Err(SignatureError::Ecdsa) }
        }
        (PublicKey::Ed25519(key), Algorithm::Ed25519) => {
            match ring(&ring_signature::ED25519, key, message, signature) {
                true => Ok(()),
                false => Err(SignatureError::Ed25519),
            }
        }
        (key, algorithm) => {
            Err(SignatureError::OtherKey { algorithm: algorithm.key_name(), key: key.go_type() })
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
