//! What of a command line nobody else may read.

/// Flags whose values are secrets.
pub const SECRET: [&str; 2] = ["token", "password"];

/// An address may hold a login (`https://user:password@host`); `placeholder` stands in its place.
pub fn hide_login(value: &str, placeholder: &str) -> String {
    match value.split_once("://").map(|(scheme, rest)| (scheme, rest.rsplit_once('@'))) {
        Some((scheme, Some((_, host)))) => format!("{scheme}://{placeholder}{host}"),
        _ => value.to_owned(),
    }
}

/// A value that must not appear in a log or in an error.
#[derive(Clone)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<hidden>")
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}
