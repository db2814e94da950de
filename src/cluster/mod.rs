//! The Kubernetes client: the configuration, the credentials, and the API.
//!
//! A module imports only from those below it:
//!
//! - [`lease`]: Leases, which at most one process holds at a time
//! - [`api`]: requests, replies, errors, resource paths, watches
//! - [`credentials`]: tokens, client certificates, credential plugins, OIDC
//! - [`kuberc`]: preset flags, aliases, and the policy for credential plugins
//! - [`kubeconfig`]: kubeconfig files, their contexts, and the service account of a pod
//! - `trust`: the verification of servers, and the TLS settings of every connection
//! - `x509`: reading certificates and private keys
//! - `body`: the bodies of HTTP messages, bounded in size, in time, and together in memory

pub mod api;
pub(crate) mod body;
pub mod credentials;
pub mod kubeconfig;
pub mod kuberc;
pub mod lease;
pub(crate) mod trust;
pub(crate) mod x509;
