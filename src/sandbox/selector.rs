//! Label selectors, field selectors, and the selectors in workloads.

use serde_json::Value;

use super::{object, status::Failure};
use crate::text::label_selector::LabelSelector;

/// Reads the query parameter `labelSelector`.
pub(super) fn label_selector(text: &str) -> Result<LabelSelector, Failure> {
    LabelSelector::parse(text).map_err(Failure::bad_request)
}

/// The comparisons of a `fieldSelector`.
#[derive(Debug, Default)]
pub(super) struct FieldSelector(Vec<(&'static str, bool, String)>);

impl FieldSelector {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let mut tests = Vec::new();
        for term in text.split(',').filter(|term| !term.is_empty()) {
            let (field, equal, value) = if let Some((field, value)) = term.split_once("!=") {
                (field, false, value)
            } else if let Some((field, value)) =
                term.split_once("==").or_else(|| term.split_once('='))
            {
                (field, true, value)
            } else {
                return Err(Failure::bad_request(format!(
                    "invalid selector: '{text}'; can't understand '{term}'"
                )));
            };
            let pointer = match field {
                "metadata.name" => "/metadata/name",
                "metadata.namespace" => "/metadata/namespace",
                "status.phase" => "/status/phase",
                "spec.nodeName" => "/spec/nodeName",
                "involvedObject.name" => "/involvedObject/name",
                "involvedObject.namespace" => "/involvedObject/namespace",
                "involvedObject.kind" => "/involvedObject/kind",
                "involvedObject.uid" => "/involvedObject/uid",
                other => {
                    return Err(Failure::bad_request(format!(
                        "Unable to find \"\" that match label selector \"\", field selector {text:?}: \
                         field label not supported: {other}"
                    )));
                }
            };
            tests.push((pointer, equal, value.to_owned()));
        }
        Ok(Self(tests))
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        self.0
            .iter()
            .all(|(pointer, equal, value)| (object::text(object, pointer) == value) == *equal)
    }

    /// The name that it selects. RBAC checks the rights for this name.
    pub(super) fn name(&self) -> Option<&str> {
        let test = self.0.iter().find(|(pointer, equal, _)| *pointer == "/metadata/name" && *equal);
        test.map(|(_, _, value)| value.as_str())
    }
}

/// The text of an object's `spec.selector` in the scale subresource, sorted by key.
pub(super) fn written(selector: &Value) -> String {
    let labels = selector.get("matchLabels").unwrap_or(selector);
    let mut terms = Vec::new();
    for (key, value) in labels.as_object().into_iter().flatten() {
        if let Some(value) = value.as_str() {
            terms.push(format!("{key}={value}"));
        }
    }
    for expression in
        selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten()
    {
        let key = object::text(expression, "/key");
        let values =
            expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let values = values.collect::<Vec<_>>().join(",");
        terms.push(match object::text(expression, "/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    terms.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_equal_those_of_the_api_server() {
        let table = [
            ("a===b", "unable to parse requirement: found '=', expected: identifier"),
            ("a,", "found '', expected: identifier after ','"),
        ];
        for (selector, message) in table {
            let failure = label_selector(selector).unwrap_err();
            assert_eq!(failure.code, 400);
            assert_eq!(failure.status()["message"], message);
        }
    }

    #[test]
    fn fields_compare_and_unknown_ones_are_refused() {
        let object = json!({"metadata": {"name": "a"}, "status": {"phase": "Running"}});
        assert!(
            FieldSelector::parse("metadata.name=a,status.phase!=Pending").unwrap().matches(&object)
        );
        assert!(!FieldSelector::parse("metadata.name==b").unwrap().matches(&object));
        assert!(FieldSelector::parse("spec.color=red").is_err());
    }

    #[test]
    fn selectors_are_written_in_key_order() {
        let selector = json!({"matchLabels": {"role": "worker", "app": "locust"}});
        assert_eq!(written(&selector), "app=locust,role=worker");
        assert_eq!(written(&json!({"app": "old"})), "app=old");
    }
}
