//! Client certificates in the TLS handshake. The handshake accepts every certificate, as a real API
//! server's does; authentication judges it later, together with the other credentials.

use std::sync::Arc;

use p521::ecdsa::{DerSignature, VerifyingKey, signature::Verifier as _};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};

/// Asks for a certificate. Accepts any certificate if the client has its private key.
#[derive(Debug)]
pub(super) struct AnyCertificate {
    pub provider: Arc<CryptoProvider>,
    pub mandatory: bool,
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = public_key(certificate).ok_or(CertificateError::BadEncoding)?;
        if signed.scheme == SignatureScheme::ECDSA_NISTP521_SHA512 {
            return verify_p521(key, message, signed.signature());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        let key = SubjectPublicKeyInfoDer::from(key);
        verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.provider.signature_verification_algorithms.supported_schemes();
        schemes.push(SignatureScheme::ECDSA_NISTP521_SHA512);
        schemes
    }
}

/// The SubjectPublicKeyInfo of a certificate of any version. The library parses only version 3.
fn public_key<'a>(certificate: &'a CertificateDer<'_>) -> Option<&'a [u8]> {
    let (mut rest, _) = content(content(certificate)?.0)?;
    if rest.first() == Some(&0xa0) {
        // The version.
        rest = content(rest)?.1;
    }
    // Serial number, signature algorithm, issuer, validity and subject.
    for _ in 0..5 {
        rest = content(rest)?.1;
    }
    let (_, after) = content(rest)?;
    rest.strip_suffix(after)
}

/// The content of the first DER element, and the elements after it.
fn content(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), &rest[2..]),
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// Verifies a signature of P-521, which the library does not have.
fn verify_p521(
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<HandshakeSignatureValid, Error> {
    // The uncompressed point is at the end of the SubjectPublicKeyInfo.
    let point = key.last_chunk::<133>().ok_or(CertificateError::BadEncoding)?;
    let is_valid = VerifyingKey::from_sec1_bytes(point).is_ok_and(|key| {
        let signature = DerSignature::from_bytes(signature);
        signature.is_ok_and(|signature| key.verify(message, &signature).is_ok())
    });
    match is_valid {
        true => Ok(HandshakeSignatureValid::assertion()),
        false => Err(CertificateError::BadSignature.into()),
    }
}
