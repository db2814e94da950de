//! Tests of the content of one file, and of kubectl's errors about it.

use crate::cluster::kubeconfig::{entries::Origin, file::File};
use crate::text::yaml::read as yaml;

fn read(text: &str) -> Result<File, String> {
    File::from_value(yaml::parse(text.as_bytes()).unwrap(), &Origin::of("/dir/config".as_ref()))
}

#[test]
fn wrong_types_are_reported_in_gos_words() {
    // Every text is kubectl's for the same file.
    let table = [
        ("current-context: y", "Config.current-context of type string", "bool"),
        ("current-context: 0123", "Config.current-context of type string", "number"),
        ("users: {a: b}", "Config.users of type []v1.NamedAuthInfo", "object"),
        ("users: [x]", "Config.users of type v1.NamedAuthInfo", "string"),
        ("users: [{name: 1}]", "NamedAuthInfo.users.name of type string", "number"),
        ("users: [{user: x}]", "NamedAuthInfo.users.user of type v1.AuthInfo", "string"),
        ("users: [{user: {token: 12345}}]", "AuthInfo.users.user.token of type string", "number"),
        ("users: [{user: {token: [a]}}]", "AuthInfo.users.user.token of type string", "array"),
        ("users: [{user: {exec: x}}]", "AuthInfo.users.user.exec of type v1.ExecConfig", "string"),
        (
            "users: [{user: {exec: {command: 1}}}]",
            "ExecConfig.users.user.exec.command of type string",
            "number",
        ),
        (
            "users: [{user: {exec: {args: x}}}]",
            "ExecConfig.users.user.exec.args of type []string",
            "string",
        ),
        (
            "users: [{user: {exec: {args: [1]}}}]",
            "ExecConfig.users.user.exec.args of type string",
            "number",
        ),
        (
            "users: [{user: {exec: {env: [{name: 1}]}}}]",
            "ExecEnvVar.users.user.exec.env.name of type string",
            "number",
        ),
        (
            "users: [{user: {auth-provider: {name: 1}}}]",
            "AuthProviderConfig.users.user.auth-provider.name of type string",
            "number",
        ),
        (
            "users: [{user: {auth-provider: {config: {a: 1}}}}]",
            "AuthProviderConfig.users.user.auth-provider.config of type string",
            "number",
        ),
        (
            "users: [{user: {as-user-extra: {a: b}}}]",
            "AuthInfo.users.user.as-user-extra of type []string",
            "string",
        ),
        (
            "users: [{user: {as-groups: [1]}}]",
            "AuthInfo.users.user.as-groups of type string",
            "number",
        ),
        (
            "users: [{user: {client-certificate-data: 5}}]",
            "AuthInfo.users.user.client-certificate-data of type []uint8",
            "number",
        ),
        (
            "clusters: [{cluster: {insecure-skip-tls-verify: 'true'}}]",
            "Cluster.clusters.cluster.insecure-skip-tls-verify of type bool",
            "string",
        ),
        (
            "clusters: [{cluster: {insecure-skip-tls-verify: yes, server: 1}}]",
            "Cluster.clusters.cluster.server of type string",
            "number",
        ),
        (
            "clusters: [{cluster: {extensions: [{name: 1}]}}]",
            "NamedExtension.clusters.cluster.extensions.name of type string",
            "number",
        ),
        (
            "contexts: [{context: {cluster: 1}}]",
            "Context.contexts.context.cluster of type string",
            "number",
        ),
        ("preferences: 1", "Config.preferences of type v1.Preferences", "number"),
        ("preferences: {colors: x}", "Preferences.preferences.colors of type bool", "string"),
    ];
    for (text, field, kind) in table {
        let expected = format!("json: cannot unmarshal {kind} into Go struct field {field}");
        assert_eq!(read(text).err(), Some(expected), "{text}");
    }
}

#[test]
fn other_kinds_and_versions_are_refused() {
    let scheme = "in scheme \"k8s.io/client-go/tools/clientcmd/api/latest/latest.go:50\"";
    let no_kind = |kind: &str, version: &str| {
        format!("no kind \"{kind}\" is registered for version \"{version}\" {scheme}")
    };
    let of_struct = "Go value of type struct { APIVersion string \
        \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";
    let broken = "couldn't get version/kind; json parse error: json: cannot unmarshal";
    let table = [
        ("kind: Pod", no_kind("Pod", "v1")),
        ("{kind: Config, apiVersion: v2}", no_kind("Config", "v2")),
        ("apiVersion: a/b", no_kind("Config", "a/b")),
        ("apiVersion: a/b/c", "unexpected GroupVersion string: a/b/c".to_owned()),
        ("kind: 1", format!("{broken} number into Go struct field .kind of type string")),
        ("hello", format!("{broken} string into {of_struct}")),
        ("[a]", format!("{broken} array into {of_struct}")),
    ];
    for (text, expected) in table {
        assert_eq!(read(text).err(), Some(expected), "{text}");
    }
    for text in [
        "",
        "kind: Config",
        "apiVersion: v1",
        "apiVersion: /v1",
        "{users: null, clusters: ~}",
        "other: 1",
    ] {
        assert!(read(text).is_ok(), "{text}");
    }
}

#[test]
fn duplicate_names_are_refused() {
    let user = "{name: u, user: {token: s3cret}}";
    assert_eq!(
        read(&format!("users: [{user}, {user}]")).unwrap_err(),
        "error converting *[]NamedAuthInfo into *map[string]*api.AuthInfo: \
         duplicate name \"u\" in list: [...]"
    );
    assert_eq!(
        read("clusters: [{}, {}]").unwrap_err(),
        "error converting *[]NamedCluster into *map[string]*api.Cluster: \
         duplicate name \"\" in list: [...]"
    );
}

#[test]
fn bad_base64_is_found_in_any_entry() {
    assert_eq!(
        read("users: [{user: {client-key-data: '%%'}}]").unwrap_err(),
        "illegal base64 data at input byte 0"
    );
}
