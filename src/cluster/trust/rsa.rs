//! RSA signatures. ring verifies signatures of keys from 2048 bits on, and of smaller keys only with some
//! hashes. Go accepts 1024 bits with every hash and padding, so the `rsa` crate verifies the rest.

use ring::signature::{self, RsaParameters, UnparsedPublicKey};
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::Verifier as _;
use rsa::{BoxedUint, pkcs1v15, pss};

use crate::cluster::x509::{Hash, Padding, RsaPublicKey};

/// Go's limit since 1.24, in bits.
pub const MIN_BITS: usize = 1024;

/// The smallest key that ring supports with every hash and padding.
const RING_MIN_BITS: usize = 2048;

/// True if the signature is valid for the message. The key must have at least [`MIN_BITS`].
pub fn verify(
    key: &RsaPublicKey<'_>,
    padding: Padding,
    hash: Hash,
    message: &[u8],
    signature: &[u8],
) -> bool {
    if key.bits() >= RING_MIN_BITS {
        let key = UnparsedPublicKey::new(parameters(padding, hash), key.der);
        return key.verify(message, signature).is_ok();
    }
    verify_small(key, padding, hash, message, signature).unwrap_or(false)
}

/// `None` if the key or the signature cannot be valid.
fn verify_small(
    key: &RsaPublicKey<'_>,
    padding: Padding,
    hash: Hash,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let number = |digits: &[u8]| BoxedUint::from_be_slice_vartime(digits);
    let key = rsa::PublicKey::new(number(key.modulus), number(key.exponent)).ok()?;
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
