//! `locustctl version`: the versions of locustctl and of the server, in the form of `kubectl version`.

use std::pin::pin;

use anyhow::anyhow;
use serde::Serialize;

use super::connection;
use super::signals::{self, unless_interrupted};
use crate::cli::{GlobalArgs, VersionArgs};
use crate::cluster::api::{ServerVersion, mirrored_version};
use crate::output::{Failed, write_stdout};
use crate::text::terminal::on_one_line;
use crate::text::yaml;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    client_version: ClientVersion,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_version: Option<ServerVersion>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClientVersion {
    major: &'static str,
    minor: &'static str,
    git_version: String,
    /// The release of kubectl that locustctl mirrors.
    kubectl_version: String,
    platform: String,
}

#[derive(Clone, Copy)]
enum VersionFormat {
    Text,
    Json,
    Yaml,
}

/// Prints the versions. As in kubectl, the version of the client is printed even if the server does not
/// answer.
///
/// # Errors
/// The format does not exist, or the server's version cannot be read.
pub async fn run(global: GlobalArgs, args: VersionArgs) -> Result<(), Failed> {
    let format = match args.output.as_deref().unwrap_or_default() {
        "" => VersionFormat::Text,
        "json" => VersionFormat::Json,
        "yaml" => VersionFormat::Yaml,
        _ => return Err(anyhow!("--output must be 'yaml' or 'json'").into()),
    };
    let (server_version, error) = match args.client {
        true => (None, None),
        false => {
            let signal = pin!(signals::first()?);
            match unless_interrupted(
                server_version(global),
                signal,
                "the server had not answered yet",
            )
            .await?
            {
                Ok(version) => (Some(version), None),
                Err(error) => (None, Some(error)),
            }
        }
    };
    let versions = Versions { client_version: ClientVersion::present(), server_version };
    let text = match format {
        VersionFormat::Text => text(&versions),
        VersionFormat::Json => serde_json::to_string_pretty(&versions)? + "\n",
        VersionFormat::Yaml => yaml::print(&serde_json::to_value(&versions)?),
    };
    write_stdout(&text)?;
    error.map_or(Ok(()), |error| Err(error.into()))
}

async fn server_version(global: GlobalArgs) -> anyhow::Result<ServerVersion> {
    let connection = connection::prepare(global)?.open().await?;
    Ok(connection.client.server_version().await?)
}

fn text(versions: &Versions) -> String {
    let Versions { client_version, server_version } = versions;
    let ClientVersion { git_version, kubectl_version, .. } = client_version;
    let mut text = format!("Client Version: {git_version}\nMirrored kubectl: {kubectl_version}\n");
    if let Some(server) = server_version {
        text.push_str(&format!("Server Version: {}\n", on_one_line(&server.git_version)));
    }
    text
}

impl ClientVersion {
    fn present() -> Self {
        Self {
            major: env!("CARGO_PKG_VERSION_MAJOR"),
            minor: env!("CARGO_PKG_VERSION_MINOR"),
            git_version: format!("v{}", env!("CARGO_PKG_VERSION")),
            kubectl_version: mirrored_version(),
            platform: go_platform(),
        }
    }
}

/// The platform in Go's words: `linux/amd64`.
fn go_platform() -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    };
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        architecture => architecture,
    };
    format!("{os}/{architecture}")
}
