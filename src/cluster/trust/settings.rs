//! The TLS settings of a connection.

use std::sync::Arc;

use anyhow::Result;
use rustls::ClientConfig;
use rustls::client::Resumption;

use rustls::pki_types::ServerName;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::handshake::{Handshakes, NoCertificate};
use super::key_exchange;
use super::roots::Roots;
use super::verifier::{Anchors, VerifiedName, Verifier};

/// How to verify a server, and how to authenticate.
#[derive(Debug)]
pub struct Settings<'a> {
    /// A PEM bundle of the only trusted certificates; `None` for the system's.
    pub roots: Option<&'a [u8]>,
    /// Turns verification off.
    pub is_insecure: bool,
    pub name: VerifiedName,
    pub identity: Option<Arc<CertifiedKey>>,
    /// Records what the server asks for.
    pub handshakes: Handshakes,
}

impl<'a> Settings<'a> {
    /// The settings for a server outside the cluster's API.
    pub fn for_roots(roots: Option<&'a [u8]>) -> Self {
        Self {
            roots,
            is_insecure: false,
            name: VerifiedName::UrlHost,
            identity: None,
            handshakes: Handshakes::default(),
        }
    }
}

/// The configuration for the TLS library. The system's roots are read when the first server is
/// verified.
///
/// # Errors
/// The bundle has no usable certificate. The text is client-go's.
pub fn client_config(settings: Settings<'_>) -> Result<ClientConfig> {
    let Settings { roots, is_insecure, name, identity, handshakes } = settings;
    // SNI has no IP addresses.
    let sends_name = !matches!(&name, VerifiedName::Other(ServerName::IpAddress(_)));
    let provider = Arc::new(key_exchange::provider());
    let anchors = match roots {
        _ if is_insecure => Anchors::NoVerification,
        Some(bundle) => Anchors::Bundle(Roots::from_pem(bundle)?),
        #[cfg(not(any(windows, target_vendor = "apple")))]
        None => Anchors::System(Default::default()),
        #[cfg(any(windows, target_vendor = "apple"))]
        None => Anchors::System(rustls_platform_verifier::Verifier::new(Arc::clone(&provider))?),
    };
    let verifier = Verifier { anchors, name, handshakes: handshakes.clone() };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match identity {
        Some(key) => config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key))),
        None => config.with_client_cert_resolver(Arc::new(NoCertificate(handshakes))),
    };
    config.enable_sni = sends_name;
    // A resumed connection does not verify the certificate again, which may have expired since. Go's
    // clients do not resume either, unless they are told to.
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Any value turns HTTP/2 off, as in client-go.
    if std::env::var_os("DISABLE_HTTP2").is_none_or(|value| value.is_empty()) {
        config.alpn_protocols.insert(0, b"h2".to_vec());
    }
    Ok(config)
}
