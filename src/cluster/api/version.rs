//! `--match-server-version`: the server must have the release that locustctl mirrors.

use reqwest::Method;
use serde::Deserialize;

use super::client::Client;
use super::exchange::Request;
use super::{About, Error, Status};

/// The release of kubectl that locustctl mirrors.
const MIRRORED: (&str, &str) = ("1", "36");

#[derive(Deserialize)]
struct Version {
    major: String,
    minor: String,
    #[serde(rename = "gitVersion", default)]
    git_version: String,
}

impl Client {
    /// Compares the server's release with the one that locustctl mirrors.
    ///
    /// # Errors
    /// Any of [`Error`]; [`Error::Unreadable`] for another release.
    pub async fn match_server_version(&self) -> Result<(), Error> {
        let about = About { verb: "get", resource: "version".into(), name: String::new() };
        let path = "/version";
        let request = Request {
            method: Method::GET,
            path,
            query: &[],
            content: None,
            accept: None,
            about: &about,
        };
        let reply = self.send(request).await?;
        if !reply.is_success() {
            return Err(Error::Status(Box::new(Status::from_reply(&reply, &about))));
        }
        let server: Version = serde_json::from_slice(&reply.body).map_err(|error| {
            Error::Unreadable(format!("unable to parse the server version: {error}"))
        })?;
        // Cloud providers mark their own builds as `36+`.
        match (server.major.as_str(), server.minor.trim_end_matches('+')) == MIRRORED {
            true => Ok(()),
            false => Err(Error::Unreadable(format!(
                "server version ({}.{}, {}) differs from client version ({}.{}, which locustctl {} mirrors)",
                server.major,
                server.minor,
                server.git_version,
                MIRRORED.0,
                MIRRORED.1,
                env!("CARGO_PKG_VERSION")
            ))),
        }
    }
}
