//! The server's version, and `--match-server-version`: the server must have the release that locustctl
//! mirrors.

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::exchange::Request;
use super::{Error, RequestSubject, Status};

/// The release of kubectl that locustctl mirrors.
const MIRRORED: (&str, &str) = ("1", "36");

/// The release of kubectl that locustctl mirrors: `v1.36`.
pub fn mirrored_version() -> String {
    format!("v{}.{}", MIRRORED.0, MIRRORED.1)
}

/// The server's answer to `GET /version`, in the order of apimachinery's `version.Info`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerVersion {
    pub major: String,
    pub minor: String,
    /// Since Kubernetes 1.31.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub emulation_major: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub emulation_minor: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub min_compatibility_major: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub min_compatibility_minor: String,
    #[serde(default)]
    pub git_version: String,
    #[serde(default)]
    pub git_commit: String,
    #[serde(default)]
    pub git_tree_state: String,
    #[serde(default)]
    pub build_date: String,
    #[serde(default)]
    pub go_version: String,
    #[serde(default)]
    pub compiler: String,
    #[serde(default)]
    pub platform: String,
}

impl Client {
    /// Compares the server's release with the one that locustctl mirrors.
    ///
    /// # Errors
    /// Any of [`Error`]; [`Error::Unreadable`] for another release.
    pub async fn match_server_version(&self) -> Result<(), Error> {
        let server = self.server_version().await?;
        // Cloud providers mark their own builds as `36+`.
        match (server.major.as_str(), server.minor.trim_end_matches('+')) == MIRRORED {
            true => Ok(()),
            false => Err(Error::Unreadable(format!(
                "server version ({}.{}, {}) differs from client version ({}.{}): locustctl {} follows this \
                 release of kubectl; to continue, leave out --match-server-version",
                server.major,
                server.minor,
                server.git_version,
                MIRRORED.0,
                MIRRORED.1,
                env!("CARGO_PKG_VERSION")
            ))),
        }
    }

    /// `GET /version`
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn server_version(&self) -> Result<ServerVersion, Error> {
        let subject =
            RequestSubject { verb: "get", resource: "version".into(), name: String::new() };
        let path = "/version";
        let request = Request {
            method: Method::GET,
            path,
            query: &[],
            content: None,
            accept: None,
            subject: &subject,
        };
        let reply = self.send(request).await?;
        if !reply.is_success() {
            return Err(Error::Status(Box::new(Status::from_reply(&reply, &subject))));
        }
        serde_json::from_slice(&reply.body).map_err(|error| {
            Error::Unreadable(format!("unable to parse the server version: {error}"))
        })
    }
}
