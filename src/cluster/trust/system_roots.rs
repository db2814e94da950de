//! The roots of the system, as Go finds them on Unix (`crypto/x509/root_unix.go`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{env, fs, io};

use super::refusal::Refusal;
use super::roots::Roots;
use super::server_error::ServerError;
use crate::text::bounded;
use crate::text::go::os_error;

/// The bundles of the distributions. The first that exists is used.
const FILES: [&str; 9] = [
    // Debian, Ubuntu
    "/etc/ssl/certs/ca-certificates.crt",
    // Fedora, RHEL 6
    "/etc/pki/tls/certs/ca-bundle.crt",
    // openSUSE
    "/etc/ssl/ca-bundle.pem",
    // OpenELEC
    "/etc/pki/tls/cacert.pem",
    // CentOS, RHEL 7
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    // Alpine, OpenBSD
    "/etc/ssl/cert.pem",
    // FreeBSD
    "/usr/local/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
    // NetBSD
    "/etc/openssl/certs/ca-certificates.crt",
];

const DIRECTORIES: [&str; 3] = ["/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/openssl/certs"];

/// Larger than any bundle: all public roots together are below 300 KB.
const MAX_SIZE: u64 = 4 * 1024 * 1024;

/// The roots of the system. They are read when a server is verified.
#[derive(Debug, Default)]
pub struct SystemRoots {
    bundle: OnceLock<Result<Roots, Refusal>>,
    directories: OnceLock<Result<Roots, Refusal>>,
}

impl SystemRoots {
    /// Verifies by `SSL_CERT_FILE` or the bundle of the distribution, and then with the files of
    /// `SSL_CERT_DIR` (a list) or of the distribution's directories. Go reads both at once. The
    /// directories have hundreds of files, so they are read only if the bundle leads to no root.
    ///
    /// # Errors
    /// The second error of `verify`, or nothing could be read.
    pub fn try_roots(
        &self,
        verify: impl Fn(&[&Roots]) -> Result<(), ServerError>,
    ) -> Result<(), ServerError> {
        let bundle = self.bundle.get_or_init(read_bundle);
        if let Ok(bundle) = bundle
            && verify(&[bundle]).is_ok()
        {
            return Ok(());
        }
        match (bundle, self.directories.get_or_init(read_directories)) {
            (Ok(bundle), Ok(directories)) => verify(&[bundle, directories]),
            (Err(_), Ok(roots)) if !roots.is_empty() => verify(&[roots]),
            (Ok(roots), Err(_)) if !roots.is_empty() => verify(&[roots]),
            (Err(refusal), _) | (_, Err(refusal)) => Err(ServerError::Untrusted(refusal.clone())),
        }
    }
}

fn read_bundle() -> Result<Roots, Refusal> {
    let file = variable("SSL_CERT_FILE").map(|file| vec![PathBuf::from(file)]);
    let files = file.unwrap_or_else(|| FILES.map(PathBuf::from).to_vec());
    let mut loader = RootLoader::default();
    let _ = files.iter().any(|file| loader.file(file));
    loader.finish()
}

fn read_directories() -> Result<Roots, Refusal> {
    let list = variable("SSL_CERT_DIR").map(|list| env::split_paths(&list).collect());
    let directories = list.unwrap_or_else(|| DIRECTORIES.map(PathBuf::from).to_vec());
    let mut loader = RootLoader::default();
    directories.iter().for_each(|directory| loader.directory(directory));
    loader.finish()
}

fn variable(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

#[derive(Default)]
struct RootLoader {
    roots: Roots,
    /// The first error, except for a missing file.
    problem: Option<String>,
}

impl RootLoader {
    /// The roots, or the problem if there are none.
    fn finish(self) -> Result<Roots, Refusal> {
        match self.problem {
            Some(problem) if self.roots.is_empty() => Err(Refusal::NoSystemRoots(problem)),
            _ => Ok(self.roots),
        }
    }

    /// Reads one file. Returns true if it could be read.
    fn file(&mut self, path: &Path) -> bool {
        match fs::File::open(path).and_then(|file| bounded::read(file, MAX_SIZE)) {
            Ok(Some(pem)) => self.roots.extend_from_pem(&pem),
            Ok(None) => self.fail(format!("{} is larger than 4 MB", path.display())),
            Err(error) => {
                self.note("open", path, &error);
                return false;
            }
        }
        true
    }

    fn directory(&mut self, path: &Path) {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => return self.note("open", path, &error),
        };
        // Names with hashes are links to other files of the same directory.
        let is_link_within =
            |file: &Path| fs::read_link(file).is_ok_and(|target| target.components().count() == 1);
        let files: BTreeSet<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        for file in files.iter().filter(|file| file.is_file() && !is_link_within(file)) {
            if let Ok(Some(pem)) =
                fs::File::open(file).and_then(|file| bounded::read(file, MAX_SIZE))
            {
                self.roots.extend_from_pem(&pem);
            }
        }
    }

    fn note(&mut self, doing: &str, path: &Path, error: &io::Error) {
        if error.kind() != io::ErrorKind::NotFound {
            self.fail(format!("{doing} {}: {}", path.display(), os_error(error)));
        }
    }

    fn fail(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }
}
