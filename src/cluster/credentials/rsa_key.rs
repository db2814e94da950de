//! RSA keys of sizes that ring cannot sign with. ring signs only with 2048, 3072 and 4096 bits, and
//! with public exponents from 65537 on.

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::{BoxedUint, PrivateKey, pkcs1v15, pss};
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

use crate::cluster::x509::RsaPrivateKey;

/// The limits on the modulus in bits. Go has the same lower limit.
const BITS: std::ops::RangeInclusive<usize> = 1024..=8192;

/// The schemes in the order of preference, each with the length of its hash in bytes.
const SCHEMES: [(SignatureScheme, usize); 6] = [
    (SignatureScheme::RSA_PSS_SHA256, 32),
    (SignatureScheme::RSA_PSS_SHA384, 48),
    (SignatureScheme::RSA_PSS_SHA512, 64),
    (SignatureScheme::RSA_PKCS1_SHA256, 32),
    (SignatureScheme::RSA_PKCS1_SHA384, 48),
    (SignatureScheme::RSA_PKCS1_SHA512, 64),
];

/// A key that signs with the `rsa` crate.
#[derive(Debug)]
pub(super) struct RsaKey(Arc<PrivateKey>);

impl RsaKey {
    /// Checks that the numbers of a key fit together.
    ///
    /// # Errors
    /// The key is too small or too large, or its numbers do not fit together.
    pub(super) fn new(key: &RsaPrivateKey<'_>) -> Result<Self> {
        let bits = key.bits();
        if !BITS.contains(&bits) {
            bail!("the RSA key has {bits} bits; locustctl can use RSA keys of 1024 to 8192 bits");
        }
        // An error means that a number is larger than in any valid key.
        let number = |digits, bits| BoxedUint::from_be_slice(digits, bits);
        let (size, half) = (bits as u32, bits.div_ceil(2) as u32);
        let [exponent, prime, other_prime] = key.secrets();
        number(key.modulus, size)
            .and_then(|modulus| {
                let primes = vec![number(prime, half)?, number(other_prime, half)?];
                Ok((modulus, number(key.exponent, 64)?, number(exponent, size)?, primes))
            })
            .ok()
            .and_then(|(modulus, public, private, primes)| {
                PrivateKey::from_components(modulus, public, private, primes).ok()
            })
            .map(|key| Self(Arc::new(key)))
            .ok_or_else(|| anyhow!("tls: failed to parse private key"))
    }

    /// True if a signature with a hash of this length fits into the key's size. PSS needs the space
    /// of two hashes and two bytes (RFC 8017, section 9.1.1). PKCS#1 always needs less.
    fn fits(&self, hash: usize) -> bool {
        use rsa::traits::PublicKeyParts as _;
        self.0.size() >= 2 * hash + 2
    }
}

impl SigningKey for RsaKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let mut usable = SCHEMES.iter().filter(|(_, hash)| self.fits(*hash));
        let (scheme, _) = usable.find(|(scheme, _)| offered.contains(scheme))?;
        Some(Box::new(RsaSigner { key: Arc::clone(&self.0), scheme: *scheme }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

#[derive(Debug)]
struct RsaSigner {
    key: Arc<PrivateKey>,
    scheme: SignatureScheme,
}

impl Signer for RsaSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let key = PrivateKey::clone(&self.key);
        let pss = |signature: pss::Signature| signature.to_vec();
        let pkcs1 = |signature: pkcs1v15::Signature| signature.to_vec();
        let signature = match self.scheme {
            SignatureScheme::RSA_PSS_SHA256 => {
                pss::SigningKey::<Sha256>::new(key).try_sign(message).map(pss)
            }
            SignatureScheme::RSA_PSS_SHA384 => {
                pss::SigningKey::<Sha384>::new(key).try_sign(message).map(pss)
            }
            SignatureScheme::RSA_PSS_SHA512 => {
                pss::SigningKey::<Sha512>::new(key).try_sign(message).map(pss)
            }
            SignatureScheme::RSA_PKCS1_SHA256 => {
                pkcs1v15::SigningKey::<Sha256>::new(key).try_sign(message).map(pkcs1)
            }
            SignatureScheme::RSA_PKCS1_SHA384 => {
                pkcs1v15::SigningKey::<Sha384>::new(key).try_sign(message).map(pkcs1)
            }
            _ => pkcs1v15::SigningKey::<Sha512>::new(key).try_sign(message).map(pkcs1),
        };
        signature.map_err(|_| {
            let text = "signing the TLS handshake with the RSA key failed; check the key with \
                        `openssl pkey -check`";
            Error::General(text.to_owned())
        })
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

#[cfg(test)]
mod tests {
    use rsa::signature::Verifier as _;
    use rsa::{PublicKey, traits::PublicKeyParts as _};

    use super::*;
    use crate::cluster::x509;
    use crate::text::pem;

    fn key(pem: &str) -> Result<RsaKey> {
        let der = pem::blocks(pem.as_bytes()).next().unwrap().content;
        match x509::PrivateKey::parse(&der) {
            Ok(x509::PrivateKey::Rsa(key)) => RsaKey::new(&key),
            other => panic!("{other:?}"),
        }
    }

    fn sign(key: &RsaKey, scheme: SignatureScheme) -> Vec<u8> {
        key.choose_scheme(&[scheme]).unwrap().sign(b"message").unwrap()
    }

    #[test]
    fn small_keys_sign_with_every_scheme_that_fits() {
        let key = key(include_str!("../../../tests/fixtures/keys/rsa1024.pkcs8.key")).unwrap();
        assert!(key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA512]).is_none());
        assert!(key.choose_scheme(&[SignatureScheme::ED25519]).is_none());
        let public: &PublicKey = (*key.0).as_ref();
        macro_rules! verifies {
            ($scheme:ident, $module:ident, $hash:ty) => {
                let signature = sign(&key, SignatureScheme::$scheme);
                assert_eq!(signature.len(), key.0.size());
                let signature = $module::Signature::try_from(&signature[..]).unwrap();
                let verifier = $module::VerifyingKey::<$hash>::new(public.clone());
                assert!(verifier.verify(b"message", &signature).is_ok());
            };
        }
        verifies!(RSA_PSS_SHA256, pss, Sha256);
        verifies!(RSA_PSS_SHA384, pss, Sha384);
        verifies!(RSA_PKCS1_SHA256, pkcs1v15, Sha256);
        verifies!(RSA_PKCS1_SHA384, pkcs1v15, Sha384);
    }

    #[test]
    fn damaged_keys_are_refused_in_a_short_time() {
        let text = include_str!("../../../tests/fixtures/keys/rsa1024.pkcs8.key");
        let der = pem::blocks(text.as_bytes()).next().unwrap().content;
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..200 {
            let mut damaged = der.clone();
            // The numbers begin after the modulus and the public exponent.
            let at = random.usize(180..damaged.len());
            damaged[at] ^= 1 << random.u8(..8);
            if let Ok(x509::PrivateKey::Rsa(key)) = x509::PrivateKey::parse(&damaged) {
                let _ = RsaKey::new(&key);
            }
        }
    }
}
