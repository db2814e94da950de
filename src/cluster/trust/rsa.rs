//! RSA signatures. ring verifies keys of 2048 bits or more, and with two hashes those of 1024. Go
//! takes 1024 bits with every hash and padding. The rest is here: one public operation, and the
//! comparison of the padding (RFC 8017). Nothing of it is secret.

use p521::elliptic_curve::bigint::modular::{FixedMontyForm, FixedMontyParams};
use p521::elliptic_curve::bigint::{Odd, U64, U2048};
use ring::signature::{self, RsaParameters, UnparsedPublicKey};

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
        let Some(encoded) = self.recover(signature) else { return false };
        let digest = hash.digest(message);
        match padding {
            Padding::Pkcs1 => encoded == pkcs1(hash, digest.as_ref(), encoded.len()),
            Padding::Pss => is_pss(hash, digest.as_ref(), &encoded, self.bits() - 1),
        }
    }

    /// The encoded message: RSAVP1 of RFC 8017.
    fn recover(&self, signature: &[u8]) -> Option<Vec<u8>> {
        const SIZE: usize = RING_MIN_BITS / 8;
        let length = self.modulus.len();
        if signature.len() != length || length > SIZE || self.exponent < 2 {
            return None;
        }
        let number = |bytes: &[u8]| {
            let mut padded = [0; SIZE];
            padded[SIZE - bytes.len()..].copy_from_slice(bytes);
            U2048::from_be_slice(&padded)
        };
        let modulus = number(self.modulus);
        let signature = number(signature);
        if signature >= modulus {
            return None;
        }
        let modulus = Option::<Odd<U2048>>::from(Odd::new(modulus))?;
        let parameters = FixedMontyParams::new_vartime(modulus);
        let form = FixedMontyForm::new(&signature, &parameters);
        let message = form.pow_vartime(&U64::from_u64(self.exponent)).retrieve();
        Some(message.to_be_bytes().as_ref()[SIZE - length..].to_vec())
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

/// EMSA-PKCS1-v1_5 of RFC 8017, section 9.2. Empty if the digest does not fit.
fn pkcs1(hash: Hash, digest: &[u8], length: usize) -> Vec<u8> {
    let number = match hash {
        Hash::Sha256 => 1,
        Hash::Sha384 => 2,
        Hash::Sha512 => 3,
    };
    let digest_length = digest.len() as u8;
    let mut info = vec![0x30, digest_length + 17, 0x30, 13, 6, 9];
    info.extend([0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, number, 5, 0, 4, digest_length]);
    info.extend_from_slice(digest);
    let Some(padding) = length.checked_sub(info.len() + 3).filter(|padding| *padding >= 8) else {
        return Vec::new();
    };
    [&[0, 1][..], &vec![0xff; padding], &[0], &info].concat()
}

/// EMSA-PSS-VERIFY of RFC 8017, section 9.1.2, with a salt as long as the hash.
fn is_pss(hash: Hash, digest: &[u8], encoded: &[u8], bits: usize) -> bool {
    let length = bits.div_ceil(8);
    let Some((rest, encoded)) = encoded.len().checked_sub(length).map(|n| encoded.split_at(n))
    else {
        return false;
    };
    let size = digest.len();
    if rest.iter().any(|byte| *byte != 0) || length < 2 * size + 2 || encoded[length - 1] != 0xbc {
        return false;
    }
    let (masked, encoded) = encoded.split_at(length - size - 1);
    let expected = &encoded[..size];
    let unused = 8 * length - bits;
    if masked[0] & !(0xff >> unused) != 0 {
        return false;
    }
    let mask = mgf1(hash, expected, masked.len());
    let mut block: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    block[0] &= 0xff >> unused;
    let (padding, salt) = block.split_at(block.len() - size);
    let Some((&1, zeros)) = padding.split_last() else { return false };
    if zeros.iter().any(|byte| *byte != 0) {
        return false;
    }
    hash.digest(&[&[0; 8][..], digest, salt].concat()).as_ref() == expected
}

/// The mask generation function of RFC 8017, appendix B.2.1.
fn mgf1(hash: Hash, seed: &[u8], length: usize) -> Vec<u8> {
    let mut mask = Vec::new();
    for counter in 0_u32.. {
        if mask.len() >= length {
            break;
        }
        mask.extend_from_slice(hash.digest(&[seed, &counter.to_be_bytes()].concat()).as_ref());
    }
    mask.truncate(length);
    mask
}
