//! JSON objects of Locust. They may have some megabytes, of which only a few fields are kept.

use serde::de::DeserializeOwned;

/// Reads the object at the beginning of a text; `None` if there is none. Serde would also read an array, as
/// the fields in their order. Fields that `T` does not have are skipped, and take no memory.
pub fn first_object<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    let text = text.trim_ascii_start();
    let mut reader = serde_json::Deserializer::from_slice(text);
    text.starts_with(b"{").then(|| T::deserialize(&mut reader).ok())?
}

/// Reads a text that is one object; `None` if it is anything else.
pub fn whole_object<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    let is_object = text.trim_ascii_start().starts_with(b"{");
    is_object.then(|| serde_json::from_slice(text).ok())?
}
