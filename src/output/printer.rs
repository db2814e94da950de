//! Prints results on stdout: kubectl's line with the counts, or the object in a format.

use std::borrow::Cow;
use std::io::Write;

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::format::{Format, JsonPathFormat, ManagedFields};
use super::template::GoTemplate;
use super::{json, kyaml, stdout};
use crate::scaling::{DryRun, Target, count_text};
use crate::text::go;
use crate::text::yaml;

/// One result to print.
#[derive(Debug)]
pub struct ScaleResult<'a> {
    /// The scaled object.
    pub target: &'a Target,
    /// The count before, if there was one.
    pub old: Option<i64>,
    /// The count now.
    pub new: i64,
    /// The object with its new count, if [`Format::needs_object`] is true.
    pub object: Option<&'a Value>,
    /// A text after the counts, as ` in 3 steps`. Usually empty.
    pub suffix: &'a str,
}

/// Prints results in one format.
pub struct Printer<W> {
    out: W,
    format: Format,
    dry_run: DryRun,
    printed: usize,
}

impl<W: Write> Printer<W> {
    /// Makes a printer that writes to `out`.
    pub fn new(out: W, format: Format, dry_run: DryRun) -> Self {
        Self { out, format, dry_run, printed: 0 }
    }

    /// Prints one result.
    ///
    /// # Errors
    /// The result could not be written (a closed pipe is no error), or a template failed. The error of
    /// a template is kubectl's.
    pub fn print(&mut self, result: &ScaleResult<'_>) -> Result<()> {
        let text = match (&self.format, result.object) {
            (Format::Json(managed), Some(object)) => json::print(&shown(object, *managed)),
            (Format::Yaml(managed), Some(object)) => {
                let separator = if self.printed > 0 { "---\n" } else { "" };
                format!("{separator}{}", yaml::print(&shown(object, *managed)))
            }
            (Format::Kyaml(managed), Some(object)) => kyaml::print(&shown(object, *managed)),
            (Format::JsonPath(format), Some(object)) => by_json_path(format, object)?,
            (Format::Template(template), Some(object)) => {
                return by_template(&mut self.out, template, object);
            }
            (Format::Name, _) => format!("{}\n", result.target),
            _ => format!("{}\n", self.line(result)),
        };
        self.printed += 1;
        stdout::write(&mut self.out, &text)
    }

    /// kubectl's line with the counts, without a line break.
    pub fn line(&self, result: &ScaleResult<'_>) -> String {
        let ScaleResult { target, old, new, suffix, .. } = result;
        let dry_run = match self.dry_run {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        };
        let no_change = if *old == Some(*new) { " (no change)" } else { "" };
        let old = count_text(*old);
        format!("{target} scaled{dry_run} from {old} to {new}{no_change}{suffix}")
    }
}

fn by_json_path(format: &JsonPathFormat, object: &Value) -> Result<String> {
    let JsonPathFormat { path, text, missing_keys, rendering } = format;
    path.execute(object, *missing_keys, *rendering).map_err(|error| {
        anyhow!(
            "error executing jsonpath {}: Error executing template: {error}. Printing more \
             information for debugging the template:\n\ttemplate was:\n\t\t{text}\n\tobject given \
             to jsonpath engine was:\n\t\t{}\n\n",
            go::quote(text),
            go::syntax(object)
        )
    })
}

/// Prints the output of a template. If it fails, kubectl prints the output until then and everything
/// that may explain the error.
fn by_template(out: &mut impl Write, template: &GoTemplate, object: &Value) -> Result<()> {
    let failure = match template.execute(object) {
        Ok(text) => return stdout::write(out, &text),
        Err(failure) => failure,
    };
    let text = template.text();
    let dump = format!(
        "{}Error executing template: {}. Printing more information for debugging the template:\n\
         \ttemplate was:\n\t\t{text}\n\traw data was:\n\t\t{}\n\tobject given to template engine \
         was:\n\t\t{}\n\n",
        failure.output,
        failure.message,
        json::compact(object),
        go::plain(object)
    );
    stdout::write(out, &dump)?;
    Err(anyhow!("error executing template {}: {}", go::quote(text), failure.message))
}

fn shown(object: &Value, managed: ManagedFields) -> Cow<'_, Value> {
    if managed == ManagedFields::Shown {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    Cow::Owned(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::FormatArgs;

    fn printed(format: Format, dry_run: DryRun, old: i64, new: i64) -> String {
        let old = Some(old);
        let target = Target::for_test("a");
        let object = serde_json::json!({"metadata": {"managedFields": [], "name": "a"}});
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, format, dry_run);
        for _ in 0..2 {
            let result =
                ScaleResult { target: &target, old, new, object: Some(&object), suffix: "" };
            printer.print(&result).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_line_is_that_of_kubectl_with_the_counts() {
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
            printed(Format::Yaml(ManagedFields::Hidden), DryRun::None, 1, 2),
            "metadata:\n  name: a\n---\nmetadata:\n  name: a\n"
        );
        let json = "{\n    \"metadata\": {\n        \"name\": \"a\"\n    }\n}\n";
        assert_eq!(
            printed(Format::Json(ManagedFields::Hidden), DryRun::None, 1, 2),
            json.repeat(2)
        );
        assert_eq!(printed(Format::Name, DryRun::Client, 1, 2), "deployment.apps/a\n".repeat(2));
    }

    #[test]
    fn managed_fields_are_printed_with_the_flag_and_in_templates() {
        let format = |output: &str, show_managed_fields| {
            let output = Some(output.to_owned());
            Format::parse(&FormatArgs { output, show_managed_fields, ..FormatArgs::default() })
                .unwrap()
        };
        for output in ["json", "yaml", "kyaml"] {
            for is_shown in [false, true] {
                let text = printed(format(output, is_shown), DryRun::None, 1, 2);
                assert_eq!(text.contains("managedFields"), is_shown, "{output}: {text}");
            }
        }
        for output in ["jsonpath={.metadata.managedFields}", "template={{.metadata.managedFields}}"]
        {
            assert_eq!(printed(format(output, false), DryRun::None, 1, 2), "[][]");
        }
    }
}
