//! The verification of servers, as a part of the TLS library.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use time::OffsetDateTime;

use super::chain::{self, ServerChain};
use super::handshake::Handshakes;
use super::roots::Roots;
use super::server_error::{MAX_RSA_BITS, ServerError};
use super::signature::{self, SignatureError};
#[cfg(not(any(windows, target_vendor = "apple")))]
use super::system_roots::SystemRoots;
use crate::cluster::x509::{Certificate, Curve, Hash, Padding, PublicKey, SignatureAlgorithm};

/// The algorithms for the signature of a handshake. All are Go's, in its order.
const SCHEMES: [SignatureScheme; 10] = [
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ED25519,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
];

/// The certificates that a server's chain may lead to.
#[derive(Debug)]
pub enum Anchors {
    /// The roots of a bundle, and no others.
    Bundle(Roots),
    /// The roots of the system.
    #[cfg(not(any(windows, target_vendor = "apple")))]
    System(SystemRoots),
    /// The verifier of the system, which Go uses too.
    #[cfg(any(windows, target_vendor = "apple"))]
    System(rustls_platform_verifier::Verifier),
    /// No verification, also not of signatures: without a chain a signature proves nothing.
    NoVerification,
}

/// The name that the server's certificate must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifiedName {
    /// The host of the URL. It is also sent as SNI.
    UrlHost,
    /// Another name. The host of the URL stays as it is.
    Other(ServerName<'static>),
}

/// Verifies servers by Go's rules.
#[derive(Debug)]
pub struct Verifier {
    pub anchors: Anchors,
    pub name: VerifiedName,
    pub handshakes: Handshakes,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        url_host: &ServerName<'_>,
        #[cfg_attr(
            not(any(windows, target_vendor = "apple")),
            expect(unused_variables, reason = "only the verifiers of these systems read it")
        )]
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.handshakes.note_server_certificate();
        let name = match &self.name {
            VerifiedName::UrlHost => url_host,
            VerifiedName::Other(name) => name,
        };
        if let Anchors::NoVerification = self.anchors {
            return Ok(ServerCertVerified::assertion());
        }
        let server = parse(end_entity)?;
        let others: Vec<_> = intermediates.iter().map(parse).collect::<Result<_, _>>()?;
        match &self.anchors {
            Anchors::Bundle(roots) => {
                verify(&server, &others, &[roots], name, now)?;
            }
            #[cfg(not(any(windows, target_vendor = "apple")))]
            Anchors::System(system) => {
                system.try_roots(|roots| verify(&server, &others, roots, name, now))?;
            }
            #[cfg(any(windows, target_vendor = "apple"))]
            Anchors::System(system) => {
                system.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)?;
            }
            Anchors::NoVerification => {}
        }
        match server.public_key {
            PublicKey::Other => {
                Err(ServerError::UnsupportedKey(server.public_key.go_type()).into())
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // The curve of a scheme counts only in TLS 1.3.
        let algorithm = match signed.scheme {
            SignatureScheme::RSA_PKCS1_SHA256 => rsa(Padding::Pkcs1, Hash::Sha256),
            SignatureScheme::RSA_PKCS1_SHA384 => rsa(Padding::Pkcs1, Hash::Sha384),
            SignatureScheme::RSA_PKCS1_SHA512 => rsa(Padding::Pkcs1, Hash::Sha512),
            scheme => scheme_of_tls13(scheme).map_or(SignatureAlgorithm::Unknown, |(own, _)| own),
        };
        self.verify_signature(algorithm, None, message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (algorithm, curve) =
            scheme_of_tls13(signed.scheme).unwrap_or((SignatureAlgorithm::Unknown, None));
        self.verify_signature(algorithm, curve, message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        SCHEMES.to_vec()
    }
}

impl Verifier {
    fn verify_signature(
        &self,
        algorithm: SignatureAlgorithm,
        curve: Option<Curve>,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if let Anchors::NoVerification = self.anchors {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let key = parse(certificate)?.public_key;
        let has_wrong_curve = matches!((key, curve), (PublicKey::Ec { curve: own, .. }, Some(wanted)) if own != wanted);
        let verified = match has_wrong_curve {
            true => Err(SignatureError::Unsupported),
            false => signature::verify(&key, algorithm, message, signed.signature()),
        };
        verified.map_err(ServerError::Signature)?;
        Ok(HandshakeSignatureValid::assertion())
    }
}

fn rsa(padding: Padding, hash: Hash) -> SignatureAlgorithm {
    SignatureAlgorithm::Rsa(padding, hash)
}

/// The algorithm of a scheme, and the curve that the key must have; `None` for schemes that are not
/// for TLS 1.3.
fn scheme_of_tls13(scheme: SignatureScheme) -> Option<(SignatureAlgorithm, Option<Curve>)> {
    use SignatureAlgorithm::{Ecdsa, Ed25519};
    Some(match scheme {
        SignatureScheme::RSA_PSS_SHA256 => (rsa(Padding::Pss, Hash::Sha256), None),
        SignatureScheme::RSA_PSS_SHA384 => (rsa(Padding::Pss, Hash::Sha384), None),
        SignatureScheme::RSA_PSS_SHA512 => (rsa(Padding::Pss, Hash::Sha512), None),
        SignatureScheme::ED25519 => (Ed25519, None),
        SignatureScheme::ECDSA_NISTP256_SHA256 => (Ecdsa(Hash::Sha256), Some(Curve::P256)),
        SignatureScheme::ECDSA_NISTP384_SHA384 => (Ecdsa(Hash::Sha384), Some(Curve::P384)),
        SignatureScheme::ECDSA_NISTP521_SHA512 => (Ecdsa(Hash::Sha512), Some(Curve::P521)),
        _ => return None,
    })
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<Certificate<'a>, Error> {
    let certificate = Certificate::parse(der).map_err(ServerError::Malformed)?;
    match certificate.public_key {
        PublicKey::Rsa(key) if key.bits() > MAX_RSA_BITS => Err(ServerError::LargeKey.into()),
        _ => Ok(certificate),
    }
}

fn verify(
    server: &Certificate<'_>,
    intermediates: &[Certificate<'_>],
    roots: &[&Roots],
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), ServerError> {
    let presented: Vec<_> = std::iter::once(server).chain(intermediates).collect();
    let roots: Vec<_> = roots.iter().flat_map(|roots| roots.relevant_to(&presented)).collect();
    let now = i64::try_from(now.as_secs()).ok();
    let now = now.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let now = now.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let presented = ServerChain { server, intermediates, roots: &roots, now };
    chain::verify(&presented, &name.to_str()).map_err(ServerError::Untrusted)
}
