//! The operating system's errors in Go's words.

use std::io;

/// An operating system's error as Go words it: `no such file or directory`.
pub fn os_error(err: &io::Error) -> String {
    let text = err.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => text.to_owned(),
    }
}
