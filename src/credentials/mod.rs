//! How to prove who we are: bearer token, token file, basic authentication, client certificate.

use anyhow::Result;
use reqwest::header::HeaderValue;

use crate::kubeconfig::{Cluster, User};

/// What goes with every request to one cluster. Nothing is sent to a plain `http` server.
#[derive(Debug)]
pub struct Credentials {}

impl Credentials {
    /// Checks that the user's fields fit together (as client-go's `validateAuthInfo` does)
    /// and prepares what can be prepared without a request.
    ///
    /// # Errors
    /// A combination that kubectl refuses, or a certificate and key that cannot be read.
    pub fn new(_cluster: &Cluster, _user: &User) -> Result<Self> {
        todo!()
    }

    /// The `Authorization` header for the next request, marked sensitive; `None` without one.
    ///
    /// # Errors
    /// A token file that cannot be read and no token to fall back to.
    pub async fn authorization(&self) -> Result<Option<HeaderValue>> {
        todo!()
    }

    /// The client certificate for the TLS handshake.
    pub fn identity(&self) -> Option<&reqwest::Identity> {
        todo!()
    }
}
