//! The defaults of a pod's spec, in a pod and in a template.

use serde_json::{Value, json};

use super::object::{self, items};

/// Fills in the fields that a client may leave out.
pub(super) fn set_defaults(spec: &mut Value, restart_policy: &str) {
    object::default(spec, "restartPolicy", json!(restart_policy));
    object::default(spec, "terminationGracePeriodSeconds", json!(30));
    object::default(spec, "dnsPolicy", json!("ClusterFirst"));
    object::default(spec, "securityContext", json!({}));
    object::default(spec, "schedulerName", json!("default-scheduler"));
    for container in items(spec, "containers") {
        object::default(container, "resources", json!({}));
        object::default(container, "terminationMessagePath", json!("/dev/termination-log"));
        object::default(container, "terminationMessagePolicy", json!("File"));
        let image = object::text(container, "/image");
        let tag = image.rsplit('/').next().unwrap_or("").split_once(':').map(|(_, tag)| tag);
        let policy = if matches!(tag, None | Some("latest")) { "Always" } else { "IfNotPresent" };
        object::default(container, "imagePullPolicy", json!(policy));
        for port in items(container, "ports") {
            object::default(port, "protocol", json!("TCP"));
        }
    }
}
