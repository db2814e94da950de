//! The elliptic curves of Go's `crypto/x509`.

/// A NIST curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// Recognized, so that errors name it. TLS has no signatures with it, and no maintained library
    /// verifies them.
    P224,
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Self; 4] = [Self::P224, Self::P256, Self::P384, Self::P521];

    /// The curve of an object identifier's content.
    pub fn from_oid(oid: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.oid() == oid)
    }

    /// The content of the object identifier (RFC 5480, section 2.1.1.1).
    pub fn oid(self) -> &'static [u8] {
        match self {
            // 1.3.132.0.33, 1.2.840.10045.3.1.7, 1.3.132.0.34 and 1.3.132.0.35
            Self::P224 => &[0x2b, 0x81, 0x04, 0x00, 0x21],
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::P521 => &[0x2b, 0x81, 0x04, 0x00, 0x23],
        }
    }

    /// The length of a point that is not compressed, in bytes.
    pub fn point_length(self) -> usize {
        1 + 2 * self.length()
    }

    /// The length of a coordinate and of a private key, in bytes.
    pub fn length(self) -> usize {
        match self {
            Self::P224 => 28,
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}
