//! The parsers of text from outside, for the targets in `fuzz/`. None of them may panic or hang.

use crate::{cluster, locust, output, run, scaling, serve, text};

/// A kubeconfig.
pub fn kubeconfig(content: &[u8]) {
    let _ = cluster::kubeconfig::resolve_content(content);
}

/// A URL by Go's rules, and as the address of a server, a proxy and Locust.
pub fn url(text: &str) {
    let _ = text::go::url::Url::parse(text);
    if let Some(server) = cluster::kubeconfig::server_of(text) {
        cluster::api::try_server(&server);
    }
    cluster::api::try_proxy(text);
    let _ = locust::Address::parse(text);
}

/// A kuberc file.
pub fn kuberc(content: &[u8]) {
    let _ = cluster::kuberc::from_content(content);
}

/// The output of a credential plugin.
pub fn exec_credential(output: &[u8]) {
    let _ = cluster::credentials::is_plugin_answer(output);
}

/// A PEM file, or the DER of one key.
pub fn pem(content: &[u8]) {
    let _ = cluster::credentials::certified_key(content, content);
    let _ = cluster::x509::authorities(content);
    let _ = cluster::x509::PrivateKey::parse(content);
}

/// A certificate in DER form.
pub fn certificate(der: &[u8]) {
    let _ = cluster::x509::Certificate::parse(der);
    let _ = cluster::x509::subject(der);
}

/// A YAML text. A value that can be printed as YAML is read as the same value.
///
/// # Panics
/// It is read as another value.
pub fn yaml(content: &[u8]) {
    text::yaml::round_trip::check_round_trip(content);
}

/// An object of the cluster in JSON: a workload, a pod, or a Service of Locust.
pub fn installation(content: &[u8]) {
    if let Ok(object) = serde_json::from_slice(content) {
        locust::try_object(&object);
    }
}

/// A manifest.
pub fn manifest(content: &[u8]) {
    let _ = scaling::manifests::parse(content, "manifest");
}

/// A template of `-o FORMAT=TEMPLATE`.
pub fn template(format: &str, template: &str) {
    output::try_template(format, template);
}

/// A condition of `locustctl run`. A valid condition is printed, and parsed again.
///
/// # Panics
/// The second condition differs from the first.
pub fn condition(text: &str) {
    if let Ok(read) = text.parse::<run::Condition>() {
        assert_eq!(read.to_string().parse(), Ok(read));
    }
}

/// Locust's CSV files and its statistics. Valid results are judged and reported.
pub fn locust_results(content: &[u8]) {
    run::try_results(content);
}

/// The history of serve in a ConfigMap.
pub fn history(text: &str) {
    serve::try_history(text);
}

/// The page, the statistics and the log of Locust, separated by empty lines.
pub fn locust_answers(text: &str) {
    locust::try_answers(text);
}

/// A Lease in JSON. The record of locustctl is written into it, and read again.
///
/// # Panics
/// The record that was read differs from the written one.
pub fn lease(content: &[u8]) {
    // The client returns only objects.
    if let Ok(object @ serde_json::Value::Object(_)) = serde_json::from_slice(content) {
        cluster::lease::try_lease(object);
    }
}

/// The stream of a watch, cut into pieces at different places.
///
/// # Panics
/// The lines depend on the pieces.
pub fn watch(content: &[u8]) {
    cluster::api::try_watch(content);
}

/// An object in JSON with the annotation of `--remember`.
pub fn remembered(content: &[u8]) {
    if let Ok(object) = serde_json::from_slice(content) {
        scaling::try_annotation(&object);
    }
}

/// The session cookie of serve.
///
/// # Panics
/// A session that was not signed is accepted, or a signed one is read as another one.
pub fn session(content: &[u8]) {
    serve::try_session(content);
}

/// Locust's page, into which serve inserts the panel.
///
/// # Panics
/// Another part of the page has changed.
pub fn panel(content: &[u8]) {
    serve::try_page(content);
}

/// A change of the number of workers, as a client of serve requests it.
pub fn change(content: &[u8]) {
    serve::try_change(content);
}
