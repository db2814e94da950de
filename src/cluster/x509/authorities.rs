//! The certificate authorities of a PEM bundle.

use anyhow::{Result, bail};
use rustls::pki_types::CertificateDer;

use super::certificate::Certificate;
use crate::text::pem;

/// The certificates of a bundle by the rules of Go's `CertPool.AppendCertsFromPEM`: other blocks and
/// blocks with headers are ignored. A certificate may be malformed.
pub fn certificates(bundle: &[u8]) -> impl Iterator<Item = CertificateDer<'static>> {
    pem::blocks(bundle).filter(is_certificate).map(|block| CertificateDer::from(block.content))
}

/// The certificates of a bundle, without malformed ones.
///
/// # Errors
/// The bundle has no certificate. The text is that of `createErrorParsingCAData` in client-go.
pub fn authorities(bundle: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let found: Vec<_> =
        certificates(bundle).filter(|der| Certificate::parse(der).is_ok()).collect();
    match found.is_empty() {
        true => bail!("unable to load root certificates: {}", problem(bundle)),
        false => Ok(found),
    }
}

fn is_certificate(block: &pem::Block) -> bool {
    block.label == "CERTIFICATE" && block.headers.is_empty()
}

/// The first problem of a bundle without a certificate.
fn problem(bundle: &[u8]) -> String {
    let mut rest = bundle;
    while !rest.is_empty() {
        let Some((block, after)) = pem::decode(rest) else {
            return "unable to parse bytes as PEM block".to_owned();
        };
        rest = after;
        if !is_certificate(&block) {
            continue;
        }
        if let Err(problem) = Certificate::parse(&block.content) {
            return format!("failed to parse certificate: {problem}");
        }
    }
    "no valid certificate authority data seen".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = include_str!("../../../tests/fixtures/keys/rsa.crt");

    #[test]
    fn only_plain_certificates_are_taken() {
        let with_header = CERTIFICATE.replace("-----\nM", "-----\nk: v\n\nM");
        assert_ne!(with_header, CERTIFICATE);
        let other =
            "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n";
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let bundle = format!("{broken}{with_header}{other}# name\n{CERTIFICATE}{CERTIFICATE}");
        assert_eq!(authorities(bundle.as_bytes()).unwrap().len(), 2);
        for (bundle, expected) in [
            ("x".to_owned(), "unable to parse bytes as PEM block"),
            (CERTIFICATE.replace('\n', " "), "unable to parse bytes as PEM block"),
            (broken.to_owned(), "failed to parse certificate: x509: malformed certificate"),
            (other.to_owned(), "no valid certificate authority data seen"),
            (with_header, "no valid certificate authority data seen"),
            (format!("{other}\n"), "unable to parse bytes as PEM block"),
        ] {
            let error = authorities(bundle.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, format!("unable to load root certificates: {expected}"));
        }
    }
}
