//! The cluster and the user of a connection, built from their entries. Certificates and keys are
//! read here, from data or from files. A plain http server gets none of them, so they are not read.

use std::{fs::File, io, path::Path};

use anyhow::{Result, anyhow, bail};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Cluster, Exec, User,
    entries::{ClusterEntry, UserEntry},
    server_url::is_plain_http,
};
use crate::cluster::x509::authorities;
use crate::text::bounded;
use crate::text::go::{base64, os_error};

/// Larger than any bundle: all public roots together are below 300 KB.
const MAX_PEM: u64 = 4 * 1024 * 1024;

/// The cluster of an entry, with its certificate authority. `server` is a normalized URL.
///
/// # Errors
/// The entry has a certificate authority and `insecure-skip-tls-verify`, or the authority cannot be
/// read.
pub(super) fn cluster(entry: ClusterEntry, server: String) -> Result<Cluster> {
    let mut certificate_authority = None;
    if !is_plain_http(&server) {
        let file = entry.certificate_authority.as_path();
        let is_set = !file.as_os_str().is_empty() || !entry.certificate_authority_data.is_empty();
        if is_set && entry.insecure_skip_tls_verify {
            bail!("specifying a root certificates file with the insecure flag is not allowed");
        }
        if is_set {
            let pem = data_or_file(&entry.certificate_authority_data, file)?;
            certificate_authority = authority(pem)?;
        }
    }
    let set = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(Cluster {
        server,
        login: None,
        certificate_authority,
        insecure_skip_tls_verify: entry.insecure_skip_tls_verify,
        tls_server_name: set(entry.tls_server_name),
        proxy_url: set(entry.proxy_url),
        disable_compression: entry.disable_compression,
        exec_config: entry.exec_config,
    })
}

/// Checks a PEM bundle of root certificates. An empty bundle counts as none, as in kubectl.
///
/// # Errors
/// The bundle has no certificate.
pub(super) fn authority(pem: Vec<u8>) -> Result<Option<Vec<u8>>> {
    if pem.is_empty() {
        return Ok(None);
    }
    authorities(&pem)?;
    Ok(Some(pem))
}

/// The user of an entry, with the certificate and key if `server` is encrypted.
///
/// # Errors
/// The certificate or the key cannot be read.
pub(super) fn user(name: &str, entry: UserEntry, server: &str) -> Result<User> {
    let (mut client_certificate, mut client_key) = (None, None);
    // A key without a certificate is ignored.
    if entry.has_certificate() && !is_plain_http(server) {
        client_certificate =
            Some(data_or_file(&entry.client_certificate_data, &entry.client_certificate)?);
        let key = data_or_file(entry.client_key_data.expose_secret(), &entry.client_key)?;
        // A PEM block is ASCII. Text around it may have another encoding.
        client_key = Some(SecretString::from(String::from_utf8_lossy(&key).into_owned()));
    }
    let secret = |secret: SecretString| Some(secret).filter(|s| !s.expose_secret().is_empty());
    Ok(User {
        name: name.to_owned(),
        defined_in: Some(entry.defined_in).filter(|path| !path.as_os_str().is_empty()),
        token: secret(entry.token),
        token_file: Some(entry.token_file).filter(|path| !path.as_os_str().is_empty()),
        client_certificate,
        client_key,
        username: Some(entry.username).filter(|name| !name.is_empty()),
        password: secret(entry.password),
        exec: entry.exec.and_then(|exec| {
            Some(Exec {
                interactive_mode: exec.interactive_mode()?,
                api_version: exec.api_version,
                command: exec.command,
                args: exec.args,
                env: exec.env,
                install_hint: exec.install_hint,
                provide_cluster_info: exec.provide_cluster_info,
            })
        }),
        auth_provider: entry.auth_provider,
        impersonate: entry.impersonate,
    })
}

/// The trust roots for a server other than the cluster's, such as a token issuer; `None` for the
/// system's roots. `data` is base64 and wins over `file`, which is relative to the working
/// directory.
///
/// # Errors
/// The data is not base64, the file cannot be read, or the bundle has no certificate.
pub(crate) fn trust_roots(data: &str, file: &Path) -> Result<Option<Vec<u8>>> {
    if data.is_empty() && file.as_os_str().is_empty() {
        return Ok(None);
    }
    base64::check(data).map_err(|problem| anyhow!(problem))?;
    authority(data_or_file(data, file)?)
}

/// The decoded data if it is not empty, else the file's content.
fn data_or_file(data: &str, file: &Path) -> Result<Vec<u8>> {
    if !data.is_empty() {
        return Ok(base64::decode(data.as_bytes()).unwrap_or_default());
    }
    let failed = |err: io::Error| {
        let doing = if err.kind() == io::ErrorKind::IsADirectory { "read" } else { "open" };
        anyhow!("{doing} {}: {}", file.display(), os_error(&err))
    };
    let opened = File::open(file).map_err(failed)?;
    match bounded::read(opened, MAX_PEM).map_err(failed)? {
        Some(pem) => Ok(pem),
        None => bail!("{} is too large for a certificate or key: more than 4 MB", file.display()),
    }
}
