//! Results on stdout: kubectl's line with the counts after it, or the object in a format.

use std::io::Write;

use serde_json::Value;

use super::{json, stdout};
use crate::scaling::{DryRun, Target, count_text};
use crate::yaml;

/// In which form results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// `deployment.apps/a scaled from 1 to 3`
    #[default]
    Line,
    /// `deployment.apps/a`
    Name,
    /// The object, as JSON.
    Json,
    /// The object, as YAML.
    Yaml,
}

/// A format that is not printed, as kubectl refuses it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unable to match a printer suitable for the output format {}, allowed formats are: {allowed}",
    crate::go::quote(.given)
)]
pub struct UnknownFormat {
    /// As it was typed.
    pub given: String,
    /// Those that are, with commas.
    pub allowed: &'static str,
}

impl Format {
    /// Reads `-o`; an empty one is as none, and case does not matter, as in kubectl.
    ///
    /// # Errors
    /// [`UnknownFormat`]
    pub fn parse(text: Option<&str>) -> Result<Self, UnknownFormat> {
        match text.map(str::to_lowercase).as_deref() {
            None | Some("") => Ok(Self::Line),
            Some("name") => Ok(Self::Name),
            Some("json") => Ok(Self::Json),
            Some("yaml") => Ok(Self::Yaml),
            Some(_) => Err(UnknownFormat {
                given: text.unwrap_or_default().to_owned(),
                allowed: "json,name,yaml",
            }),
        }
    }

    /// Whether the whole object must be known to print it.
    pub fn needs_object(self) -> bool {
        matches!(self, Self::Json | Self::Yaml)
    }
}

/// One result to print.
#[derive(Debug)]
pub struct ScaleResult<'a> {
    /// What was scaled.
    pub target: &'a Target,
    /// From this count, if there was one.
    pub old: Option<i64>,
    /// To this count.
    pub new: i64,
    /// The object with its new count, where [`Format::needs_object`] asked for it.
    pub object: Option<&'a Value>,
}

/// Prints results, in one format, to one place.
pub struct Printer<W> {
    out: W,
    format: Format,
    dry_run: DryRun,
    printed: usize,
}

impl<W: Write> Printer<W> {
    /// Nothing is written yet.
    pub fn new(out: W, format: Format, dry_run: DryRun) -> Self {
        Self { out, format, dry_run, printed: 0 }
    }

    /// Prints one result.
    ///
    /// # Errors
    /// It could not be written, other than because nobody reads it any more.
    pub fn print(&mut self, result: &ScaleResult<'_>) -> anyhow::Result<()> {
        let text = match (self.format, result.object) {
            (Format::Json, Some(object)) => json::print(&shown(object)),
            (Format::Yaml, Some(object)) => {
                let separator = if self.printed > 0 { "---\n" } else { "" };
                format!("{separator}{}", yaml::print(&shown(object)))
            }
            (Format::Name, _) => format!("{}\n", result.target),
            _ => format!("{}\n", self.line(result)),
        };
        self.printed += 1;
        stdout::write(&mut self.out, &text)
    }

    /// kubectl's line with the counts after it, without a line break.
    pub fn line(&self, result: &ScaleResult<'_>) -> String {
        let ScaleResult { target, old, new, .. } = result;
        let dry_run = match self.dry_run {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        };
        let no_change = if *old == Some(*new) { " (no change)" } else { "" };
        let old = count_text(*old);
        format!("{target} scaled{dry_run} from {old} to {new}{no_change}")
    }
}

/// kubectl leaves `managedFields` out: nobody reads them.
fn shown(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: Format, dry_run: DryRun, old: i64, new: i64) -> String {
        let old = Some(old);
        let target = Target::for_test("a");
        let object = serde_json::json!({"metadata": {"managedFields": [], "name": "a"}});
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, format, dry_run);
        for _ in 0..2 {
            let result = ScaleResult { target: &target, old, new, object: Some(&object) };
            printer.print(&result).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_line_is_kubectls_with_the_counts_after_it() {
        for (dry_run, old, new, expected) in [
            (DryRun::None, 1, 3, "deployment.apps/a scaled from 1 to 3\n"),
            (DryRun::Client, 1, 3, "deployment.apps/a scaled (dry run) from 1 to 3\n"),
            (DryRun::Server, 1, 3, "deployment.apps/a scaled (server dry run) from 1 to 3\n"),
            (DryRun::None, 3, 3, "deployment.apps/a scaled from 3 to 3 (no change)\n"),
        ] {
            assert_eq!(printed(Format::Line, dry_run, old, new), expected.repeat(2));
        }
    }

    #[test]
    fn formats_separate_several_objects_as_kubectl_does() {
        assert_eq!(
            printed(Format::Yaml, DryRun::None, 1, 2),
            "metadata:\n  name: a\n---\nmetadata:\n  name: a\n"
        );
        let json = "{\n    \"metadata\": {\n        \"name\": \"a\"\n    }\n}\n";
        assert_eq!(printed(Format::Json, DryRun::None, 1, 2), json.repeat(2));
        assert_eq!(printed(Format::Name, DryRun::Client, 1, 2), "deployment.apps/a\n".repeat(2));
    }

    #[test]
    fn formats_are_read_in_any_case() {
        assert_eq!(Format::parse(Some("JSON")), Ok(Format::Json));
        assert_eq!(Format::parse(Some("")), Ok(Format::Line));
        assert_eq!(
            Format::parse(Some("Foo")).unwrap_err().to_string(),
            "unable to match a printer suitable for the output format \"Foo\", \
             allowed formats are: json,name,yaml"
        );
    }
}
