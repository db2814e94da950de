//! Errors that kubectl prints without its usual `error: ` in front, and the one that has no
//! counterpart there: no cluster is configured at all.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// A configuration that cannot be used. `Display` is the whole text for stderr: a printer that
/// finds this type behind its error must not put `error: ` in front, [`ConfigError::NoCluster`]
/// and [`ConfigError::NoServer`] excepted (see [`ConfigError::is_whole_text`]).
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// kubectl's `Error in configuration: `; several reasons become bullets.
    #[error("{}", in_configuration(.0))]
    InConfiguration(Vec<String>),
    /// Several files of the list could not be loaded: one line for each.
    #[error("{}", .0.join("\n"))]
    Loading(Vec<String>),
    /// No credentials could be got for a request; why.
    #[error("Unable to connect to the server: {0}")]
    Credentials(String),
    /// Nothing names a server. kubectl would try `localhost:8080` here.
    #[error("no cluster is configured: {}\n\
        Name a file with --kubeconfig or $KUBECONFIG, or a server with --server. \
        To try locustctl without a cluster: locustctl --sandbox scale --replicas=3",
        looked_at(.files, .missing, .pod_token.as_deref()))]
    NoCluster {
        /// The files that were read and name no cluster to use.
        files: Vec<PathBuf>,
        /// The files that were looked for and do not exist.
        missing: Vec<PathBuf>,
        /// In a pod, the service account's token, which is not there.
        pod_token: Option<PathBuf>,
    },
    /// The context or the cluster in effect leads to no server. kubectl would try `localhost:8080` here.
    #[error("no cluster is configured: {}\n\
        Choose another context with --context, or name the server with --server. \
        To try locustctl without a cluster: locustctl --sandbox scale --replicas=3",
        no_server(.context.as_deref(), .cluster, *.known))]
    NoServer {
        /// The context in effect; `None` when only a cluster was named.
        context: Option<String>,
        /// The cluster it names; may be empty.
        cluster: String,
        /// Whether that cluster has an entry.
        known: bool,
    },
}

impl ConfigError {
    /// Whether `Display` is all that belongs on stderr, without `error: ` in front.
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

fn looked_at(files: &[PathBuf], missing: &[PathBuf], pod_token: Option<&Path>) -> String {
    let list = |paths: &[PathBuf]| {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    let files = match (files, missing) {
        ([], []) => "there is no kubeconfig file to look for".to_owned(),
        ([], missing) => format!("looked for {}, not found", list(missing)),
        (files, []) => format!("no current context or server in {}", list(files)),
        (files, missing) => {
            format!("no current context or server in {}; not found: {}", list(files), list(missing))
        }
    };
    match pod_token {
        Some(token) => {
            format!("{files}; and, since this is a pod, for {}, not found either", token.display())
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
    fn one_reason_stands_on_the_line_and_several_become_bullets() {
        let of = |reasons: &[&str]| {
            ConfigError::InConfiguration(reasons.iter().map(|s| s.to_string()).collect())
                .to_string()
        };
        assert_eq!(of(&["a"]), "Error in configuration: a");
        assert_eq!(of(&["a", "b"]), "Error in configuration: \n* a\n* b");
    }

    #[test]
    fn no_cluster_says_where_was_looked_and_what_to_do() {
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
