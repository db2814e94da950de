//! The access options of `serve`, as they were given on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Result, bail};

use super::relayed::CrossSite;

#[derive(Debug, Clone)]
pub struct AccessOptions {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// True if the server uses TLS.
    pub is_tls: bool,
    /// `--auth-token-file`
    pub token_file: Option<PathBuf>,
    /// `--session-key-file`
    pub session_key_file: Option<PathBuf>,
    /// `--auth-proxy-header`
    pub proxy_header: Option<String>,
    /// `--trusted-proxy`
    pub trusted_proxies: Vec<String>,
    /// `--auth none`
    pub is_open: bool,
    /// `--allowed-host`
    pub allowed_hosts: Vec<String>,
    /// `--allow-cross-site`
    pub cross_site: CrossSite,
    /// The path below which the server's own addresses are, seen from the root: empty, or ending
    /// with a slash.
    pub mount: &'static str,
}

impl AccessOptions {
    /// Checks the flags against each other.
    ///
    /// # Errors
    /// Flags contradict each other or need another flag, or other machines can reach the address
    /// and no flag says who has access.
    pub(super) fn check(&self) -> Result<()> {
        let Self { listen, token_file, proxy_header, trusted_proxies, is_open, .. } = self;
        let has_authentication = token_file.is_some() || proxy_header.is_some();
        if *is_open && has_authentication {
            bail!(
                "--auth=none cannot be combined with --auth-token-file or --auth-proxy-header; \
                 leave one of them out"
            );
        }
        if self.session_key_file.is_some() && token_file.is_none() {
            bail!(
                "--session-key-file needs --auth-token-file: only people who sign in with a token have \
                 sessions"
            );
        }
        if proxy_header.is_some() && trusted_proxies.is_empty() {
            bail!(
                "--auth-proxy-header needs --trusted-proxy, for example \
                 --trusted-proxy=10.0.0.0/8: otherwise any client could send the header"
            );
        }
        if !has_authentication && !trusted_proxies.is_empty() {
            bail!(
                "--trusted-proxy needs --auth-proxy-header, the header in which the proxy names \
                 the user, or --auth-token-file"
            );
        }
        if !listen.ip().to_canonical().is_loopback() && !has_authentication && !is_open {
            bail!(
                "other machines can reach {listen}: require authentication with \
                 --auth-token-file=FILE, or with --auth-proxy-header=NAME and \
                 --trusted-proxy=CIDR; --auth=none allows everyone"
            );
        }
        Ok(())
    }
}
