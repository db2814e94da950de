//! Signature algorithms of certificates.

use super::der::{NULL, OBJECT_IDENTIFIER, Reader, SEQUENCE, constructed};
use super::malformed::Malformed;
use super::oid;

/// The algorithm of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    Rsa(Padding, Hash),
    Ecdsa(Hash),
    Ed25519,
    /// An algorithm with MD5 or SHA-1. Holds its name in Go.
    Insecure(&'static str),
    Unknown,
}

/// The padding of an RSA signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    Pkcs1,
    /// The salt is as long as the hash.
    Pss,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// 1.2.840.113549.1.1, without its last number.
const PKCS1: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
/// 1.2.840.10045.4
const ANSI_X9_62: [u8; 6] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4];
/// 2.16.840.1.101.3.4.2
const NIST_HASH: [u8; 8] = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];
const OIW_SHA1_RSA: [u8; 5] = [0x2b, 0x0e, 3, 2, 0x1d];
const MASK_GENERATION: u8 = 8;

impl SignatureAlgorithm {
    /// Reads the content of an AlgorithmIdentifier, by the rules of Go's
    /// `getSignatureAlgorithmFromAI`.
    ///
    /// # Errors
    /// It is not an AlgorithmIdentifier. An unknown algorithm is no error.
    pub fn parse(der: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(der);
        let found = reader.content(OBJECT_IDENTIFIER).ok_or("malformed OID")?;
        if let Some(number) = found.strip_prefix(&PKCS1) {
            return Ok(match number {
                [2] => Self::Unknown,
                [4] => Self::Insecure("MD5-RSA"),
                [5] => Self::Insecure("SHA1-RSA"),
                [10] => pss(reader).map_or(Self::Unknown, |hash| Self::Rsa(Padding::Pss, hash)),
                [11] => Self::Rsa(Padding::Pkcs1, Hash::Sha256),
                [12] => Self::Rsa(Padding::Pkcs1, Hash::Sha384),
                [13] => Self::Rsa(Padding::Pkcs1, Hash::Sha512),
                _ => Self::Unknown,
            });
        }
        if let Some(number) = found.strip_prefix(&ANSI_X9_62) {
            return Ok(match number {
                [1] => Self::Insecure("ECDSA-SHA1"),
                [3, 2] => Self::Ecdsa(Hash::Sha256),
                [3, 3] => Self::Ecdsa(Hash::Sha384),
                [3, 4] => Self::Ecdsa(Hash::Sha512),
                _ => Self::Unknown,
            });
        }
        Ok(match found {
            _ if found == OIW_SHA1_RSA => Self::Insecure("SHA1-RSA"),
            oid::ED25519 if reader.is_empty() => Self::Ed25519,
            _ => Self::Unknown,
        })
    }

    /// The kind of key that the algorithm needs, as Go names it.
    pub fn key_name(self) -> &'static str {
        match self {
            Self::Rsa(..) => "RSA",
            Self::Ecdsa(_) => "ECDSA",
            Self::Ed25519 => "Ed25519",
            Self::Insecure(_) | Self::Unknown => "unknown",
        }
    }
}

/// The hash of RSASSA-PSS-params. As in Go, both hashes must be the same, with NULL parameters, and
/// the salt must be as long.
fn pss(mut algorithm: Reader<'_>) -> Option<Hash> {
    let mut parameters = algorithm.nested(SEQUENCE)?;
    let hash = hash(parameters.nested(constructed(0))?)?;
    let mut mask = parameters.nested(constructed(1))?.nested(SEQUENCE)?;
    let is_mgf1 = mask.content(OBJECT_IDENTIFIER)? == [&PKCS1[..], &[MASK_GENERATION]].concat();
    let is_same_hash = self::hash(mask)? == hash;
    let salt = parameters.nested(constructed(2))?.small_integer()?;
    let trailer = match parameters.optional(constructed(3))? {
        Some(trailer) => Reader::new(trailer).small_integer()?,
        None => 1,
    };
    let is_supported = is_mgf1 && is_same_hash && salt == hash.length() && trailer == 1;
    is_supported.then_some(hash)
}

fn hash(mut reader: Reader<'_>) -> Option<Hash> {
    let mut algorithm = reader.nested(SEQUENCE)?;
    let number = algorithm.content(OBJECT_IDENTIFIER)?.strip_prefix(&NIST_HASH)?;
    algorithm.content(NULL)?;
    match number {
        [1] => Some(Hash::Sha256),
        [2] => Some(Hash::Sha384),
        [3] => Some(Hash::Sha512),
        _ => None,
    }
}

impl Hash {
    fn length(self) -> u64 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}
