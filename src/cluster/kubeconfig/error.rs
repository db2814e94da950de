//! Errors of the configuration. kubectl prints some without its usual `error: `, and has none for a
//! missing cluster.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// A configuration that cannot be used. [`ConfigError::is_whole_text`] says if the printer must
/// leave out `error: `.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// kubectl's `Error in configuration: `; several reasons become bullets.
    #[error("{}", in_configuration(.0))]
    InConfiguration(Vec<String>),
    /// Several files could not be loaded. There is one line for each.
    #[error("{}", .0.join("\n"))]
    Loading(Vec<String>),
    /// There are no credentials for a request. Holds the reason.
    #[error("Unable to connect to the server: {0}")]
    Credentials(String),
    /// The server's address cannot be used. Holds the reason.
    #[error("Unable to connect to the server: {0}")]
    Address(String),
    /// No flag and no file names a server. kubectl would try `localhost:8080`.
    #[error("no cluster is configured: {}\n\
        Name a file with --kubeconfig or $KUBECONFIG, or a server with --server. \
        To try locustctl without a cluster: locustctl --sandbox scale --replicas=3",
        describe_files(.files, .missing, .pod_token.as_deref()))]
    NoCluster {
        /// The files that were read and have no cluster in effect.
        files: Vec<PathBuf>,
        /// The files that do not exist.
        missing: Vec<PathBuf>,
        /// The missing token of the service account, in a pod.
        pod_token: Option<PathBuf>,
    },
    /// The context or cluster in effect has no server. kubectl would try `localhost:8080`.
    #[error("no cluster is configured: {}\n\
        Choose another context with --context, or name the server with --server. \
        To try locustctl without a cluster: locustctl --sandbox scale --replicas=3",
        no_server(.context.as_deref(), .cluster, *.known))]
    NoServer {
        /// The context in effect; `None` if there is only a cluster.
        context: Option<String>,
        /// The name of the cluster. It may be empty.
        cluster: String,
        /// True if the cluster has an entry.
        known: bool,
    },
}

impl ConfigError {
    /// True if `Display` is the whole text for stderr, without `error: ` before it.
    pub fn is_whole_text(&self) -> bool {
        !matches!(self, Self::NoCluster { .. } | Self::NoServer { .. })
    }
}

fn in_configuration(reasons: &[String]) -> String {
    match reasons {
        [only] => format!("Error in configuration: {only}"),
        _ => reasons
            .iter()
            .fold(String::from("Error in configuration: "), |text, reason| text + "\n* " + reason),
    }
}

fn describe_files(files: &[PathBuf], missing: &[PathBuf], pod_token: Option<&Path>) -> String {
    let list = |paths: &[PathBuf]| {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    let files = match (files, missing) {
        ([], []) => "there is neither $KUBECONFIG nor a home directory".to_owned(),
        ([], missing) => format!("looked for {}, not found", list(missing)),
        (files, []) => format!("no current context or server in {}", list(files)),
        (files, missing) => {
            format!("no current context or server in {}; not found: {}", list(files), list(missing))
        }
    };
    match pod_token {
        Some(token) => {
            format!("{files}; this is a pod, but {} was not found either", token.display())
        }
        None => files,
    }
}

fn no_server(context: Option<&str>, cluster: &str, known: bool) -> String {
    let names = match context {
        Some(context) => format!("context \"{context}\" names "),
        None => String::new(),
    };
    match (cluster, known) {
        ("", _) => format!("{names}no cluster"),
        (_, false) => format!("{names}cluster \"{cluster}\", which does not exist"),
        (_, true) => format!("{names}cluster \"{cluster}\", which has no server"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reason_follows_on_the_line_and_several_become_bullets() {
        let of = |reasons: &[&str]| {
            ConfigError::InConfiguration(reasons.iter().map(|s| s.to_string()).collect())
                .to_string()
        };
        assert_eq!(of(&["a"]), "Error in configuration: a");
        assert_eq!(of(&["a", "b"]), "Error in configuration: \n* a\n* b");
    }

    #[test]
    fn the_error_without_a_cluster_names_the_files_and_the_next_step() {
        let text = ConfigError::NoCluster {
            files: vec![],
            missing: vec!["/home/me/.kube/config".into()],
            pod_token: None,
        }
        .to_string();
        assert!(text.contains("looked for /home/me/.kube/config, not found"));
        assert!(text.contains("--kubeconfig"));
        assert!(text.ends_with("locustctl --sandbox scale --replicas=3"));
    }
}
