//! The TLS settings of a cluster, as kubectl applies them: roots, server name, client certificate.

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::tls_error::is_authority_as_server;
use crate::cluster::kubeconfig::Cluster;
use crate::cluster::x509::authorities;

/// The name that the server's certificate must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifiedName {
    /// The host of the URL. It is also sent as SNI.
    UrlHost,
    /// Another name. The host of the URL stays as it is.
    Other(ServerName<'static>),
}

/// The TLS client configuration for one cluster.
///
/// # Errors
/// The CA bundle has no usable certificate. The text is kubectl's.
pub fn client_config(
    cluster: &Cluster,
    name: VerifiedName,
    identity: Option<Arc<CertifiedKey>>,
) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    // SNI has no IP addresses.
    let sends_name = !matches!(&name, VerifiedName::Other(ServerName::IpAddress(_)));
    let verifier = Arc::new(verifier(cluster, name, &provider)?);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(key) => config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key))),
        None => config.with_no_client_auth(),
    };
    config.enable_sni = sends_name;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Any value turns HTTP/2 off, like in client-go.
    if std::env::var_os("DISABLE_HTTP2").is_none_or(|value| value.is_empty()) {
        config.alpn_protocols.insert(0, b"h2".to_vec());
    }
    Ok(config)
}

fn verifier(
    cluster: &Cluster,
    name: VerifiedName,
    provider: &Arc<CryptoProvider>,
) -> Result<Verifier> {
    let (chain, roots) = match &cluster.certificate_authority {
        _ if cluster.insecure_skip_tls_verify => (None, Vec::new()),
        // The CA is then the only root. Reading the system's roots takes long and is not needed.
        Some(bundle) => {
            let roots = authorities(bundle)?;
            (Some(by_roots(&roots, provider)?), roots)
        }
        None => {
            let system =
                rustls_platform_verifier::Verifier::new(Arc::clone(provider)).map_err(|error| {
                    anyhow!("the system's root certificates cannot be read: {error}")
                })?;
            (Some(Arc::new(system) as Arc<dyn ServerCertVerifier>), Vec::new())
        }
    };
    Ok(Verifier { chain, roots, name, provider: Arc::clone(provider) })
}

fn by_roots(
    roots: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>> {
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(roots.iter().cloned());
    if added == 0 {
        bail!("unable to load root certificates: none of them is a certificate");
    }
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
            .build()
            .map_err(|error| anyhow!("unable to load root certificates: {error}"))?;
    Ok(verifier)
}

#[derive(Debug)]
struct Verifier {
    /// Verifies the chain to a root. `None` turns verification off, of signatures too: without the
    /// chain a signature proves nothing.
    chain: Option<Arc<dyn ServerCertVerifier>>,
    /// The kubeconfig's own roots.
    roots: Vec<CertificateDer<'static>>,
    name: VerifiedName,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        url_host: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        let name = match &self.name {
            VerifiedName::UrlHost => url_host,
            VerifiedName::Other(name) => name,
        };
        match chain.verify_server_cert(end_entity, intermediates, name, ocsp_response, now) {
            // The server uses its root as its own certificate, as `openssl req -x509` creates them.
            // Go accepts it because it trusts this certificate. Only the name is not verified yet.
            Err(Error::InvalidCertificate(problem))
                if is_authority_as_server(&problem)
                    && self.roots.iter().any(|root| root == end_entity) =>
            {
                let certificate = rustls::server::ParsedCertificate::try_from(end_entity)?;
                rustls::client::verify_server_name(&certificate, name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.chain.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.chain.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
