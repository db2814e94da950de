//! Names that are similar to a mistyped one.

/// The most similar one of `names`: at most two typing errors, and at most one for every three bytes. Of
/// equally similar names it is the first in the alphabet.
pub fn closest<T: AsRef<str> + Ord>(typed: &str, names: impl Iterator<Item = T>) -> Option<T> {
    let max_errors = (typed.len() / 3).min(2);
    let similar = names.filter(|name| name.as_ref().len().abs_diff(typed.len()) <= max_errors);
    let similar = similar.map(|name| (strsim::damerau_levenshtein(typed, name.as_ref()), name));
    similar.filter(|(distance, _)| *distance <= max_errors).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_has_few_typing_errors() {
        let names = ["replicas", "namespace", "by", "all", "wait"];
        for (typed, expected) in [
            ("replica", Some("replicas")),
            ("namespce", Some("namespace")),
            ("wiat", Some("wait")),
            ("bz", None),
            ("repl", None),
            ("bogus", None),
        ] {
            assert_eq!(closest(typed, names.into_iter()), expected, "{typed}");
        }
    }
}
