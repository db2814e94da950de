//! Secrets on the command line, and how to mask them.

/// Flags with a secret value.
pub const SECRET_FLAGS: [&str; 2] = ["token", "password"];

/// Masks `user:password@` in a URL: replaces the whole part, including the `@`, by `placeholder`.
pub fn mask_credentials(value: &str, placeholder: &str) -> String {
    match value.split_once("://").map(|(scheme, rest)| (scheme, rest.rsplit_once('@'))) {
        Some((scheme, Some((_, host)))) => format!("{scheme}://{placeholder}{host}"),
        _ => value.to_owned(),
    }
}

/// A value that must not appear in a log or an error.
#[derive(Clone)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<hidden>")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}
