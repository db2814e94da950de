//! The server's certificate. It is reloaded when its files change.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::super::log::log;
use crate::cluster::credentials::certified_key;
use crate::text::bounded;

/// The ALPN name of HTTP/2.
pub(super) const HTTP2: &[u8] = b"h2";

/// Minimum time between two checks of the files.
const RELOAD_PERIOD: Duration = Duration::from_secs(10);

/// Limit on the size of each file, in bytes. A certificate chain has a few kilobytes.
const MAX_FILE: u64 = 1024 * 1024;

/// Certificate and key files of a server.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// The server's certificate and the files that it was read from.
#[derive(Debug)]
pub(super) struct Identity {
    files: TlsFiles,
    current: Mutex<CurrentCertificate>,
    /// False for pipes. They can be read only once.
    are_regular: bool,
}

#[derive(Debug)]
struct CurrentCertificate {
    key: Arc<CertifiedKey>,
    /// The contents that were read last, valid or not.
    contents: Contents,
    checked: Instant,
}

/// The contents of the certificate file and of the key file.
#[derive(PartialEq, Eq)]
struct Contents(Vec<u8>, Vec<u8>);

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<hidden>")
    }
}

impl Identity {
    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read, or the key does not belong to the certificate.
    pub(super) fn load(files: TlsFiles) -> Result<Self> {
        let contents = Contents::read(&files, |path| File::open(path))?;
        let key = contents.key(&files)?;
        let checked = Instant::now();
        let is_regular = |path: &Path| path.metadata().is_ok_and(|metadata| metadata.is_file());
        let are_regular = is_regular(&files.certificate) && is_regular(&files.key);
        let current = Mutex::new(CurrentCertificate { key, contents, checked });
        Ok(Self { files, current, are_regular })
    }

    fn current(&self) -> Arc<CertifiedKey> {
        let mut current = self.current.lock();
        if self.are_regular && current.checked.elapsed() >= RELOAD_PERIOD {
            current.checked = Instant::now();
            current.reload(&self.files);
        }
        Arc::clone(&current.key)
    }
}

impl CurrentCertificate {
    fn reload(&mut self, files: &TlsFiles) {
        let contents = match Contents::read(files, bounded::open_regular) {
            Ok(contents) if contents == self.contents => return,
            Ok(contents) => contents,
            Err(error) => return log_failure(&error),
        };
        match contents.key(files) {
            Ok(key) => {
                self.key = key;
                log(&format!("reloaded the certificate from {}", files.certificate.display()));
            }
            // Often only one of the two files is written yet.
            Err(error) => log_failure(&error),
        }
        self.contents = contents;
    }
}

fn log_failure(error: &anyhow::Error) {
    log(&format!("the new certificate cannot be used; the old one stays: {error:#}"));
}

impl Contents {
    fn read(files: &TlsFiles, open: fn(&Path) -> io::Result<File>) -> Result<Self> {
        let read = |flag: &str, path: &Path| read(open(path), flag, path);
        let certificate = read("--tls-cert", &files.certificate)?;
        let key = read("--tls-key", &files.key)?;
        Ok(Self(certificate, key))
    }

    fn key(&self, files: &TlsFiles) -> Result<Arc<CertifiedKey>> {
        let (certificate, key) = (files.certificate.display(), files.key.display());
        certified_key(&self.0, &self.1)
            .with_context(|| format!("using --tls-cert={certificate} with --tls-key={key}"))
    }
}

/// Reads the opened file. `flag` and `path` are for the error.
fn read(file: io::Result<File>, flag: &str, path: &Path) -> Result<Vec<u8>> {
    let name = || format!("reading {flag}={}", path.display());
    match bounded::read(file.with_context(name)?, MAX_FILE).with_context(name)? {
        Some(content) => Ok(content),
        None => bail!("{}: the file is larger than 1 MB", name()),
    }
}

#[derive(Debug)]
struct Resolver(Arc<Identity>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.current())
    }
}

