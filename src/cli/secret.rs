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
