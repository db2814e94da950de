//! Protection of pages with the panel against clickjacking: two clicks in an invisible frame of another
//! site could scale the workers.

use axum::http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use axum::http::{HeaderMap, HeaderValue};

/// Forbids other sites to show the page in a frame. If Locust has set its own rule, that rule stays: in
/// browsers, `frame-ancestors` replaces `X-Frame-Options`.
pub(super) fn forbid_other_sites(headers: &mut HeaderMap) {
    let has_rule = headers.contains_key(X_FRAME_OPTIONS)
        || headers.get_all(CONTENT_SECURITY_POLICY).iter().any(has_frame_ancestors);
    if !has_rule {
        // A further policy does not weaken the policies of Locust: browsers apply all of them.
        let policy = HeaderValue::from_static("frame-ancestors 'self'");
        headers.append(CONTENT_SECURITY_POLICY, policy);
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    }
}

/// True if one of the policies in the header has the directive `frame-ancestors`.
fn has_frame_ancestors(policies: &HeaderValue) -> bool {
    let directives = policies.as_bytes().split(|byte| matches!(byte, b';' | b','));
    directives
        .filter_map(|directive| directive.trim_ascii().split(u8::is_ascii_whitespace).next())
        .any(|name| name.eq_ignore_ascii_case(b"frame-ancestors"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The policies and the frame options after [`forbid_other_sites`].
    fn secured(sent: &[(&'static str, &'static [u8])]) -> [Vec<HeaderValue>; 2] {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        forbid_other_sites(&mut headers);
        [CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS]
            .map(|name| headers.get_all(name).iter().cloned().collect())
    }

    #[test]
    fn other_sites_cannot_frame_the_page() {
        for policy in [&b"default-src 'self'"[..], b"img-src x/frame-ancestors \xe9"] {
            let [policies, options] = secured(&[("content-security-policy", policy)]);
            assert_eq!(policies[0].as_bytes(), policy, "the policy of Locust stays");
            assert_eq!(policies[1..], ["frame-ancestors 'self'"]);
            assert_eq!(options, ["SAMEORIGIN"]);
        }
        let report = ("content-security-policy-report-only", &b"frame-ancestors *"[..]);
        let [policies, options] = secured(&[report]);
        assert_eq!(policies, ["frame-ancestors 'self'"]);
        assert_eq!(options, ["SAMEORIGIN"]);
    }

    #[test]
    fn a_rule_of_locust_stays() {
        for rule in [
            &b"frame-ancestors https://grafana.example.com"[..],
            b"img-src *,Frame-Ancestors\t*",
            b"img-src \xe9; frame-ancestors",
        ] {
            let [policies, options] = secured(&[("content-security-policy", rule)]);
            assert_eq!((policies.len(), policies[0].as_bytes(), options.len()), (1, rule, 0));
        }
        let [policies, options] = secured(&[("x-frame-options", b"DENY")]);
        assert!(policies.is_empty());
        assert_eq!(options, ["DENY"]);
    }
}
