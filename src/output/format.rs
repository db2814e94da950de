//! `-o` and the related flags: the output format (kubectl's `PrintFlags`).

use anyhow::{Result, bail};

use super::jsonpath::{JsonPath, Rendering};
use super::template::GoTemplate;
use crate::text::bounded;
use crate::text::go;
use crate::text::go::os_error;

/// The largest file with a template.
const MAX_TEMPLATE: u64 = 1 << 20;

/// The output format of results.
#[derive(Debug, Default)]
pub enum Format {
    /// `deployment.apps/a scaled from 1 to 3`
    #[default]
    Line,
    /// `deployment.apps/a`
    Name,
    /// The object, as JSON.
    Json(ManagedFields),
    /// The object, as YAML.
    Yaml(ManagedFields),
    /// The object, as KYAML.
    Kyaml(ManagedFields),
    /// The output of a Go template.
    Template(GoTemplate),
    /// The output of a JSONPath template.
    JsonPath(JsonPathFormat),
}

/// `--show-managed-fields`: print `metadata.managedFields`, or leave it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManagedFields {
    /// Left out: the default of kubectl.
    Hidden,
    /// Printed.
    Shown,
}

/// A JSONPath template and how it is executed.
#[derive(Debug)]
pub struct JsonPathFormat {
    /// The parsed template.
    pub path: JsonPath,
    /// The text of the template.
    pub text: String,
    /// A missing field is no error.
    pub missing_keys: bool,
    /// The results as text or as JSON arrays.
    pub rendering: Rendering,
}

/// The flags of the output format.
#[derive(Debug, Clone, Default)]
pub struct FormatArgs {
    /// `--output`, if it was given.
    pub output: Option<String>,
    /// `--template`
    pub template: Option<String>,
    /// `--allow-missing-template-keys`
    pub allow_missing_template_keys: bool,
    /// `--show-managed-fields`
    pub show_managed_fields: bool,
}

/// An unknown output format, in kubectl's words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unable to match a printer suitable for the output format {}, allowed formats are: {allowed}",
    go::quote(.given)
)]
pub struct UnknownFormat {
    /// The value of `-o`.
    pub given: String,
    /// The known formats, separated by commas.
    pub allowed: &'static str,
}

/// The language of a template.
#[derive(Clone, Copy)]
enum Language {
    Go { in_file: bool },
    JsonPath { in_file: bool, rendering: Rendering },
}

impl Format {
    /// Reads the flags, and the template in them.
    ///
    /// # Errors
    /// In kubectl's words: [`UnknownFormat`], a missing template, a template file that cannot be read,
    /// or a template with a syntax error.
    pub fn parse(args: &FormatArgs) -> Result<Self> {
        let template = args.template.as_deref().filter(|template| !template.is_empty());
        let given = match (args.output.as_deref(), template) {
            (None, Some(_)) => "go-template",
            (output, _) => output.unwrap_or_default(),
        };
        let managed_fields =
            if args.show_managed_fields { ManagedFields::Shown } else { ManagedFields::Hidden };
        match given.to_lowercase().as_str() {
            "" => return Ok(Self::Line),
            "name" => return Ok(Self::Name),
            "json" => return Ok(Self::Json(managed_fields)),
            "yaml" => return Ok(Self::Yaml(managed_fields)),
            "kyaml" if has_kyaml() => return Ok(Self::Kyaml(managed_fields)),
            _ => {}
        }
        // A text after `=` is the template only if there is no --template.
        let (name, text) = match (template, given.split_once('=')) {
            (Some(text), _) => (given, text),
            (None, Some((name, text))) => (name, text),
            (None, None) => (given, ""),
        };
        let Some(language) = Language::named(name) else {
            let allowed = if has_kyaml() { WITH_KYAML } else { WITHOUT_KYAML };
            bail!(UnknownFormat { given: given.to_owned(), allowed });
        };
        if text.is_empty() {
            bail!("template format specified but no template given");
        }
        language.read(text, args.allow_missing_template_keys)
    }

    /// True if the whole object is needed for printing.
    pub fn needs_object(&self) -> bool {
        !matches!(self, Self::Line | Self::Name)
    }
}

const WITH_KYAML: &str = "go-template,go-template-file,json,jsonpath,jsonpath-as-json,\
                          jsonpath-file,kyaml,name,template,templatefile,yaml";
const WITHOUT_KYAML: &str = "go-template,go-template-file,json,jsonpath,jsonpath-as-json,\
                             jsonpath-file,name,template,templatefile,yaml";

/// kubectl's environment variable to switch KYAML off.
fn has_kyaml() -> bool {
    let switch = std::env::var("KUBECTL_KYAML").unwrap_or_default();
    go::parse_bool(&switch).unwrap_or(true)
}

