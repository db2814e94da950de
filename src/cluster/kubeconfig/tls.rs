//! From entries to what the connection needs: certificates and keys read, whichever form they
//! are given in. Nothing is read for a plain http server, which gets none of it.

use std::{fs::File, io, path::Path};

use anyhow::{Result, anyhow, bail};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Cluster, Exec, User, base64_field,
    entries::{ClusterEntry, UserEntry},
    server_url::is_plain_http,
};
use crate::text::bounded;
use crate::text::go::os_error;

/// A bundle of every public root is below 300 KB.
const MAX_PEM: u64 = 4 * 1024 * 1024;

/// The cluster entry with its certificate authority read. `server` is a normalized URL.
///
/// # Errors
/// A certificate authority beside `insecure`, or one that cannot be read, or is none.
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
        certificate_authority,
        insecure_skip_tls_verify: entry.insecure_skip_tls_verify,
        tls_server_name: set(entry.tls_server_name),
        proxy_url: set(entry.proxy_url),
        disable_compression: entry.disable_compression,
        exec_config: entry.exec_config,
    })
}

/// Checks a PEM bundle of root certificates. An empty one is none, as in kubectl.
///
/// # Errors
/// A bundle without a certificate.
pub(super) fn authority(pem: Vec<u8>) -> Result<Option<Vec<u8>>> {
    if pem.is_empty() {
        return Ok(None);
    }
    if CertificateDer::pem_slice_iter(&pem).any(|certificate| certificate.is_ok()) {
        return Ok(Some(pem));
    }
    let text = String::from_utf8_lossy(&pem);
    let problem = match text.contains("-----BEGIN ") {
        true => "no valid certificate authority data seen",
        false => "unable to parse bytes as PEM block",
    };
    bail!("unable to load root certificates: {problem}")
}

/// The user entry with its certificate and key read, if `server` is to see them.
///
/// # Errors
/// A certificate or key that cannot be read.
pub(super) fn user(name: &str, entry: UserEntry, server: &str) -> Result<User> {
    let (mut client_certificate, mut client_key) = (None, None);
    // A key without a certificate is of no use and no error.
    if entry.has_certificate() && !is_plain_http(server) {
        client_certificate =
            Some(data_or_file(&entry.client_certificate_data, &entry.client_certificate)?);
        let key = data_or_file(entry.client_key_data.expose_secret(), &entry.client_key)?;
        let key = String::from_utf8(key)
            .map_err(|_| anyhow!("tls: failed to find any PEM data in key input"))?;
        client_key = Some(SecretString::from(key));
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

/// The trust roots of something beside the cluster, such as a token issuer; `None` for the
/// system's. The data wins over the file. It is base64, the file relative to the working directory.
///
/// # Errors
/// Data that is no base64, a file that cannot be read, a bundle without a certificate.
pub(crate) fn trust_roots(data: &str, file: &Path) -> Result<Option<Vec<u8>>> {
    if data.is_empty() && file.as_os_str().is_empty() {
        return Ok(None);
    }
    base64_field::check(data).map_err(|problem| anyhow!(problem))?;
    authority(data_or_file(data, file)?)
}

/// The decoded data when there is any, else the file's content.
pub(super) fn data_or_file(data: &str, file: &Path) -> Result<Vec<u8>> {
    if !data.is_empty() {
        return Ok(base64_field::decode(data));
    }
    let failed = |err: io::Error| {
        let doing = if err.kind() == io::ErrorKind::IsADirectory { "read" } else { "open" };
        anyhow!("{doing} {}: {}", file.display(), os_error(&err))
    };
    let opened = File::open(file).map_err(failed)?;
    match bounded::read(opened, MAX_PEM).map_err(failed)? {
        Some(pem) => Ok(pem),
        None => bail!("{} is larger than 4 MB, which no certificate or key is", file.display()),
    }
}
