//! Query parameters, percent-decoded.

use percent_encoding::percent_decode_str;

/// The parameters of a query, in order.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(decode_pair).collect(),
        )
    }

    /// The first value of a parameter, if any.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a repeated parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A boolean parameter, as Go's `strconv.ParseBool` reads it.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "t" | "T" | "true" | "TRUE" | "True"))
    }
}

fn decode_pair((key, value): (&str, &str)) -> (String, String) {
    (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
}

/// Percent-decodes a text. Invalid escapes stay as they are.
pub(super) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_escapes_are_decoded_and_invalid_ones_kept() {
        let query = Query::parse("labelSelector=app%3Dlocust&limit=5&x=%zz%4&y=a+b&%77atch=1");
        assert_eq!(query.get("labelSelector"), Some("app=locust"));
        assert_eq!(query.get("x"), Some("%zz%4"));
        assert_eq!(query.get("y"), Some("a b"));
        assert!(query.flag("watch"));
        assert_eq!(query.get("none"), None);
    }
}
