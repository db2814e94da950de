//! The output of a plugin: an `ExecCredential` with a token, a certificate with its key, or both. It
//! is JSON or YAML, as in apimachinery's `UniversalDecoder`.

use std::sync::Arc;

use rustls::sign::CertifiedKey;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::cluster::credentials::client_certificate;
use crate::cluster::kubeconfig::fields;
use crate::text::yaml::read as yaml;

/// A valid credential. [`ExecCredential::parse`] returns its certificate separately.
#[derive(Debug)]
pub(super) struct ExecCredential {
    pub token: Option<SecretString>,
    expires: Option<OffsetDateTime>,
}

/// Not `Debug`: it holds secrets.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<String>,
}

impl ExecCredential {
    /// Reads a plugin's output. It must have the API version of the kubeconfig.
    ///
    /// # Errors
    /// kubectl's text after `getting credentials: `. It never shows the output.
    pub fn parse(
        output: &[u8],
        api_version: &str,
    ) -> Result<(Self, Option<Arc<CertifiedKey>>), String> {
        let mut fields =
            fields_of(output).map_err(|problem| format!("decoding stdout: {problem}"))?;
        check_version(&mut fields, api_version)?;
        let status = status(&mut fields)?.ok_or("exec plugin didn't return a status field")?;
        let set = |text: Option<String>| text.filter(|text| !text.is_empty());
        let token = set(status.token);
        let certificate = set(status.client_certificate_data);
        let identity = match (certificate, set(status.client_key_data)) {
            (None, None) if token.is_none() => {
                return Err("exec plugin didn't return a token or cert/key pair".to_owned());
            }
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                let identity = client_certificate::identity(certificate.as_bytes(), key.as_bytes())
                    .map_err(|err| format!("failed parsing client key/certificate: {err}"))?;
                Some(identity)
            }
            _ => return Err("exec plugin returned only certificate or key, not both".to_owned()),
        };
        let expires = match set(status.expiration_timestamp) {
            None => None,
            Some(text) => Some(OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| {
                "decoding stdout: expirationTimestamp is not a time of the form \"2006-01-02T15:04:05Z07:00\"".to_owned()
            })?),
        };
        Ok((Self { token: token.map(SecretString::from), expires }, identity))
    }

    /// True until it expires. A credential without an end never expires.
    pub fn is_valid(&self) -> bool {
        self.expires.is_none_or(|expires| OffsetDateTime::now_utc() < expires)
    }
}

/// The fields of the output. It is JSON if it starts with `{`, otherwise YAML.
fn fields_of(output: &[u8]) -> Result<Map<String, Value>, String> {
    const NO_VERSION: &str = "couldn't get version/kind; json parse error: ";
    let value = if output.trim_ascii_start().starts_with(b"{") {
        // Go replaces bytes that are not UTF-8.
        serde_json::from_str(&String::from_utf8_lossy(output))
            .map_err(|err| format!("{NO_VERSION}{}", position(&err)))?
    } else {
        yaml::parse(output)?
    };
    fields::top_level(value)
}

fn check_version(fields: &mut Map<String, Value>, api_version: &str) -> Result<(), String> {
    let mut take = |name| {
        fields::text(fields.remove(name).unwrap_or_default(), "", name).map_err(|problem| {
            format!("decoding stdout: couldn't get version/kind; json parse error: {problem}")
        })
    };
    let (mut returned, kind) = (take("apiVersion")?, take("kind")?);
    // client-go fills in the kind and its internal version.
    if returned.is_empty() {
        "client.authentication.k8s.io/__internal".clone_into(&mut returned);
    }
    if !matches!(kind.as_str(), "" | "ExecCredential") {
        return Err(format!(
            "decoding stdout: no kind {kind:?} is registered for version {returned:?}"
        ));
    }
    if returned == api_version {
        return Ok(());
    }
    Err(format!(
        "exec plugin is configured to use API version {api_version}, \
         plugin returned version {returned}"
    ))
}

fn status(fields: &mut Map<String, Value>) -> Result<Option<Status>, String> {
    match fields.remove("status") {
        None | Some(Value::Null) => Ok(None),
        Some(status) => serde_json::from_value(status)
            .map(Some)
            .map_err(|err| format!("decoding stdout: {}", position(&err))),
    }
}

