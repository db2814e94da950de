//! X.509 certificates and private keys, as far as our own certificates and the authorities of a
//! kubeconfig need them.
//!
//! The rules and the error texts are those of Go's `crypto/x509`, which kubectl uses. `webpki`
//! cannot stand in: it refuses certificates of version 1, among others.

mod authorities;
mod certificate;
mod curve;
mod der;
mod private_key;

pub use authorities::authorities;
pub use certificate::{Certificate, PublicKey};
pub use curve::Curve;
pub use private_key::{PrivateKey, RsaPrivateKey};

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
