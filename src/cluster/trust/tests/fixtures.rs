//! Chains and signatures that OpenSSL made: `tests/fixtures/tls/make.sh`.

use std::path::PathBuf;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::super::signature;
use super::{Roots, UNTRUSTED, refusal};
use crate::cluster::x509::{Certificate, Hash, Padding, SignatureAlgorithm};

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/fixtures/tls", name].iter().collect()
}

/// The root and the server's certificate.
fn chain(name: &str) -> [CertificateDer<'static>; 2] {
    let certificates = CertificateDer::pem_file_iter(path(&format!("{name}.pem"))).unwrap();
    certificates.collect::<Result<Vec<_>, _>>().unwrap().try_into().unwrap()
}

#[test]
fn keys_and_hashes_are_accepted_as_by_go() {
    let unable = |because: &str| {
        format!(
            "certificate signed by unknown authority (possibly because of {because:?} while trying \
             to verify candidate authority certificate \"root\")"
        )
    };
    let unimplemented = unable("x509: cannot verify signature: algorithm unimplemented");
    let small = unable(
        "crypto/rsa: 1023-bit keys are insecure (see \
         https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)",
    );
    let sha1 = |name| unable(&format!("x509: cannot verify signature: insecure algorithm {name}"));
    let no_name = "certificate is not valid for any names, but wanted to match localhost";
    for (name, expected) in [
        ("p256-sha256", ""),
        ("p256-sha384", ""),
        ("p256-sha512", ""),
        ("p384-sha256", ""),
        ("p384-sha384", ""),
        ("p384-sha512", ""),
        ("p521-sha256", ""),
        ("p521-sha384", ""),
        ("p521-sha512", ""),
        ("rsa1024-sha256", ""),
        ("rsa1024-sha384", ""),
        ("rsa1024-sha512", ""),
        ("rsa2048-sha256", ""),
        ("rsa2048-sha384", ""),
        ("rsa2048-sha512", ""),
        ("rsa1024-pss", ""),
        ("rsa1025-pss", ""),
        ("rsa2048-pss", ""),
        ("ed25519", ""),
        ("server-p521", ""),
        ("server-rsa1024", ""),
        ("root-of-version-1", ""),
        ("rsa2048-pss-long-salt", unimplemented.as_str()),
        ("p224-sha256", unimplemented.as_str()),
        ("rsa1023-sha256", small.as_str()),
        ("rsa2048-sha1", sha1("SHA1-RSA").as_str()),
        ("p256-sha1", sha1("ECDSA-SHA1").as_str()),
        ("server-of-version-1", no_name),
    ] {
        let [root, server] = chain(name);
        let refusal = refusal(Roots::of(vec![root]), &[server], "localhost");
        let text = refusal.as_deref().map_or("", |text| text.strip_prefix(UNTRUSTED).unwrap());
        assert_eq!(text, expected, "{name}");
    }
}

#[test]
fn a_wrong_signature_of_every_kind_is_noticed() {
    for name in ["p256-sha512", "p384-sha512", "p521-sha256", "p521-sha512", "rsa1024-sha256"]
        .into_iter()
        .chain(["rsa1024-sha384", "rsa1024-pss", "rsa1025-pss", "rsa2048-sha256", "ed25519"])
    {
        let [root, server] = chain(name);
        let mut changed = server.to_vec();
        // The last bytes are the signature.
        *changed.last_mut().unwrap() ^= 1;
        let refusal = refusal(Roots::of(vec![root]), &[changed.into()], "localhost").unwrap();
        assert!(refusal.contains("verification"), "{name}: {refusal}");
    }
}

#[test]
fn signatures_with_small_keys_are_verified() {
    let [_, server] = chain("server-rsa1024");
    let key = Certificate::parse(&server).unwrap().public_key;
    for (file, padding, hash) in [
        ("rsa1024-pkcs1-sha256.sig", Padding::Pkcs1, Hash::Sha256),
        ("rsa1024-pkcs1-sha384.sig", Padding::Pkcs1, Hash::Sha384),
        ("rsa1024-pkcs1-sha512.sig", Padding::Pkcs1, Hash::Sha512),
        ("rsa1024-pss-sha256.sig", Padding::Pss, Hash::Sha256),
        ("rsa1024-pss-sha384.sig", Padding::Pss, Hash::Sha384),
    ] {
        let signature = std::fs::read(path(file)).unwrap();
        let verify = |hash, padding, message: &[u8], signature: &[u8]| {
            let algorithm = SignatureAlgorithm::Rsa(padding, hash);
            signature::verify(&key, algorithm, message, signature).is_ok()
        };
        assert!(verify(hash, padding, b"message", &signature), "{file}");
        assert!(!verify(hash, padding, b"massage", &signature), "{file}");
        let other_hash = if hash == Hash::Sha256 { Hash::Sha384 } else { Hash::Sha256 };
        assert!(!verify(other_hash, padding, b"message", &signature), "{file}");
        let other = if padding == Padding::Pss { Padding::Pkcs1 } else { Padding::Pss };
        assert!(!verify(hash, other, b"message", &signature), "{file}");
        for wrong in [&[][..], &[0; 128], &[0xff; 128], &signature[1..]] {
            assert!(!verify(hash, padding, b"message", wrong), "{file}");
        }
    }
}
