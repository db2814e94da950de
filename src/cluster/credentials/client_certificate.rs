//! A client certificate and its key in PEM, checked before the first connection.

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use rustls::{
    crypto::ring::sign::any_supported_type,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{PemObject, SectionKind},
    },
    sign::CertifiedKey,
};

/// The identity for the TLS handshake, from a certificate chain and a PKCS#1, PKCS#8 or SEC1 key.
///
/// # Errors
/// The certificate or the key is invalid, in the words of Go's `tls.X509KeyPair`, which kubectl
/// uses. An encrypted key has a text of its own. No error shows the content.
pub fn identity(certificate: &[u8], key: &str) -> Result<Arc<CertifiedKey>> {
    let chain = chain(certificate)?;
    let signing_key = any_supported_type(&private_key(key)?).map_err(|_| {
        anyhow!("tls: failed to parse private key (RSA, P-256, P-384 and Ed25519 keys can be used)")
    })?;
    let identity = CertifiedKey::new(chain, signing_key);
    match identity.keys_match() {
        // If the library cannot compare them, the server decides.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(Arc::new(identity))
        }
        Err(rustls::Error::InconsistentKeys(_)) => {
            bail!("tls: private key does not match public key")
        }
        Err(_) => bail!("x509: malformed certificate"),
    }
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
    if !chain.is_empty() {
        return Ok(chain);
    }
    let other = sections(&String::from_utf8_lossy(pem));
    match other.as_slice() {
        [] => bail!("tls: failed to find any PEM data in certificate input"),
        [one] if one.ends_with("PRIVATE KEY") => bail!(
            "tls: failed to find certificate PEM data in certificate input, \
             but did find a private key; PEM inputs may have been switched"
        ),
        others => bail!(
            "tls: failed to find \"CERTIFICATE\" PEM block in certificate input \
             after skipping PEM blocks of the following types: [{}]",
            others.join(" ")
        ),
    }
}

fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>> {
    let found = sections(pem);
    let key = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes())
        .filter_map(Result::ok)
        .find_map(|(kind, der)| PrivateKeyDer::from_pem(kind, der));
    // The old form of encryption has the label of a plain key.
    let is_encrypted = pem.contains("Proc-Type: 4,ENCRYPTED")
        || (key.is_none() && found.iter().any(|label| label == "ENCRYPTED PRIVATE KEY"));
    if is_encrypted {
        bail!(
            "the key is encrypted, and locustctl cannot ask for its password; \
             decrypt it with: openssl pkey -in KEY -out NEW-KEY"
        );
    }
    match key {
        Some(key) => Ok(key),
        None if found.is_empty() => bail!("tls: failed to find any PEM data in key input"),
        None if found == ["CERTIFICATE"] => {
            bail!("tls: found a certificate rather than a key in the PEM for the private key")
        }
        None if found.iter().any(|label| label.ends_with("PRIVATE KEY")) => {
            bail!("tls: failed to parse private key")
        }
        None => bail!(
            "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input \
             after skipping PEM blocks of the following types: [{}]",
            found.join(" ")
        ),
    }
}

/// The labels of all PEM sections, in order. Go ignores a section without its END line. So a file
/// whose line breaks are lost has no section, and no part of its key is taken for a label.
fn sections(pem: &str) -> Vec<String> {
    let labels = pem.lines().filter_map(|line| {
        let label = line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
        let end = format!("-----END {label}-----");
        let is_ended = pem.lines().any(|line| line.trim() == end);
        (is_ended && !label.contains("-----")).then(|| label.to_owned())
    });
    labels.collect()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn encode(label: &str, der: &[u8]) -> String {
        let body = BASE64_STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn other_pem_sections_around_a_pair_are_ignored() {
        let (certificate, key) = pair();
        assert!(identity(certificate.as_bytes(), &key).is_ok());
        let noisy = format!("subject=me\n{certificate}\n{}", encode("X509 CRL", b"x"));
        let parameters = encode("EC PARAMETERS", b"x");
        assert!(identity(noisy.as_bytes(), &format!("{parameters}{key}{certificate}")).is_ok());
    }

    #[test]
    fn a_key_without_its_line_breaks_is_not_shown() {
        let (certificate, key) = pair();
        let secret = key.lines().nth(1).unwrap();
        // The END lines of other sections do not help.
        for joined in [
            format!("{key}{certificate}").replace('\n', " "),
            format!("{key} {certificate}").replacen('\n', " ", 3),
            format!("{} -----BEGIN X-----\n{key}", key.replace('\n', " ")),
        ] {
            for (certificate, key) in [(&certificate, &joined), (&joined, &key)] {
                let Err(error) = identity(certificate.as_bytes(), key) else { continue };
                assert!(!error.to_string().contains(secret), "{error}");
            }
        }
        let joined = format!("{key}{certificate}").replace('\n', " ");
        let error = identity(certificate.as_bytes(), joined.trim()).err().unwrap();
        assert_eq!(error.to_string(), "tls: failed to find any PEM data in key input");
    }

    #[test]
    fn errors_of_a_pair_have_gos_words() {
        let (certificate, key) = pair();
        let (other, _) = pair();
        let public = encode("PUBLIC KEY", b"x");
        let encrypted = encode("ENCRYPTED PRIVATE KEY", b"x");
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        let table = [
            (other.as_str(), key.as_str(), "tls: private key does not match public key"),
            ("", &key, "tls: failed to find any PEM data in certificate input"),
            (
                &key,
                &certificate,
                "tls: failed to find certificate PEM data in certificate input, \
                 but did find a private key; PEM inputs may have been switched",
            ),
            (
                &public,
                &key,
                "tls: failed to find \"CERTIFICATE\" PEM block in certificate input \
                 after skipping PEM blocks of the following types: [PUBLIC KEY]",
            ),
            (&certificate, "x", "tls: failed to find any PEM data in key input"),
            (
                &certificate,
                &certificate,
                "tls: found a certificate rather than a key in the PEM for the private key",
            ),
            (
                &certificate,
                &public,
                "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input \
                 after skipping PEM blocks of the following types: [PUBLIC KEY]",
            ),
        ];
        for (certificate, key, expected) in table {
            let err = identity(certificate.as_bytes(), key).err().unwrap();
            assert_eq!(err.to_string(), expected);
        }
        for key in [encrypted.as_str(), old] {
            let err = identity(certificate.as_bytes(), key).err().unwrap().to_string();
            assert!(err.starts_with("the key is encrypted"), "{err}");
        }
        let broken = encode("PRIVATE KEY", b"x");
        let err = identity(certificate.as_bytes(), &broken).err().unwrap().to_string();
        assert!(err.starts_with("tls: failed to parse private key"), "{err}");
    }
}
