//! RSA signatures. ring verifies keys of 2048 bits or more, and with two hashes those of 1024. Go
//! takes 1024 bits with every hash and padding, so the `rsa` crate verifies the smaller keys.

use ring::signature::{self, RsaParameters, UnparsedPublicKey};
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::Verifier as _;
use rsa::{BoxedUint, pkcs1v15, pss};

use super::asn1::{Reader, SEQUENCE};
use super::malformed::Malformed;
use super::signature_algorithm::{Hash, Padding};

/// Go's limit since 1.24, in bits.
pub const MIN_BITS: usize = 1024;

/// Keys with fewer bits are beyond ring.
const RING_MIN_BITS: usize = 2048;

/// An RSA public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey<'a> {
    /// The RSAPublicKey.
    der: &'a [u8],
    /// Big-endian, without leading zeros.
    modulus: &'a [u8],
    exponent: u64,
}

impl<'a> PublicKey<'a> {
    /// Reads an RSAPublicKey.
    ///
    /// # Errors
    /// It is broken, or a number is not positive. The text is Go's.
    pub fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(der).nested(SEQUENCE).ok_or("invalid RSA public key")?;
        let modulus = reader.integer().ok_or("invalid RSA modulus")?;
        let exponent = reader.small_integer().ok_or("invalid RSA public exponent")?;
        let modulus = match modulus {
            [0, modulus @ ..] if !modulus.is_empty() => modulus,
            [1..0x80, ..] => modulus,
            _ => return Err("RSA modulus is not a positive number".into()),
        };
        match exponent {
            0 => Err("RSA public exponent is not a positive number".into()),
            exponent => Ok(Self { der, modulus, exponent }),
        }
    }

    /// The length of the modulus in bits.
    pub fn bits(&self) -> usize {
        let leading = self.modulus.first().map_or(0, |byte| byte.leading_zeros());
        self.modulus.len() * 8 - leading as usize
    }

    /// True if the signature is valid for the message. The key must have at least [`MIN_BITS`].
    pub fn verify(&self, padding: Padding, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        if self.bits() >= RING_MIN_BITS {
            let key = UnparsedPublicKey::new(parameters(padding, hash), self.der);
            return key.verify(message, signature).is_ok();
        }
        self.verify_small(padding, hash, message, signature).unwrap_or(false)
    }

    /// `None` if the key or the signature cannot be valid.
    fn verify_small(
        &self,
        padding: Padding,
        hash: Hash,
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let number = |digits: &[u8]| BoxedUint::from_be_slice_vartime(digits);
        let exponent = self.exponent.to_be_bytes();
        let key = rsa::PublicKey::new(number(self.modulus), number(&exponent)).ok()?;
        macro_rules! verify {
            ($padding:ident, $hash:ty) => {{
                let signature = $padding::Signature::try_from(signature).ok()?;
                $padding::VerifyingKey::<$hash>::new(key).verify(message, &signature).is_ok()
            }};
        }
        Some(match (padding, hash) {
            (Padding::Pkcs1, Hash::Sha256) => verify!(pkcs1v15, Sha256),
            (Padding::Pkcs1, Hash::Sha384) => verify!(pkcs1v15, Sha384),
            (Padding::Pkcs1, Hash::Sha512) => verify!(pkcs1v15, Sha512),
            (Padding::Pss, Hash::Sha256) => verify!(pss, Sha256),
            (Padding::Pss, Hash::Sha384) => verify!(pss, Sha384),
            (Padding::Pss, Hash::Sha512) => verify!(pss, Sha512),
        })
    }
}

fn parameters(padding: Padding, hash: Hash) -> &'static RsaParameters {
    match (padding, hash) {
        (Padding::Pkcs1, Hash::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (Padding::Pkcs1, Hash::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (Padding::Pkcs1, Hash::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (Padding::Pss, Hash::Sha256) => &signature::RSA_PSS_2048_8192_SHA256,
        (Padding::Pss, Hash::Sha384) => &signature::RSA_PSS_2048_8192_SHA384,
        (Padding::Pss, Hash::Sha512) => &signature::RSA_PSS_2048_8192_SHA512,
    }
}
