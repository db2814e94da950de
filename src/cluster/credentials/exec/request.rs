//! The input of a plugin: the variable `KUBERNETES_EXEC_INFO`, one line of JSON.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;
use serde_json::Value;

use crate::cluster::kubeconfig::Cluster;

/// `spec.cluster`. The fields have client-go's order. Empty ones are left out, except for `config`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ClusterInfo {
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_server_name: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    insecure_skip_tls_verify: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_authority_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy_url: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disable_compression: bool,
    /// The extension of the cluster entry, or null.
    config: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecInfo<'a> {
    kind: &'static str,
    api_version: &'a str,
    spec: Spec<'a>,
}

#[derive(Serialize)]
struct Spec<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a ClusterInfo>,
    interactive: bool,
}

impl ClusterInfo {
    /// The fields of `cluster` that a plugin gets.
    pub fn of(cluster: &Cluster) -> Self {
        let authority = cluster.certificate_authority.as_ref();
        Self {
            server: cluster.server.clone(),
            tls_server_name: cluster.tls_server_name.clone(),
            insecure_skip_tls_verify: cluster.insecure_skip_tls_verify,
            certificate_authority_data: authority.map(|pem| BASE64_STANDARD.encode(pem)),
            proxy_url: cluster.proxy_url.clone(),
            disable_compression: cluster.disable_compression,
            config: cluster.exec_config.clone(),
        }
    }
}

/// The value of `KUBERNETES_EXEC_INFO`, with its newline.
pub(super) fn info(api_version: &str, cluster: Option<&ClusterInfo>, interactive: bool) -> String {
    let spec = Spec { cluster, interactive };
    let info = ExecInfo { kind: "ExecCredential", api_version, spec };
    // These types always serialize. An empty text would only leave the plugin without the info.
    serde_json::to_string(&info).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "client.authentication.k8s.io/v1";

    #[test]
    fn the_info_is_what_client_go_prints() {
        assert_eq!(
            info(V1, None, false),
            "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\
             \"spec\":{\"interactive\":false}}\n"
        );
        let cluster = Cluster {
            server: "https://h".into(),
            login: None,
            tls_server_name: Some("n".into()),
            insecure_skip_tls_verify: true,
            certificate_authority: Some(b"pem".to_vec()),
            proxy_url: Some("http://p".into()),
            disable_compression: true,
            exec_config: Some(serde_json::json!({"audience": "a"})),
        };
        let info = self::info(V1, Some(&ClusterInfo::of(&cluster)), true);
        let expected = "\"spec\":{\"cluster\":{\"server\":\"https://h\",\"tls-server-name\":\"n\",\
            \"insecure-skip-tls-verify\":true,\"certificate-authority-data\":\"cGVt\",\
            \"proxy-url\":\"http://p\",\"disable-compression\":true,\
            \"config\":{\"audience\":\"a\"}},\"interactive\":true}}\n";
        assert!(info.ends_with(expected), "{info}");
        let plain = Cluster { server: "https://h".into(), ..Cluster::default() };
        let info = self::info(V1, Some(&ClusterInfo::of(&plain)), false);
        let expected = "\"spec\":{\"cluster\":{\"server\":\"https://h\",\"config\":null},\
            \"interactive\":false}}\n";
        assert!(info.ends_with(expected), "{info}");
    }
}
