//! Prints results in kubectl's formats, and errors in kubectl's sentences.

mod error;
mod format;
mod json;
mod jsonpath;
mod kyaml;
mod printer;
mod stdout;
mod target_error;
mod template;

pub use error::{Failed, render, sentence_of};
use format::JsonPathFormat;
pub use format::{Format, FormatArgs, UnknownFormat};
pub use json::print as print_json;
pub use printer::{Printer, ScaleResult};
pub use stdout::write_stdout;
pub use target_error::TargetError;

/// Executes a template and drops the result; for `fuzz/`.
#[doc(hidden)]
pub fn try_template(format: &str, template: &str) {
    let object =
        serde_json::json!({"a": [{"b": 1, "c": "d"}, {"b": 2.5, "e": null}], "f": {"g": [[]]}});
    let args = FormatArgs {
        output: Some(format.to_owned()),
        template: Some(template.to_owned()),
        ..FormatArgs::default()
    };
    match Format::parse(&args) {
        Ok(Format::JsonPath(JsonPathFormat { path, missing_keys, rendering, .. })) => {
            let _ = path.execute(&object, missing_keys, rendering);
        }
        Ok(Format::Template(template)) => {
            let _ = template.execute(&object);
        }
        _ => {}
    }
}
