//! The rights that requests need, as RBAC reads a request.

use std::fmt;

use locustctl::sandbox::RecordedRequest;
use serde_json::Value;

/// One right of a Role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The API group. The core group is the empty string.
    pub group: String,
    /// The plural name. A subresource follows after a slash.
    pub resource: String,
    /// `get`, `patch`, …
    pub verb: String,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, resource, verb } = self;
        write!(f, "{verb} {resource}.{group}")
    }
}

impl Right {
    pub fn new(group: &str, resource: &str, verb: &str) -> Self {
        Self { group: group.to_owned(), resource: resource.to_owned(), verb: verb.to_owned() }
    }

    /// The right that a request needs. `None` for discovery and versions, which every user may read.
    pub fn needed_by(request: &RecordedRequest) -> Option<Self> {
        let whole = &request.path_and_query;
        let (path, query) = whole.split_once('?').unwrap_or((whole, ""));
        let mut segments: Vec<_> = path.trim_matches('/').split('/').collect();
        let group = match *segments.first()? {
            "api" => "",
            "apis" => segments.get(1)?,
            _ => return None,
        };
        segments.drain(..segments.len().min(if group.is_empty() { 2 } else { 3 }));
        if segments.len() > 2 && segments[0] == "namespaces" {
            segments.drain(..2);
        }
        let verb = match (request.method.as_str(), segments.len()) {
            (_, 0) => return None,
            ("GET", _) if query.contains("watch=1") || query.contains("watch=true") => "watch",
            ("GET", 1) => "list",
            ("GET", _) => "get",
            ("PATCH", _) => "patch",
            ("PUT", _) => "update",
            ("POST", _) => "create",
            ("DELETE", _) => "delete",
            (other, _) => other,
        };
        let resource = match segments.as_slice() {
            [resource, _, subresource, ..] => format!("{resource}/{subresource}"),
            [resource, ..] => (*resource).to_owned(),
            [] => return None,
        };
        Some(Self::new(group, &resource, verb))
    }

    /// The rights in the rules of a Role, sorted, each once.
    ///
    /// # Panics
    /// The rules are no rules of RBAC.
    pub fn of_rules(rules: &Value) -> Vec<Self> {
        let words = |list: &Value| -> Vec<String> {
            list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
        };
        let mut rights = Vec::new();
        for rule in rules.as_array().unwrap() {
            for group in words(&rule["apiGroups"]) {
                for resource in words(&rule["resources"]) {
                    let verbs = words(&rule["verbs"]);
                    rights.extend(verbs.iter().map(|verb| Self::new(&group, &resource, verb)));
                }
            }
        }
        rights.sort();
        rights.dedup();
        rights
    }

    /// The rights that the requests with this bearer token needed, sorted, each once.
    pub fn used_by<'a>(
        requests: impl IntoIterator<Item = &'a RecordedRequest>,
        token: &str,
    ) -> Vec<Self> {
        let authorization = format!("Bearer {token}");
        let own =
            requests.into_iter().filter(|it| it.header("authorization") == Some(&authorization));
        let mut used: Vec<_> = own.filter_map(Self::needed_by).collect();
        used.sort();
        used.dedup();
        used
    }
}
