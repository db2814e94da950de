//! The Kubernetes client: which cluster, as which user, and its API.
//!
//! A module imports only from those below it:
//!
//! - [`api`]: requests, answers, errors, resource paths, watches
//! - [`credentials`]: tokens, client certificates, credential plugins, OIDC
//! - [`kuberc`]: preset flags, aliases, and the credential plugins that may run
//! - [`kubeconfig`]: kubeconfig files, their contexts, and the service account of a pod
//! - `body`: the bodies of HTTP answers, bounded in size

pub mod api;
pub(crate) mod body;
pub mod credentials;
pub mod kubeconfig;
pub mod kuberc;
