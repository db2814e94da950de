//! `--remember` and `--restore`: an annotation keeps the number that was replaced.

use serde_json::{Value, json};

/// The annotation. Its value is JSON: `{"replaced":3,"set":0}`.
pub const ANNOTATION: &str = "locustctl/remembered-replicas";

/// The path of the annotation in a JSON Patch (RFC 6901: `~1` is a slash).
const PATH: &str = "/metadata/annotations/locustctl~1remembered-replicas";

/// The end of a text in a message, in characters. An annotation can have 256 KiB.
const MAX_QUOTED: usize = 60;

/// The next step if the old number is unknown.
const NEXT_STEP: &str = "To scale it, use --replicas=COUNT instead of --restore";

/// The change that an order makes to the annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnotationChange {
    /// Keep the number that is replaced, and the new one.
    Remember,
    /// Remove the annotation. The new number is the one that it kept.
    Restore,
}

/// The annotation of an object, as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Annotation {
    /// No annotations at all.
    #[default]
    NoAnnotations,
    /// Only other annotations.
    Missing,
    Text(String),
}

/// The content of the annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RememberedCount {
    /// The number before `--remember`.
    replaced: i32,
    /// The number that `--remember` set.
    set: i64,
}

impl Annotation {
    pub(super) fn of(object: &Value) -> Self {
        match &object["metadata"]["annotations"] {
            Value::Null => Self::NoAnnotations,
            all => match all.get(ANNOTATION).and_then(Value::as_str) {
                Some(text) => Self::Text(text.to_owned()),
                None => Self::Missing,
            },
        }
    }

    fn remembered_count(&self) -> Option<RememberedCount> {
        let Self::Text(text) = self else { return None };
        let value: Value = serde_json::from_str(text).ok()?;
        let count = |field: &str| value[field].as_i64().filter(|count| *count >= 0);
        Some(RememberedCount {
            replaced: i32::try_from(count("replaced")?).ok()?,
            set: count("set")?,
        })
    }

    /// The number to restore.
    ///
    /// # Errors
    /// There is no annotation, or the present number is not the one that was set. The text is the reason.
    pub(super) fn to_restore(&self, now: Option<i64>) -> Result<i32, String> {
        match (self, self.remembered_count()) {
            (Self::Text(_), Some(kept)) if now == Some(kept.set) => Ok(kept.replaced),
            (Self::Text(_), Some(RememberedCount { replaced, set })) => Err(format!(
                "it is at {} now, but --remember had scaled it to {set}. To scale it to the old number, use \
                 --replicas={replaced} instead of --restore",
                now.unwrap_or_default()
            )),
            (Self::Text(text), None) => {
                let text: String = text.chars().take(MAX_QUOTED).collect();
                Err(format!(
                    "its annotation {ANNOTATION} is {text:?}, which locustctl cannot read. {NEXT_STEP}; a later \
                     --remember replaces the annotation"
                ))
            }
            (Self::NoAnnotations | Self::Missing, _) => Err(format!(
                "it has no annotation {ANNOTATION}, which --remember writes. {NEXT_STEP}"
            )),
        }
    }

    /// The operations of a JSON Patch that change the annotation, if it is still the same.
    ///
    /// While the number is the one that an earlier `--remember` set, the annotation keeps the number from
    /// before.
    pub(super) fn operations(
        &self,
        annotation_change: AnnotationChange,
        old: Option<i64>,
        new: i64,
    ) -> Vec<Value> {
        let test = |path: &str, value: Value| json!({"op": "test", "path": path, "value": value});
        let tested = match self {
            Self::NoAnnotations => test("/metadata/annotations", Value::Null),
            Self::Missing => test(PATH, Value::Null),
            Self::Text(text) => test(PATH, json!(text)),
        };
        if annotation_change == AnnotationChange::Restore {
            return vec![tested, json!({"op": "remove", "path": PATH})];
        }
        let replaced = match self.remembered_count() {
            Some(kept) if old == Some(kept.set) => i64::from(kept.replaced),
            _ => old.unwrap_or_default(),
        };
        let text = json!({"replaced": replaced, "set": new}).to_string();
        let add = match self {
            Self::NoAnnotations => {
                json!({"op": "add", "path": "/metadata/annotations", "value": {ANNOTATION: text}})
            }
            Self::Missing | Self::Text(_) => json!({"op": "add", "path": PATH, "value": text}),
        };
        vec![tested, add]
    }
}

/// Reads an object's annotation, restores its number, and remembers another one; for `fuzz/`.
#[doc(hidden)]
pub fn try_annotation(object: &Value) {
    let annotation = Annotation::of(object);
    for now in [None, Some(0), Some(3), annotation.remembered_count().map(|count| count.set)] {
        let _ = annotation.to_restore(now);
        let _ = annotation.operations(AnnotationChange::Remember, now, 5);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(replaced: i64, set: i64) -> Annotation {
        Annotation::Text(json!({"replaced": replaced, "set": set}).to_string())
    }

    #[test]
    fn only_an_annotation_about_the_present_count_is_restored() {
        for (annotation, now, expected) in [
            (text(3, 0), Some(0), Ok(3)),
            (text(3, 1), Some(1), Ok(3)),
            (
                text(3, 0),
                Some(1),
                Err("scaled it to 0. To scale it to the old number, use --replicas=3 instead"),
            ),
            (text(-1, 0), Some(0), Err("cannot read")),
            (text(1 << 31, 0), Some(0), Err("cannot read")),
            (
                Annotation::Text("3".to_owned()),
                Some(0),
                Err("is \"3\", which locustctl cannot read"),
            ),
            (
                Annotation::Missing,
                Some(0),
                Err("it has no annotation locustctl/remembered-replicas"),
            ),
            (Annotation::NoAnnotations, Some(0), Err("it has no annotation")),
        ] {
            let restored = annotation.to_restore(now);
            match (restored, expected) {
                (Ok(count), Ok(expected)) => assert_eq!(count, expected),
                (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
                (restored, _) => panic!("{annotation:?}: {restored:?}"),
            }
        }
    }

    #[test]
    fn a_second_remember_keeps_the_first_count() {
        let replaced = |annotation: &Annotation, old: i64, new: i64| {
            let operations = annotation.operations(AnnotationChange::Remember, Some(old), new);
            let value = &operations[1]["value"];
            let text = value.as_str().or_else(|| value[ANNOTATION].as_str()).unwrap().to_owned();
            Annotation::Text(text)
        };
        assert_eq!(replaced(&Annotation::NoAnnotations, 3, 0), text(3, 0));
        assert_eq!(replaced(&Annotation::Missing, 3, 0), text(3, 0));
        assert_eq!(replaced(&text(3, 0), 0, 0), text(3, 0));
        assert_eq!(replaced(&text(3, 2), 2, 1), text(3, 1));
        assert_eq!(replaced(&text(3, 0), 5, 0), text(5, 0), "another client scaled it");
    }
}
