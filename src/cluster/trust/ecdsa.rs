//! ECDSA signatures with the pairs of curve and hash that ring does not verify.

/// The curves that Go knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// Recognized, so that the error names it. No maintained library verifies its signatures.
    P224,
    P256,
    P384,
    P521,
}

impl Curve {
    /// The curve of an object identifier.
    pub fn of(oid: &[u8]) -> Option<Self> {
        match oid {
            [0x2b, 0x81, 4, 0, 0x21] => Some(Self::P224),
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7] => Some(Self::P256),
            [0x2b, 0x81, 4, 0, 0x22] => Some(Self::P384),
            [0x2b, 0x81, 4, 0, 0x23] => Some(Self::P521),
            _ => None,
        }
    }

    /// The length of a point that is not compressed, in bytes.
    pub fn point_length(self) -> usize {
        let coordinate = match self {
            Self::P224 => 28,
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        };
        1 + 2 * coordinate
    }
}

/// True if `signature` (DER) is valid for the digest of a message. A digest that is longer than the
/// order of the curve is cut, as FIPS 186-5 says.
pub fn verify(curve: Curve, point: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    // The libraries share their traits but not their types, and a macro is shorter than the bounds
    // of a generic function.
    macro_rules! verify {
        ($library:ident) => {{
            use $library::ecdsa::signature::hazmat::PrehashVerifier;
            let key = $library::ecdsa::VerifyingKey::from_sec1_bytes(point);
            let signature = $library::ecdsa::Signature::from_der(signature);
            matches!((key, signature), (Ok(key), Ok(signature))
                if key.verify_prehash(digest, &signature).is_ok())
        }};
    }
    match curve {
        Curve::P224 => false,
        Curve::P256 => verify!(p256),
        Curve::P384 => verify!(p384),
        Curve::P521 => verify!(p521),
    }
}