/// The position of an error in JSON. The parser's own text may contain the value, which may be
/// secret.
fn position(err: &serde_json::Error) -> String {
    let what = match err.classify() {
        serde_json::error::Category::Eof => "unexpected end of JSON input",
        serde_json::error::Category::Data => "a field is of the wrong type",
        _ => "invalid character",
    };
    match err.line() {
        0 => what.to_owned(),
        line => format!("{what} at line {line}, column {}", err.column()),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const V1: &str = "client.authentication.k8s.io/v1";

    fn output(status: &str) -> String {
        format!("{{\"kind\":\"ExecCredential\",\"apiVersion\":\"{V1}\",\"status\":{status}}}")
    }

    #[test]
    fn a_token_is_kept_until_it_expires() {
        let credential =
            |status: &str| ExecCredential::parse(output(status).as_bytes(), V1).unwrap().0;
        let forever = credential(r#"{"token":"t"}"#);
        assert_eq!(forever.token.as_ref().unwrap().expose_secret(), "t");
        assert!(forever.is_valid());
        assert!(
            credential(r#"{"token":"t","expirationTimestamp":"2100-01-01T00:00:00Z"}"#).is_valid()
        );
        assert!(credential(r#"{"token":"t","expirationTimestamp":null}"#).is_valid());
        let past = r#"{"token":"t","expirationTimestamp":"2020-01-01T00:00:00+02:00"}"#;
        assert!(!credential(past).is_valid());
    }

    #[test]
    fn invalid_output_is_refused_in_kubectls_words() {
        let configured =
            format!("exec plugin is configured to use API version {V1}, plugin returned version ");
        let v1beta1 = output("{}").replace("/v1", "/v1beta1");
        let table = [
            (String::new(), configured.clone() + "client.authentication.k8s.io/__internal"),
            (v1beta1, configured + "client.authentication.k8s.io/v1beta1"),
            (output("null"), "exec plugin didn't return a status field".into()),
            (output("{}"), "exec plugin didn't return a token or cert/key pair".into()),
            (
                output(r#"{"clientKeyData":"s3cret"}"#),
                "exec plugin returned only certificate or key, not both".into(),
            ),
            (
                output(r#"{"clientKeyData":"s3cret","clientCertificateData":"s3cret"}"#),
                "failed parsing client key/certificate: \
                 tls: failed to find any PEM data in certificate input"
                    .into(),
            ),
            (
                "s3cret".into(),
                "decoding stdout: couldn't get version/kind; json parse error: json: cannot unmarshal \
                 string into Go value of type struct { APIVersion string \
                 \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }"
                    .into(),
            ),
            (
                "{s3cret".into(),
                "decoding stdout: couldn't get version/kind; json parse error: \
                 invalid character at line 1, column 2"
                    .into(),
            ),
            ("a: *s3cret".into(), "decoding stdout: yaml: unknown anchor referenced".into()),
            (
                "kind: [s3cret]".into(),
                "decoding stdout: couldn't get version/kind; json parse error: json: cannot unmarshal \
                 array into Go struct field .kind of type string"
                    .into(),
            ),
            (
                output(r#"{"token":["s3cret"]}"#),
                "decoding stdout: a field is of the wrong type".into(),
            ),
        ];
        for (output, expected) in table {
            assert_eq!(
                ExecCredential::parse(output.as_bytes(), V1).err(),
                Some(expected),
                "{output}"
            );
        }
    }

    #[test]
    fn the_output_may_be_yaml_and_in_any_encoding_of_yaml() {
        let yaml = format!(
            "apiVersion: {V1}\nstatus:\n  token: t\n  expirationTimestamp: 2100-01-01T00:00:00Z\n"
        );
        let json = output(r#"{"token":"t"}"#);
        let without_kind = format!("{{\"apiVersion\":\"{V1}\",\"status\":{{\"token\":\"t\"}}}}");
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| {
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect::<Vec<u8>>()
        };
        let table: [Vec<u8>; 9] = [
            yaml.clone().into_bytes(),
            format!("# a plugin\n---\n{yaml}kind: ExecCredential\n").into_bytes(),
            format!("\u{feff}{yaml}").into_bytes(),
            format!("\u{feff}{json}").into_bytes(),
            format!("\n {json}\n").into_bytes(),
            without_kind.into_bytes(),
            utf16(&json, u16::to_le_bytes),
            utf16(&yaml, u16::to_be_bytes),
            [json.replace("}}", ",\"other\":\"").as_bytes(), b"\xff\"}}"].concat(),
        ];
        for output in table {
            let shown = String::from_utf8_lossy(&output).into_owned();
            let (credential, _) = ExecCredential::parse(&output, V1).expect(&shown);
            assert_eq!(credential.token.unwrap().expose_secret(), "t", "{shown}");
        }
    }

    #[test]
    fn damaged_output_neither_panics_nor_shows_a_secret() {
        const SEEDS: [&str; 3] = [
            include_str!("../../../../fuzz/corpus/exec_credential/certificate.json"),
            include_str!("../../../../fuzz/corpus/exec_credential/empty.json"),
            include_str!("../../../../fuzz/corpus/exec_credential/token.json"),
        ];
        assert!(ExecCredential::parse(SEEDS[2].as_bytes(), V1).is_ok());
        let mut random = fastrand::Rng::with_seed(3);
        for round in 0..3000 {
            let mut bytes = SEEDS[round % 3].replace("\"t\"", "\"s3cret\"").into_bytes();
            for _ in 0..random.usize(1..5) {
                let at = random.usize(0..bytes.len());
                match random.u8(0..4) {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes.insert(at, *random.choice(b"{}[]:,\"\\-n0 ").unwrap()),
                    2 => bytes[at] = random.u8(..),
                    _ => drop(bytes.remove(at)),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            if let Err(problem) = ExecCredential::parse(&bytes, V1) {
                assert!(!problem.contains("s3cret"), "{problem}");
            }
        }
    }
}