impl Language {
    fn named(name: &str) -> Option<Self> {
        let json_path = |in_file, rendering| Some(Self::JsonPath { in_file, rendering });
        match name {
            "go-template" | "template" => Some(Self::Go { in_file: false }),
            "go-template-file" | "templatefile" => Some(Self::Go { in_file: true }),
            "jsonpath" => json_path(false, Rendering::Text),
            "jsonpath-as-json" => json_path(false, Rendering::Json),
            "jsonpath-file" => json_path(true, Rendering::Text),
            _ => None,
        }
    }

    fn read(self, text: &str, missing_keys: bool) -> Result<Format> {
        let (Self::Go { in_file } | Self::JsonPath { in_file, .. }) = self;
        let text = if in_file { read_file(text)? } else { text.to_owned() };
        match self {
            Self::Go { .. } => match GoTemplate::parse(&text, missing_keys) {
                Ok(template) => Ok(Format::Template(template)),
                Err(error) => bail!("error parsing template {text}, {error}"),
            },
            Self::JsonPath { rendering, .. } => match JsonPath::parse(&text) {
                Ok(path) => {
                    Ok(Format::JsonPath(JsonPathFormat { path, text, missing_keys, rendering }))
                }
                Err(error) => bail!("error parsing jsonpath {text}, {error}"),
            },
        }
    }
}

fn read_file(path: &str) -> Result<String> {
    let fail = |action: &str, error: &std::io::Error| {
        anyhow::anyhow!("error reading --template {path}, {action} {path}: {}", os_error(error))
    };
    let file = std::fs::File::open(path).map_err(|error| fail("open", &error))?;
    let content = bounded::read(file, MAX_TEMPLATE).map_err(|error| fail("read", &error))?;
    let Some(bytes) = content else {
        bail!("error reading --template {path}, it is larger than 1 MiB");
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(output: Option<&str>, template: Option<&str>) -> Result<Format> {
        Format::parse(&FormatArgs {
            output: output.map(str::to_owned),
            template: template.map(str::to_owned),
            ..FormatArgs::default()
        })
    }

    #[test]
    fn formats_are_those_of_kubectl() {
        for (output, template, expected) in [
            (None, None, "Line"),
            (Some(""), None, "Line"),
            (None, Some(""), "Line"),
            (Some(""), Some("{{.kind}}"), "Line"),
            (Some("JSON"), None, "Json"),
            (Some("Name"), None, "Name"),
            (Some("yaml"), Some("{{.kind}}"), "Yaml"),
            (Some("KYAML"), None, "Kyaml"),
            (None, Some("{{.kind}}"), "Template"),
            (Some("go-template={{.kind}}"), None, "Template"),
            (Some("template"), Some("{{.kind}}"), "Template"),
            (Some("jsonpath={.kind}"), None, "JsonPath"),
            (Some("jsonpath={.a[?(@.b==1)]}"), None, "JsonPath"),
            (Some("jsonpath-as-json"), Some("{.kind}"), "JsonPath"),
        ] {
            let format = format!("{:?}", parse(output, template).unwrap());
            assert!(format.starts_with(expected), "{output:?} {template:?}: {format}");
        }
    }

    #[test]
    fn invalid_formats_get_the_error_of_kubectl() {
        let unknown = |given: &str| {
            format!(
                "unable to match a printer suitable for the output format {given:?}, \
                 allowed formats are: {WITH_KYAML}"
            )
        };
        let missing = "template format specified but no template given".to_owned();
        let unread = |path: &str, why: &str| format!("error reading --template {path}, {why}");
        for (output, template, expected) in [
            ("foo", None, unknown("foo")),
            ("wide", None, unknown("wide")),
            ("json=x", None, unknown("json=x")),
            ("JSONPATH={.a}", None, unknown("JSONPATH={.a}")),
            ("jsonpath={.a}", Some("{.b}"), unknown("jsonpath={.a}")),
            ("templatefile=", Some("/nonexistent"), unknown("templatefile=")),
            ("jsonpath", None, missing.clone()),
            ("jsonpath=", None, missing.clone()),
            ("go-template=", Some(""), missing.clone()),
            ("go-template-file", None, missing),
            ("jsonpath={", None, "error parsing jsonpath {, unclosed action".to_owned()),
            (
                "go-template={{",
                None,
                "error parsing template {{, template: output:1: unclosed action".to_owned(),
            ),
            (
                "go-template-file=/nonexistent",
                None,
                unread("/nonexistent", "open /nonexistent: no such file or directory"),
            ),
            ("jsonpath-file", Some("/"), unread("/", "read /: is a directory")),
        ] {
            let error = parse(Some(output), template).unwrap_err().to_string();
            assert_eq!(error, expected, "{output} {template:?}");
        }
    }
}
