//! The part of Kubernetes' protobuf that `kubectl create deployment`, `create namespace` and
//! `create configmap` send.
//!
//! kubectl's typed clients send protobuf bodies, and do not fall back to JSON. The field numbers
//! are those of `generated.proto` in k8s.io/api. A field that is missing in these tables is
//! refused, so that nothing is lost silently.

use serde_json::{Map, Value, json};

/// The encoding of a field, and its form in JSON.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Texts,
    /// A number that is left out if it is zero.
    Number,
    /// An optional number; zero is a value.
    OptionalNumber,
    Flag,
    /// A map of strings, such as labels.
    TextMap,
    Message(&'static [Field]),
    Messages(&'static [Field]),
    /// A number or a string such as `25%`.
    NumberOrText,
    /// A known field without any effect in a request.
    Ignored,
}

type Field = (u64, &'static str, Kind);

const METADATA: &[Field] = &[
    (1, "name", Kind::Text),
    (2, "generateName", Kind::Text),
    (3, "namespace", Kind::Text),
    (4, "selfLink", Kind::Ignored),
    (5, "uid", Kind::Ignored),
    (6, "resourceVersion", Kind::Ignored),
    (7, "generation", Kind::Ignored),
    (8, "creationTimestamp", Kind::Ignored),
    (11, "labels", Kind::TextMap),
    (12, "annotations", Kind::TextMap),
];

const PORT: &[Field] = &[
    (1, "name", Kind::Text),
    (2, "hostPort", Kind::Number),
    (3, "containerPort", Kind::Number),
    (4, "protocol", Kind::Text),
    (5, "hostIP", Kind::Text),
];

const CONTAINER: &[Field] = &[
    (1, "name", Kind::Text),
    (2, "image", Kind::Text),
    (3, "command", Kind::Texts),
    (4, "args", Kind::Texts),
    (5, "workingDir", Kind::Text),
    (6, "ports", Kind::Messages(PORT)),
    (7, "env", Kind::Messages(&[(1, "name", Kind::Text), (2, "value", Kind::Text)])),
    // Quantities would need one more table, and simulated pods use no resources.
    (8, "resources", Kind::Ignored),
    (13, "terminationMessagePath", Kind::Text),
    (14, "imagePullPolicy", Kind::Text),
    (16, "stdin", Kind::Flag),
    (17, "stdinOnce", Kind::Flag),
    (18, "tty", Kind::Flag),
    (20, "terminationMessagePolicy", Kind::Text),
];

const POD_SPEC: &[Field] = &[
    (2, "containers", Kind::Messages(CONTAINER)),
    (3, "restartPolicy", Kind::Text),
    (4, "terminationGracePeriodSeconds", Kind::OptionalNumber),
    (6, "dnsPolicy", Kind::Text),
    (7, "nodeSelector", Kind::TextMap),
    (8, "serviceAccountName", Kind::Text),
    (9, "serviceAccount", Kind::Text),
    (10, "nodeName", Kind::Text),
    (11, "hostNetwork", Kind::Flag),
    (12, "hostPID", Kind::Flag),
    (13, "hostIPC", Kind::Flag),
    (14, "securityContext", Kind::Ignored),
    (16, "hostname", Kind::Text),
    (17, "subdomain", Kind::Text),
    (19, "schedulerName", Kind::Text),
    (20, "initContainers", Kind::Messages(CONTAINER)),
    (24, "priorityClassName", Kind::Text),
];

const SELECTOR: &[Field] = &[
    (1, "matchLabels", Kind::TextMap),
    (
        2,
        "matchExpressions",
        Kind::Messages(&[
            (1, "key", Kind::Text),
            (2, "operator", Kind::Text),
            (3, "values", Kind::Texts),
        ]),
    ),
];

const DEPLOYMENT_SPEC: &[Field] = &[
    (1, "replicas", Kind::OptionalNumber),
    (2, "selector", Kind::Message(SELECTOR)),
    (
        3,
        "template",
        Kind::Message(&[
            (1, "metadata", Kind::Message(METADATA)),
            (2, "spec", Kind::Message(POD_SPEC)),
        ]),
    ),
    (
        4,
        "strategy",
        Kind::Message(&[
            (1, "type", Kind::Text),
            (
                2,
                "rollingUpdate",
                Kind::Message(&[
                    (1, "maxUnavailable", Kind::NumberOrText),
                    (2, "maxSurge", Kind::NumberOrText),
                ]),
            ),
        ]),
    ),
    (5, "minReadySeconds", Kind::Number),
    (6, "revisionHistoryLimit", Kind::OptionalNumber),
    (7, "paused", Kind::Flag),
    (9, "progressDeadlineSeconds", Kind::OptionalNumber),
];

const DEPLOYMENT: &[Field] = &[
    (1, "metadata", Kind::Message(METADATA)),
    (2, "spec", Kind::Message(DEPLOYMENT_SPEC)),
    (3, "status", Kind::Ignored),
];

const NAMESPACE: &[Field] = &[
    (1, "metadata", Kind::Message(METADATA)),
    (2, "spec", Kind::Ignored),
    (3, "status", Kind::Ignored),
];

const CONFIG_MAP: &[Field] = &[
    (1, "metadata", Kind::Message(METADATA)),
    (2, "data", Kind::TextMap),
    (4, "immutable", Kind::Flag),
];

/// The maximum nesting depth. No object here is deeper.
const MAX_DEPTH: u8 = 16;

/// The object in a protobuf body. `None` if it has a type or a field that is not in the tables.
pub(super) fn decode(body: &[u8]) -> Option<Value> {
    let envelope = body.strip_prefix(b"k8s\0")?;
    let (mut version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for field in Fields(envelope) {
        match field? {
            (1, Wire::Bytes(bytes)) => {
                for field in Fields(bytes) {
                    match field? {
                        (1, Wire::Bytes(bytes)) => version = text(bytes)?,
                        (2, Wire::Bytes(bytes)) => kind = text(bytes)?,
                        _ => return None,
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let fields = match (version.as_str(), kind.as_str()) {
        ("apps/v1", "Deployment") => DEPLOYMENT,
        ("v1", "Namespace") => NAMESPACE,
        ("v1", "ConfigMap") => CONFIG_MAP,
        _ => return None,
    };
    let mut object = message(raw, fields, MAX_DEPTH)?;
    object["apiVersion"] = json!(version);
    object["kind"] = json!(kind);
    Some(object)
}

fn message(bytes: &[u8], fields: &[Field], depth: u8) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let mut object = Map::new();
    for field in Fields(bytes) {
        let (number, wire) = field?;
        let (_, name, kind) = *fields.iter().find(|(known, _, _)| *known == number)?;
        let value = match (kind, wire) {
            (Kind::Ignored, _) => continue,
            (Kind::Text, Wire::Bytes([])) => continue,
            (Kind::Text, Wire::Bytes(bytes)) => json!(text(bytes)?),
            (Kind::Number | Kind::Flag, Wire::Number(0)) => continue,
            (Kind::Number | Kind::OptionalNumber, Wire::Number(number)) => {
                json!(number.cast_signed())
            }
            (Kind::Flag, Wire::Number(_)) => json!(true),
            (Kind::Message(fields), Wire::Bytes(bytes)) => message(bytes, fields, depth)?,
            (Kind::NumberOrText, Wire::Bytes(bytes)) => number_or_text(bytes)?,
            (Kind::Texts, Wire::Bytes(bytes)) => {
                append(&mut object, name, json!(text(bytes)?));
                continue;
            }
            (Kind::Messages(fields), Wire::Bytes(bytes)) => {
                append(&mut object, name, message(bytes, fields, depth)?);
                continue;
            }
            (Kind::TextMap, Wire::Bytes(bytes)) => {
                let entry =
                    message(bytes, &[(1, "key", Kind::Text), (2, "value", Kind::Text)], depth)?;
                let map = object.entry(name).or_insert_with(|| json!({}));
                let part = |part: &str| entry[part].as_str().unwrap_or("").to_owned();
                map[part("key")] = json!(part("value"));
                continue;
            }
            _ => return None,
        };
        object.insert(name.to_owned(), value);
    }
    Some(Value::Object(object))
}

fn append(object: &mut Map<String, Value>, name: &str, value: Value) {
    if let Some(list) = object.entry(name).or_insert_with(|| json!([])).as_array_mut() {
        list.push(value);
    }
}

fn number_or_text(bytes: &[u8]) -> Option<Value> {
    let fields =
        &[(1, "type", Kind::Number), (2, "number", Kind::OptionalNumber), (3, "text", Kind::Text)];
    let value = message(bytes, fields, 1)?;
    Some(if value["type"] == 1 { value["text"].clone() } else { value["number"].clone() })
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// The value of a field on the wire.
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message. An item is `None` if the bytes are invalid, and is then the last item.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Wire<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Wire<'a>)> {
        let tag = self.number()?;
        let wire = match tag & 7 {
            0 => Wire::Number(self.number()?),
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Wire::Bytes(bytes)
            }
            _ => return None,
        };
        Some((tag >> 3, wire))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }

    fn envelope(kind: &str, raw: &[u8]) -> Vec<u8> {
        let kind = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [b"k8s\0".to_vec(), field(1, &kind), field(2, raw)].concat()
    }

    #[test]
    fn a_namespace_is_read() {
        let label = [field(1, b"team"), field(2, b"load")].concat();
        let metadata = [field(1, b"tests"), field(2, b""), field(11, &label)].concat();
        let body = envelope("Namespace", &field(1, &metadata));
        let expected = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": "tests", "labels": { "team": "load" } },
        });
        assert_eq!(decode(&body), Some(expected));
    }

    #[test]
    fn invalid_protobuf_is_refused() {
        let good = envelope("Namespace", &field(1, &field(1, b"tests")));
        for end in 0..good.len() {
            // Every prefix is decoded without a panic. Most are refused.
            let _ = decode(&good[..end]);
        }
        assert_eq!(decode(&envelope("Pod", b"")), None);
        assert_eq!(decode(&envelope("Namespace", &field(9, b"x"))), None);
        assert_eq!(decode(b"{}"), None);
        assert_eq!(decode(b"k8s\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None);
    }
}
