//! Certificates for the tests.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::CertificateDer;

/// A certificate and its key.
pub struct Entity {
    pub der: CertificateDer<'static>,
    params: CertificateParams,
    key: KeyPair,
}

/// A change of a certificate before it is signed.
pub type Change = fn(&mut CertificateParams);

/// A root with the usual limits of an authority.
pub fn root(name: &str, change: Change) -> Entity {
    let (params, key) = (authority_params(name, change), KeyPair::generate().unwrap());
    let der = params.self_signed(&key).unwrap().der().clone();
    Entity { der, params, key }
}

/// A certificate for localhost and 127.0.0.1 that it signed itself.
pub fn self_signed_server(change: Change) -> Entity {
    let (params, key) = (server_params(change), KeyPair::generate().unwrap());
    let der = params.self_signed(&key).unwrap().der().clone();
    Entity { der, params, key }
}

impl Entity {
    /// An intermediate authority, signed by this one.
    pub fn authority(&self, name: &str, change: Change) -> Self {
        self.sign(authority_params(name, change), KeyPair::generate().unwrap())
    }

    /// A certificate for localhost and 127.0.0.1, signed by this one.
    pub fn server(&self, change: Change) -> Self {
        self.sign(server_params(change), KeyPair::generate().unwrap())
    }

    /// The name and the key of another authority, signed by this one.
    pub fn cross_sign(&self, other: &Self) -> CertificateDer<'static> {
        let issuer = Issuer::from_params(&self.params, &self.key);
        other.params.signed_by(&other.key, &issuer).unwrap().der().clone()
    }

    /// The same name and key, self-signed again after a change.
    pub fn renewed(&self, change: Change) -> CertificateDer<'static> {
        let mut params = self.params.clone();
        change(&mut params);
        params.self_signed(&self.key).unwrap().der().clone()
    }

    fn sign(&self, params: CertificateParams, key: KeyPair) -> Self {
        let issuer = Issuer::from_params(&self.params, &self.key);
        let der = params.signed_by(&key, &issuer).unwrap().der().clone();
        Self { der, params, key }
    }
}

fn authority_params(name: &str, change: Change) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    change(&mut params);
    params
}

fn server_params(change: Change) -> CertificateParams {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = named("server");
    change(&mut params);
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}
