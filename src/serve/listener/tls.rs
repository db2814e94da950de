//! The server's certificate, read again when its files change.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::super::log::log;
use super::Tls;
use crate::cluster::credentials::certified_key;
use crate::text::bounded;

/// HTTP/2 as the handshake names it.
pub(super) const HTTP2: &[u8] = b"h2";

/// Between looks at the files.
const PERIOD: Duration = Duration::from_secs(10);

/// A certificate chain has a few kilobytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// What the server shows, and where it comes from.
#[derive(Debug)]
pub(super) struct Identity {
    files: Tls,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    /// As read last, good or bad.
    pair: Pair,
    looked: Instant,
}

/// The files' contents: the certificate's, and the key's.
#[derive(PartialEq, Eq)]
struct Pair(Vec<u8>, String);

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<hidden>")
    }
}

impl Identity {
    /// Reads the files.
    ///
    /// # Errors
    /// One that cannot be read, or what does not fit together.
    pub(super) fn load(files: Tls) -> Result<Self> {
        let pair = Pair::read(&files)?;
        let key = pair.key(&files)?;
        Ok(Self { files, current: Mutex::new(Current { key, pair, looked: Instant::now() }) })
    }

    fn current(&self) -> Arc<CertifiedKey> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked.elapsed() >= PERIOD {
            current.looked = Instant::now();
            current.look(&self.files);
        }
        Arc::clone(&current.key)
    }
}

impl Current {
    fn look(&mut self, files: &Tls) {
        let pair = match Pair::read(files) {
            Ok(pair) if pair == self.pair => return,
            Ok(pair) => pair,
            Err(error) => return log(&format!("the old certificate is used on: {error:#}")),
        };
        match pair.key(files) {
            Ok(key) => {
                self.key = key;
                log(&format!("the certificate of {} was read anew", files.certificate.display()));
            }
            // Both files are seldom written at the same moment.
            Err(error) => log(&format!("the old certificate is used on: {error:#}")),
        }
        self.pair = pair;
    }
}

impl Pair {
    fn read(files: &Tls) -> Result<Self> {
        let certificate = read("--tls-cert", &files.certificate)?;
        let key = read("--tls-key", &files.key)?;
        let key = String::from_utf8_lossy(&key).into_owned();
        Ok(Self(certificate, key))
    }

    fn key(&self, files: &Tls) -> Result<Arc<CertifiedKey>> {
        let (certificate, key) = (files.certificate.display(), files.key.display());
        certified_key(&self.0, &self.1)
            .with_context(|| format!("using --tls-cert={certificate} with --tls-key={key}"))
    }
}

fn read(flag: &str, path: &Path) -> Result<Vec<u8>> {
    let what = || format!("reading {flag}={}", path.display());
    let file = File::open(path).with_context(what)?;
    match bounded::read(file, LARGEST_FILE).with_context(what)? {
        Some(content) => Ok(content),
        None => bail!("{}: it is larger than a megabyte", what()),
    }
}

#[derive(Debug)]
struct Resolver(Arc<Identity>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.current())
    }
}

/// The server's side of TLS 1.2 and 1.3.
pub(super) fn acceptor(identity: &Arc<Identity>) -> TlsAcceptor {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring knows both versions of TLS")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Resolver(Arc::clone(identity))));
    config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use tempfile::TempDir;

    use super::*;

    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn write(directory: &TempDir, (certificate, key): &(String, String)) -> Tls {
        let files = Tls {
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
    async fn a_new_certificate_is_shown_without_a_restart_and_a_bad_one_never() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (pair(), pair());
        let identity = Identity::load(write(&directory, &old)).unwrap();
        let first = shown(&identity);
        write(&directory, &(new.0.clone(), old.1));
        tokio::time::advance(PERIOD).await;
        assert_eq!(shown(&identity), first, "a certificate without its key");
        write(&directory, &new);
        assert_eq!(shown(&identity), first, "before it is looked at again");
        tokio::time::advance(PERIOD).await;
        let second = shown(&identity);
        assert_ne!(second, first);
        std::fs::remove_file(directory.path().join("tls.crt")).unwrap();
        tokio::time::advance(PERIOD).await;
        assert_eq!(shown(&identity), second, "a file that is gone");
    }

    #[test]
    fn files_that_do_not_fit_are_refused_at_the_start() {
        let directory = tempfile::tempdir().unwrap();
        let (one, other) = (pair(), pair());
        let refused = |pair: &(String, String)| {
            format!("{:#}", Identity::load(write(&directory, pair)).unwrap_err())
        };
        let text = refused(&(one.0.clone(), other.1));
        assert!(text.starts_with("using --tls-cert="), "{text}");
        assert!(text.ends_with("tls: private key does not match public key"), "{text}");
        let text = refused(&(one.1, one.0));
        assert!(text.contains("PEM inputs may have been switched"), "{text}");
        let missing =
            Tls { certificate: "/missing/tls.crt".into(), key: "/missing/tls.key".into() };
        let text = format!("{:#}", Identity::load(missing).unwrap_err());
        assert!(text.starts_with("reading --tls-cert=/missing/tls.crt: "), "{text}");
    }
}
