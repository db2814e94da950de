//! The environment of the process, as far as it concerns the cluster.

use std::{env, ffi::OsString, path::PathBuf};

/// Environment variables and well-known directories. Tests create their own value.
#[derive(Debug, Default, Clone)]
pub struct Environment {
    /// `$KUBECONFIG`: a list of files with the separator of `$PATH`.
    pub kubeconfig: Option<OsString>,
    /// The home directory, with `.kube/config`.
    pub home: Option<PathBuf>,
    /// `$KUBERNETES_MASTER`: the server if neither a flag nor a file names one.
    pub kubernetes_master: Option<String>,
    /// `$KUBERNETES_SERVICE_HOST`, set in every pod.
    pub service_host: Option<String>,
    /// `$KUBERNETES_SERVICE_PORT`, set in every pod.
    pub service_port: Option<String>,
    /// `$POD_NAMESPACE`
    pub pod_namespace: Option<String>,
    /// The directory of the pod's service account: `token`, `ca.crt` and `namespace`.
    pub service_account: PathBuf,
}

/// The directory at which kubelet mounts the service account of a pod.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

impl Environment {
    /// Reads the process's environment variables and home directory.
    ///
    /// `$LOCUSTCTL_SERVICEACCOUNT` names another directory for pods that mount the service account
    /// elsewhere.
    pub fn from_process() -> Self {
        let text = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            kubeconfig: env::var_os("KUBECONFIG").filter(|list| !list.is_empty()),
            home: dirs::home_dir(),
            kubernetes_master: text("KUBERNETES_MASTER"),
            service_host: text("KUBERNETES_SERVICE_HOST"),
            service_port: text("KUBERNETES_SERVICE_PORT"),
            pod_namespace: text("POD_NAMESPACE"),
            service_account: env::var_os("LOCUSTCTL_SERVICEACCOUNT")
                .filter(|path| !path.is_empty())
                .unwrap_or_else(|| SERVICE_ACCOUNT.into())
                .into(),
        }
    }
}
