//! The certificates that are trusted.

use std::collections::BTreeSet;

use anyhow::Result;
use rustls::pki_types::CertificateDer;

use crate::cluster::x509::{self, Certificate};

/// Trusted certificates in DER form. Each connection parses only those that a chain can lead to, because
/// the system's bundle has more than a hundred.
#[derive(Debug, Default)]
pub struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// The certificates of a PEM bundle. As in client-go, those that cannot be read are left out.
    ///
    /// # Errors
    /// None can be read. The text is client-go's.
    pub fn from_pem(bundle: &[u8]) -> Result<Self> {
        x509::authorities(bundle).map(Self)
    }

    /// Adds the certificates of a PEM file of the system. Malformed ones are left out when they are
    /// read for a connection.
    #[cfg(not(any(windows, target_vendor = "apple")))]
    pub fn extend_from_pem(&mut self, bundle: &[u8]) {
        self.0.extend(x509::certificates(bundle));
    }

    /// Roots in DER form.
    #[cfg(test)]
    pub fn of(certificates: Vec<CertificateDer<'static>>) -> Self {
        Self(certificates)
    }

    #[cfg(not(any(windows, target_vendor = "apple")))]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The roots whose subject is the issuer of one of these certificates, or that are one of them.
    pub fn relevant_to(&self, presented: &[&Certificate<'_>]) -> Vec<Certificate<'_>> {
        let issuers: BTreeSet<&[u8]> =
            presented.iter().map(|certificate| certificate.issuer).collect();
        let is_relevant = |der: &&CertificateDer<'static>| {
            x509::subject(der).is_some_and(|subject| issuers.contains(subject))
                || presented.iter().any(|certificate| certificate.der == der.as_ref())
        };
        let relevant = self.0.iter().filter(is_relevant);
        relevant.filter_map(|der| Certificate::parse(der).ok()).collect()
    }
}
