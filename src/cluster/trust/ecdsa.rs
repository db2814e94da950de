//! ECDSA signatures with the pairs of curve and hash that ring does not verify.

use ring::digest;

use crate::cluster::x509::{Curve, Hash};

/// True if `signature` (DER) is valid for the message. A digest that is longer than the order of
/// the curve is cut, as FIPS 186-5 says.
pub fn verify(curve: Curve, point: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let digest = digest::digest(algorithm(hash), message);
    // The libraries share their traits but not their types, and a macro is shorter than the bounds
    // of a generic function.
    macro_rules! verify {
        ($library:ident) => {{
            use $library::ecdsa::signature::hazmat::PrehashVerifier;
            let key = $library::ecdsa::VerifyingKey::from_sec1_bytes(point);
            let signature = $library::ecdsa::Signature::from_der(signature);
            matches!((key, signature), (Ok(key), Ok(signature))
                if key.verify_prehash(digest.as_ref(), &signature).is_ok())
        }};
    }
    match curve {
        Curve::P224 => false,
        Curve::P256 => verify!(p256),
        Curve::P384 => verify!(p384),
        Curve::P521 => verify!(p521),
    }
}

fn algorithm(hash: Hash) -> &'static digest::Algorithm {
    match hash {
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    }
}
