//! A client certificate and its key in PEM, checked before the first connection.

use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use super::signing_key::signing_key;
use crate::cluster::x509::{Certificate, PrivateKey};
use crate::text::pem::{self, Block};

/// The identity for the TLS handshake, from a certificate chain and a PKCS#1, PKCS#8 or SEC1 key. The
/// rules are those of Go's `tls.X509KeyPair`, which kubectl uses.
///
/// # Errors
/// The certificate or the key is invalid, or they do not belong together. The text is Go's. An
/// encrypted key, and one that the libraries cannot use, have texts of their own. No error shows the
/// content.
pub fn identity(certificate: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>> {
    let chain = chain(certificate)?;
    let block = key_block(key)?;
    refuse_encrypted(&block)?;
    let leaf = Certificate::parse(&chain[0])?;
    let key = PrivateKey::parse(&block.content).map_err(|problem| anyhow!(problem))?;
    let key = signing_key(&key, &leaf.public_key)?;
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}

/// All certificates. No certificate is an error.
fn chain(text: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let (mut chain, mut others) = (Vec::new(), Vec::new());
    for block in pem::blocks(text) {
        match block.label.as_str() {
            "CERTIFICATE" => chain.push(CertificateDer::from(block.content)),
            _ => others.push(block),
        }
    }
    if !chain.is_empty() {
        return Ok(chain);
    }
    match others.as_slice() {
        [] => bail!("tls: failed to find any PEM data in certificate input"),
        [one] if one.label.ends_with("PRIVATE KEY") => bail!(
            "tls: failed to find certificate PEM data in certificate input, \
             but did find a private key; PEM inputs may have been switched"
        ),
        others => bail!(
            "tls: failed to find \"CERTIFICATE\" PEM block in certificate input \
             after skipping PEM blocks of the following types: {}",
            labels(others)
        ),
    }
}

/// The first block with the label of a private key.
fn key_block(text: &[u8]) -> Result<Block> {
    let mut others = Vec::new();
    for block in pem::blocks(text) {
        if block.label == "PRIVATE KEY" || block.label.ends_with(" PRIVATE KEY") {
            return Ok(block);
        }
        others.push(block);
    }
    match others.as_slice() {
        [] => bail!("tls: failed to find any PEM data in key input"),
        [one] if one.label == "CERTIFICATE" => {
            bail!("tls: found a certificate rather than a key in the PEM for the private key")
        }
        others => bail!(
            "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input \
             after skipping PEM blocks of the following types: {}",
            labels(others)
        ),
    }
}

/// The labels as Go prints a list.
fn labels(blocks: &[Block]) -> String {
    let labels: Vec<_> = blocks.iter().map(Block::shown_label).collect();
    format!("[{}]", labels.join(" "))
}

fn refuse_encrypted(key: &Block) -> Result<()> {
    // The old form of encryption has the label of a plain key.
    let kind = key.headers.get("Proc-Type").map_or("", String::as_str);
    if key.label == "ENCRYPTED PRIVATE KEY" || kind.ends_with("ENCRYPTED") {
        bail!(
            "the key is encrypted, and locustctl cannot ask for its password; \
             decrypt it with: openssl pkey -in KEY -out NEW-KEY"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use rcgen::{CertificateParams, KeyPair};
    use rustls::SignatureScheme;

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
        assert!(identity(certificate.as_bytes(), key.as_bytes()).is_ok());
        let noisy = format!("subject=me\n{certificate}\n{}", encode("X509 CRL", b"x"));
        let parameters = encode("EC PARAMETERS", b"x");
        assert!(
            identity(noisy.as_bytes(), format!("{parameters}{key}{certificate}").as_bytes())
                .is_ok()
        );
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
                let Err(error) = identity(certificate.as_bytes(), key.as_bytes()) else { continue };
                assert!(!error.to_string().contains(secret), "{error}");
            }
        }
        let joined = format!("{key}{certificate}").replace('\n', " ");
        let error = identity(certificate.as_bytes(), joined.trim().as_bytes()).err().unwrap();
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
            let err = identity(certificate.as_bytes(), key.as_bytes()).err().unwrap();
            assert_eq!(err.to_string(), expected);
        }
        for key in [encrypted.as_str(), old] {
            let err = identity(certificate.as_bytes(), key.as_bytes()).err().unwrap().to_string();
            assert!(err.starts_with("the key is encrypted"), "{err}");
        }
        let broken = encode("PRIVATE KEY", b"x");
        let err = identity(certificate.as_bytes(), broken.as_bytes()).err().unwrap().to_string();
        assert!(err.starts_with("tls: failed to parse private key"), "{err}");
    }

    /// The files of `tests/fixtures/keys`. All certificates have version 1.
    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../../tests/fixtures/keys/", $name))
        };
    }

    fn label(key: &str) -> &str {
        key.lines().rev().find_map(|line| line.strip_prefix("-----END ")).unwrap()
    }

    #[test]
    fn a_key_is_read_whatever_its_label() {
        for (certificate, keys) in [
            (fixture!("rsa.crt"), &[fixture!("rsa.pkcs1.key"), fixture!("rsa.pkcs8.key")][..]),
            (fixture!("p256.crt"), &[fixture!("p256.sec1.key"), fixture!("p256.pkcs8.key")]),
            (fixture!("p521.crt"), &[fixture!("p521.sec1.key"), fixture!("p521.pkcs8.key")]),
            (fixture!("ed25519.crt"), &[fixture!("ed25519.pkcs8.key")]),
        ] {
            for key in keys {
                for other in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "X PRIVATE KEY"] {
                    let key = key.replace(label(key), &format!("{other}-----"));
                    identity(certificate.as_bytes(), key.as_bytes()).unwrap();
                    let with_header = key.replacen("-----\nM", "-----\nProc-Type: 4,CLEAR\n\nM", 1);
                    assert_ne!(with_header, key);
                    identity(certificate.as_bytes(), with_header.as_bytes()).unwrap();
                }
                let other = key.replace(label(key), "PUBLIC KEY-----");
                assert!(identity(certificate.as_bytes(), other.as_bytes()).is_err());
            }
        }
    }

    #[test]
    fn a_key_of_p_521_signs_as_its_certificate_says() {
        use p521::ecdsa::{DerSignature, VerifyingKey, signature::Verifier};
        let identity =
            identity(fixture!("p521.crt").as_bytes(), fixture!("p521.sec1.key").as_bytes());
        let identity = identity.unwrap();
        assert!(identity.key.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]).is_none());
        let schemes = [SignatureScheme::RSA_PSS_SHA256, SignatureScheme::ECDSA_NISTP521_SHA512];
        let signer = identity.key.choose_scheme(&schemes).unwrap();
        let signature = DerSignature::from_bytes(&signer.sign(b"message").unwrap()).unwrap();
        let certificate = Certificate::parse(&identity.cert[0]).unwrap();
        let crate::cluster::x509::PublicKey::Ec { point, .. } = certificate.public_key else {
            panic!("{certificate:?}")
        };
        let key = VerifyingKey::from_sec1_bytes(point).unwrap();
        assert!(key.verify(b"message", &signature).is_ok());
        assert!(key.verify(b"other message", &signature).is_err());
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let mismatch = "tls: private key does not match public key";
        let other_type = "tls: private key type does not match public key type";
        let new = |algorithm| {
            let key = KeyPair::generate_for(algorithm).unwrap();
            (CertificateParams::default().self_signed(&key).unwrap().pem(), key.serialize_pem())
        };
        let (p256, p256_key) = new(&rcgen::PKCS_ECDSA_P256_SHA256);
        let (p384, p384_key) = new(&rcgen::PKCS_ECDSA_P384_SHA384);
        let (ed25519, ed25519_key) = new(&rcgen::PKCS_ED25519);
        assert!(identity(p384.as_bytes(), p384_key.as_bytes()).is_ok());
        for (certificate, key, expected) in [
            (fixture!("p256.crt"), p256_key.as_str(), mismatch),
            (&p256, fixture!("p256.sec1.key"), mismatch),
            (&p384, &p256_key, mismatch),
            (&p384, fixture!("p521.sec1.key"), mismatch),
            (fixture!("p521.crt"), &p384_key, mismatch),
            (&ed25519, fixture!("ed25519.pkcs8.key"), mismatch),
            (fixture!("rsa.crt"), &p256_key, other_type),
            (&p256, fixture!("rsa.pkcs1.key"), other_type),
            (&p256, &ed25519_key, other_type),
            (&ed25519, &p256_key, other_type),
        ] {
            let error = identity(certificate.as_bytes(), key.as_bytes()).err().unwrap();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn no_error_shows_a_part_of_a_damaged_key() {
        let pairs = [
            (fixture!("rsa.crt"), fixture!("rsa.pkcs1.key")),
            (fixture!("p521.crt"), fixture!("p521.pkcs8.key")),
        ];
        let mut random = fastrand::Rng::with_seed(4);
        for round in 0..400 {
            let (certificate, key) = pairs[round % 2];
            let mut text = format!("{certificate}{key}{key}");
            for _ in 0..random.usize(1..9) {
                let at = random.usize(0..text.len());
                match random.u8(0..5) {
                    0 => text.truncate(at),
                    1 => text.insert_str(at, "-----"),
                    2 => text
                        .insert_str(at, ["\n", "\n-----BEGIN ", "\n-----END "][random.usize(..3)]),
                    3 => text = text.replacen('\n', " ", random.usize(..60)),
                    _ => drop(text.remove(at)),
                }
                if text.is_empty() {
                    break;
                }
            }
            for (certificate, key) in [(certificate, &*text), (&*text, key), (&*text, &*text)] {
                let Err(error) = identity(certificate.as_bytes(), key.as_bytes()) else { continue };
                let error = error.to_string();
                let is_shown = |line: &&str| line.len() == 64 && error.contains(&line[20..44]);
                assert!(
                    !pairs.iter().any(|(_, key)| key.lines().any(|line| is_shown(&line))),
                    "{error}"
                );
            }
        }
    }
}