/// The server side of TLS 1.2 and 1.3.
pub(super) fn acceptor(identity: &Arc<Identity>) -> TlsAcceptor {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports both versions of TLS")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Resolver(Arc::clone(identity))));
    config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
    use tempfile::TempDir;
    use tokio_rustls::TlsConnector;

    use super::*;

    fn certificate_and_key() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn write(directory: &TempDir, (certificate, key): &(String, String)) -> TlsFiles {
        let files = TlsFiles {
            certificate: directory.path().join("tls.crt"),
            key: directory.path().join("tls.key"),
        };
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
        files
    }

    fn shown(identity: &Identity) -> Vec<u8> {
        identity.current().cert[0].to_vec()
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_certificate_is_used_without_a_restart_and_an_invalid_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (certificate_and_key(), certificate_and_key());
        let identity = Identity::load(write(&directory, &old)).unwrap();
        let first = shown(&identity);
        write(&directory, &(new.0.clone(), old.1));
        tokio::time::advance(RELOAD_PERIOD).await;
        assert_eq!(shown(&identity), first, "a certificate without its key");
        write(&directory, &new);
        assert_eq!(shown(&identity), first, "before the next check");
        tokio::time::advance(RELOAD_PERIOD).await;
        let second = shown(&identity);
        assert_ne!(second, first);
        std::fs::remove_file(directory.path().join("tls.crt")).unwrap();
        tokio::time::advance(RELOAD_PERIOD).await;
        assert_eq!(shown(&identity), second, "a missing file");
    }

    /// Accepts every certificate, and signatures of P-521 only.
    #[derive(Debug)]
    struct OnlyP521;

    impl ServerCertVerifier for OnlyP521 {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            assert_eq!(signed.scheme, SignatureScheme::ECDSA_NISTP521_SHA512);
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            self.verify_tls12_signature(message, certificate, signed)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ECDSA_NISTP521_SHA512]
        }
    }

    #[tokio::test]
    async fn a_certificate_of_version_1_with_a_p_521_key_serves_tls_1_2_and_1_3() {
        let directory = tempfile::tempdir().unwrap();
        let pair = (
            include_str!("../../../tests/fixtures/keys/p521.crt").to_owned(),
            include_str!("../../../tests/fixtures/keys/p521.sec1.key").to_owned(),
        );
        let identity = Arc::new(Identity::load(write(&directory, &pair)).unwrap());
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_protocol_versions(&[version])
                .unwrap()
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(OnlyP521))
                .with_no_client_auth();
            let (client, server) = tokio::io::duplex(4096);
            let name = ServerName::try_from("localhost").unwrap();
            let connector = TlsConnector::from(Arc::new(config));
            let (client, server) =
                tokio::join!(connector.connect(name, client), acceptor(&identity).accept(server));
            server.unwrap();
            let client = client.unwrap();
            assert_eq!(client.get_ref().1.protocol_version(), Some(version.version));
        }
    }

    /// Opening a pipe waits for a writer, and all answers would wait for it.
    #[cfg(unix)]
    #[test]
    fn a_pipe_in_place_of_the_key_does_not_block() {
        let directory = tempfile::tempdir().unwrap();
        let files = write(&directory, &certificate_and_key());
        let identity = Identity::load(files.clone()).unwrap();
        std::fs::remove_file(&files.key).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&files.key).status().unwrap();
        assert!(made.success());
        let before = identity.current();
        let (reloaded, reload) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                identity.current.lock().reload(&files);
                reloaded.send(())
            });
            let in_time = reload.recv_timeout(Duration::from_secs(10));
            // If it blocks after all, a writer releases it.
            if in_time.is_err() {
                drop(std::fs::OpenOptions::new().write(true).open(&files.key));
            }
            assert!(in_time.is_ok());
        });
        assert!(Arc::ptr_eq(&before, &identity.current()), "the old key stays");
    }

    #[test]
    fn files_that_do_not_belong_together_are_refused_at_the_start() {
        let directory = tempfile::tempdir().unwrap();
        let (one, other) = (certificate_and_key(), certificate_and_key());
        let refused = |pair: &(String, String)| {
            format!("{:#}", Identity::load(write(&directory, pair)).unwrap_err())
        };
        let text = refused(&(one.0.clone(), other.1));
        assert!(text.starts_with("using --tls-cert="), "{text}");
        assert!(text.ends_with("tls: private key does not match public key"), "{text}");
        let text = refused(&(one.1, one.0));
        assert!(text.contains("PEM inputs may have been switched"), "{text}");
        let missing =
            TlsFiles { certificate: "/missing/tls.crt".into(), key: "/missing/tls.key".into() };
        let text = format!("{:#}", Identity::load(missing).unwrap_err());
        assert!(text.starts_with("reading --tls-cert=/missing/tls.crt: "), "{text}");
    }
}
