//! The sandbox's certificate authority, and the certificates that it signs.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use time::{Duration, OffsetDateTime};

use super::{
    client_certificate::AnyCertificate,
    options::{Options, Protocols, ServerCertificate},
};

/// A client certificate and its key, both PEM.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate, PEM.
    pub certificate: String,
    /// The key, PEM.
    pub key: String,
}

/// The certificate authority in the kubeconfig.
pub(super) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new(name: &str) -> Result<Self> {
        let key = KeyPair::generate().context("generating the certificate authority's key")?;
        // The names are only needed when the server shows this certificate as its own.
        let mut params = parameters(name, &NAMES)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let certificate = params.self_signed(&key).context("signing the certificate authority")?;
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Signs a client certificate. Returns also its DER form, as the handshake will show it.
    pub(super) fn client_certificate(&self, user: &str) -> Result<(ClientCertificate, Vec<u8>)> {
        let mut params = parameters(user, &[])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate, key) = self.sign(&params)?;
        let der = certificate.der().to_vec();
        Ok((ClientCertificate { certificate: certificate.pem(), key: key.serialize_pem() }, der))
    }

    fn sign(&self, params: &CertificateParams) -> Result<(Certificate, KeyPair)> {
        let key = KeyPair::generate().context("generating a key")?;
        let certificate = params.signed_by(&key, &self.issuer).context("signing a certificate")?;
        Ok((certificate, key))
    }
}

fn parameters(name: &str, alternative_names: &[&str]) -> Result<CertificateParams> {
    let names: Vec<String> = alternative_names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).context("naming a certificate")?;
    params.distinguished_name.push(DnType::CommonName, name);
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::days(365);
    Ok(params)
}

const NAMES: [&str; 7] = [
    "127.0.0.1",
    "::1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// The TLS configuration of the server, with the requested certificate.
pub(super) fn server_config(authority: &Authority, options: &Options) -> Result<ServerConfig> {
    let certificate = options.certificate;
    let names: &[&str] = match certificate {
        ServerCertificate::WrongHost => &["localhost", "alt.example"],
        _ => &NAMES,
    };
    let mut params = parameters("kube-apiserver", names)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if certificate == ServerCertificate::Expired {
        params.not_before = OffsetDateTime::now_utc() - Duration::days(30);
        params.not_after = OffsetDateTime::now_utc() - Duration::days(1);
    }
    let (leaf, key) = match certificate {
        ServerCertificate::SelfSigned => {
            (authority.certificate.der().clone(), authority.issuer.key().serialize_der())
        }
        ServerCertificate::SignedByUnknownCa => der(&Authority::new("unknown-ca")?.sign(&params)?),
        _ => der(&authority.sign(&params)?),
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key));
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(AnyCertificate {
        provider: Arc::clone(&provider),
        mandatory: options.client_certificate_required,
    });
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("preparing TLS")?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![leaf], key)
        .context("loading the server's certificate")?;
    config.alpn_protocols = match options.protocols {
        Protocols::Http2AndHttp1 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Protocols::Http1Only => vec![b"http/1.1".to_vec()],
    };
    Ok(config)
}

fn der((certificate, key): &(Certificate, KeyPair)) -> (CertificateDer<'static>, Vec<u8>) {
    (certificate.der().clone(), key.serialize_der())
}

/// A random secret in hexadecimal.
pub(super) fn random_secret() -> Result<String> {
    let mut bytes = [0_u8; 20];
    ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
