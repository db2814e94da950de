//! X.509 certificates, their authorities in PEM, and private keys: reading them, and no verification.
//!
//! The rules and the error texts are those of Go's `crypto/x509`, which kubectl uses. Other libraries
//! differ: webpki refuses certificates of version 1, among others.

mod alternative_names;
mod authorities;
mod certificate;
mod curve;
mod der;
mod distinguished_name;
mod extensions;
mod malformed;
mod name_constraints;
mod oid;
mod policies;
mod private_key;
mod public_key;
mod signature_algorithm;
mod validity;

pub use alternative_names::{AlternativeNames, is_domain, mailbox};
pub use authorities::{authorities, certificates};
pub use certificate::{Certificate, subject};
pub use curve::Curve;
pub use extensions::BasicConstraints;
pub use malformed::Malformed;
pub use name_constraints::NameConstraints;
pub use policies::Policies;
pub use private_key::{PrivateKey, RsaPrivateKey};
pub use public_key::{PublicKey, RsaPublicKey};
pub use signature_algorithm::{Hash, Padding, SignatureAlgorithm};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::pem;

    #[test]
    fn damaged_certificates_and_keys_give_an_error_or_a_result() {
        let files = [
            include_str!("../../../tests/fixtures/keys/rsa.crt"),
            include_str!("../../../tests/fixtures/keys/p521.crt"),
            include_str!("../../../tests/fixtures/keys/rsa.pkcs8.key"),
            include_str!("../../../tests/fixtures/keys/p256.sec1.key"),
            include_str!("../../../tests/fixtures/keys/ed25519.pkcs8.key"),
        ];
        let seeds = files.map(|pem| pem::blocks(pem.as_bytes()).next().unwrap().content);
        let mut random = fastrand::Rng::with_seed(6);
        for round in 0..20_000 {
            let mut der = seeds[round % seeds.len()].clone();
            for _ in 0..random.usize(1..4) {
                let at = random.usize(0..der.len());
                match random.u8(0..3) {
                    0 => der.truncate(at.max(1)),
                    1 => der[at] = random.u8(..),
                    _ => drop(der.remove(at)),
                }
                if der.is_empty() {
                    break;
                }
            }
            let _ = Certificate::parse(&der);
            if let Ok(key) = PrivateKey::parse(&der) {
                let encoded = key.to_pkcs8(b"");
                assert!(PrivateKey::parse(&encoded).is_ok());
            }
        }
    }
}
