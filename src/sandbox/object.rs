//! Helpers that read and build the JSON objects of the store.

use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::FormatItem, macros::format_description};

const RFC3339: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// The string at a JSON pointer, or the empty string.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The number at a JSON pointer, or 0.
pub(super) fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

pub(super) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub(super) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

pub(super) fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// A member of an object, as an object. Any other value is replaced with an empty object.
pub(super) fn member<'a>(object: &'a mut Value, key: &str) -> &'a mut Map<String, Value> {
    if !object.is_object() {
        *object = json!({});
    }
    let member = &mut object[key];
    if !member.is_object() {
        *member = json!({});
    }
    match member {
        Value::Object(map) => map,
        _ => unreachable!("made an object above"),
    }
}

/// The items of a list that may be missing. Indexing would insert a null instead.
pub(super) fn items<'a>(object: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> {
    object.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Sets a member that is missing or null.
pub(super) fn default(object: &mut Value, key: &str, value: Value) {
    if !object.is_object() {
        *object = json!({});
    }
    if object[key].is_null() {
        object[key] = value;
    }
}

/// The object with another count, and the next generation. `field` is the member of `spec` that
/// holds the count.
pub(super) fn with_count(object: &Value, field: &str, count: i64) -> Value {
    let mut scaled = object.clone();
    if object["spec"][field] != count {
        member(&mut scaled, "spec").insert(field.to_owned(), json!(count));
        scaled["metadata"]["generation"] = json!(number(object, "/metadata/generation") + 1);
    }
    scaled
}

/// The uid of the owner that controls this object.
pub(super) fn controller_uid(object: &Value) -> Option<&str> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    owners.iter().find(|owner| owner["controller"] == json!(true))?["uid"].as_str()
}

/// The reference that makes `owner` the controller of an object.
pub(super) fn owner_reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": name(owner), "uid": uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// True if the condition of this type is `True`.
pub(super) fn has_condition(object: &Value, kind: &str) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    conditions.is_some_and(|all| all.iter().any(|c| c["type"] == kind && c["status"] == "True"))
}

/// The time now, in the format of the API.
pub(super) fn now() -> String {
    format_time(OffsetDateTime::now_utc())
}

pub(super) fn format_time(time: OffsetDateTime) -> String {
    // Formatting fails only for years beyond 9999.
    time.format(RFC3339).unwrap_or_default()
}

/// The seconds since a time in the format of the API; `None` for any other text.
pub(super) fn seconds_since(time: &str) -> Option<i64> {
    let then = time::PrimitiveDateTime::parse(time, RFC3339).ok()?.assume_utc();
    Some((OffsetDateTime::now_utc() - then).whole_seconds().max(0))
}

/// A random version 4 UUID.
pub(super) fn new_uid() -> String {
    let bits = (fastrand::u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The API's alphabet for generated names. Its letters and digits cannot spell a word.
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// How many characters of a `generateName` are kept, as in the API server's
/// `apiserver/pkg/storage/names/generate.go`: a name has 63 characters, 5 of them random.
const MAX_BASE: usize = 58;

/// The name that the API server generates from a `generateName`.
pub(super) fn generated_name(base: &str) -> String {
    let random = (0..5).map(|_| char::from(SAFE[fastrand::usize(..SAFE.len())]));
    base.chars().take(MAX_BASE).chain(random).collect()
}

/// The hash of a pod template, as a short name.
pub(super) fn template_hash(template: &Value) -> String {
    let hash = template
        .to_string()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.to_string()
        .bytes()
        .map(|digit| char::from(SAFE[usize::from(digit) % SAFE.len()]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_a_version_4_uuid() {
        let uid = new_uid();
        assert_eq!(uid.len(), 36);
        assert_eq!(&uid[14..15], "4");
        assert!("89ab".contains(&uid[19..20]), "{uid}");
    }

    #[test]
    fn a_generated_name_has_at_most_58_characters_of_its_base() {
        let short = generated_name("locust-slave-");
        assert!(short.starts_with("locust-slave-") && short.len() == 18, "{short}");
        let base = format!("{}-0123456789-", "w".repeat(47));
        let cut = generated_name(&base);
        assert_eq!((&cut[..58], cut.len()), (&base[..58], 63));
    }

    #[test]
    fn ages_are_read_back() {
        assert!(seconds_since(&now()).is_some_and(|age| age < 3));
        assert_eq!(seconds_since("yesterday"), None);
    }
}
