//! The key that signs TLS handshakes, made from a private key and the public key of its certificate.

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::{DerSignature, SigningKey as P521SigningKey};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

use super::rsa_key::RsaKey;
use crate::cluster::x509::{Curve, PrivateKey, PublicKey};

/// Go's text for a key of another certificate.
const MISMATCH: &str = "tls: private key does not match public key";

/// The signing key of a private key that belongs to this public key.
///
/// # Errors
/// The keys do not belong together, in the words of Go's `tls.X509KeyPair`; or TLS or the library
/// cannot sign with such a key.
pub(super) fn signing_key(
    key: &PrivateKey<'_>,
    public: &PublicKey<'_>,
) -> Result<Arc<dyn SigningKey>> {
    match (public, key) {
        (PublicKey::Rsa(public), PrivateKey::Rsa(own)) => {
            if (public.modulus, public.exponent) != (own.modulus, own.exponent) {
                bail!(MISMATCH);
            }
            match rustls_key(key, &[]) {
                Ok(key) => Ok(key),
                Err(_) => Ok(Arc::new(RsaKey::new(own)?)),
            }
        }
        (PublicKey::Ec { curve, point }, PrivateKey::Ec { curve: own, scalar }) => {
            if curve != own {
                bail!(MISMATCH);
            }
            match curve {
                Curve::P224 => bail!(
                    "the key has the curve P-224, which TLS cannot use; create one with the curve P-256"
                ),
                // The library computes the public key and compares it.
                Curve::P256 | Curve::P384 => rustls_key(key, point).map_err(|_| anyhow!(MISMATCH)),
                Curve::P521 => Ok(Arc::new(P521Key::new(scalar, point)?)),
            }
        }
        (PublicKey::Ed25519(public), PrivateKey::Ed25519(_)) => {
            let key =
                rustls_key(key, &[]).map_err(|_| anyhow!("tls: failed to parse private key"))?;
            // The key is at the end of its SubjectPublicKeyInfo.
            match key.public_key() {
                Some(own) if own.ends_with(public) => Ok(key),
                _ => bail!(MISMATCH),
            }
        }
        (PublicKey::Other, _) => bail!("tls: unknown public key algorithm"),
        _ => bail!("tls: private key type does not match public key type"),
    }
}

fn rustls_key(key: &PrivateKey<'_>, public: &[u8]) -> Result<Arc<dyn SigningKey>, Error> {
    any_supported_type(&PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_pkcs8(public))))
}

/// A key of P-521, which the library does not have.
#[derive(Debug, Clone)]
struct P521Key(P521SigningKey);

impl P521Key {
    fn new(scalar: &[u8], point: &[u8]) -> Result<Self> {
        let key = P521SigningKey::from_slice(scalar)
            .map_err(|_| anyhow!("tls: failed to parse private key"))?;
        match key.verifying_key().to_sec1_point(false).as_bytes() == point {
            true => Ok(Self(key)),
            false => bail!(MISMATCH),
        }
    }
}

impl SigningKey for P521Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&self.scheme()).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for P521Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature: DerSignature = self.0.sign(message);
        Ok(signature.as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}
