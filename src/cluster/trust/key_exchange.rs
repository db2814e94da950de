//! The key exchange groups. Go offers P-521 as the last one, and ring does not know it.

use p521::elliptic_curve::ecdh::diffie_hellman;
use p521::elliptic_curve::sec1::ToSec1Point;
use p521::elliptic_curve::zeroize::Zeroizing;
use ring::rand::{SecureRandom, SystemRandom};
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SharedSecret, SupportedKxGroup,
};
use rustls::{Error, NamedGroup, PeerMisbehaved};

/// ring's algorithms, and the key exchange with P-521. The client sends a key share for P-521
/// only if the server requests it.
pub fn provider() -> CryptoProvider {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.kx_groups.push(&P521);
    provider
}

#[derive(Debug)]
struct P521;

/// The client's keys of one key exchange.
struct Exchange {
    secret: p521::SecretKey,
    /// The point that is sent to the server. It is not compressed.
    public: Box<[u8]>,
}

impl SupportedKxGroup for P521 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let secret = secret(&SystemRandom::new()).ok_or(GetRandomFailed)?;
        let public = secret.public_key().to_sec1_point(false).as_bytes().into();
        Ok(Box::new(Exchange { secret, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        // A compressed point begins with another number. TLS does not allow it.
        let peer = match peer {
            [4, ..] => p521::PublicKey::from_sec1_bytes(peer).ok(),
            _ => None,
        };
        let peer = peer.ok_or(PeerMisbehaved::InvalidKeyShare)?;
        let shared = diffie_hellman(self.secret.to_nonzero_scalar(), peer.as_affine());
        Ok(SharedSecret::from(&shared.raw_secret_bytes()[..]))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::secp521r1
    }
}

/// A random scalar of 521 bits. Nearly all are below the order of the curve.
fn secret(random: &SystemRandom) -> Option<p521::SecretKey> {
    for _ in 0..8 {
        let mut bytes = Zeroizing::new([0; 66]);
        random.fill(&mut bytes[..]).ok()?;
        bytes[0] &= 1;
        if let Ok(secret) = p521::SecretKey::from_slice(&bytes[..]) {
            return Some(secret);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_get_the_same_secret() {
        let (one, other) = (P521.start().unwrap(), P521.start().unwrap());
        let (public_one, public_other) = (one.pub_key().to_vec(), other.pub_key().to_vec());
        assert_ne!(public_one, public_other);
        let shared = one.complete(&public_other).unwrap();
        let same = other.complete(&public_one).unwrap();
        assert_eq!(shared.secret_bytes(), same.secret_bytes());
        assert_eq!(shared.secret_bytes().len(), 66);
    }

    #[test]
    fn a_broken_point_is_refused() {
        for point in [&[][..], &[4], &[2; 67], &[4; 133]] {
            assert!(P521.start().unwrap().complete(point).is_err());
        }
    }
}
