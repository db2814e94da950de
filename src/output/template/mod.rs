//! Go templates, with the functions that kubectl adds to them.

mod check;
mod errors;
mod functions;
mod lexer;
mod printing;

use std::fmt;

use gotmpl::{MissingKey, Template};
use serde_json::Value;

/// The largest output: a template can print its object many times.
const MAX_OUTPUT: usize = 64 << 20;

/// The most iterations of all loops together, since nested loops multiply.
const MAX_ITERATIONS: u64 = 5_000_000;

/// A parsed template.
pub struct GoTemplate {
    template: Template,
    text: String,
}

impl fmt::Debug for GoTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GoTemplate").field(&self.text).finish()
    }
}

/// A failed execution.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// The output until the error.
    pub output: String,
    /// The error in Go's words: `template: output:1:2: executing "output" at <.a>: …`.
    pub message: String,
}

impl GoTemplate {
    /// Parses a template. With `missing_keys`, a missing field prints `<no value>`; otherwise it is an
    /// error.
    ///
    /// # Errors
    /// `template: output:1: unclosed action`, in Go's words.
    pub fn parse(text: &str, missing_keys: bool) -> Result<Self, String> {
        let of_checks = |error| errors::of_checks(&error, text);
        let tokens = lexer::tokens(text).map_err(of_checks)?;
        check::check(&tokens, text.len()).map_err(of_checks)?;
        let missing = if missing_keys { MissingKey::Invalid } else { MissingKey::Error };
        let template = printing::register(functions::register(Template::new("output")), MAX_OUTPUT)
            .missing_key(missing)
            .max_range_iters(MAX_ITERATIONS);
        let plain = template.clone().parse(text).map_err(|error| errors::of_parser(&error))?;
        // If the template does not parse with the added conversion, it is used unchanged. Floats then look
        // as in gotmpl.
        let template = template.parse(&printing::with_show(text, &tokens)).unwrap_or(plain);
        Ok(Self { template, text: text.to_owned() })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Executes the template on `object`.
    ///
    /// # Errors
    /// [`Failure`]
    pub fn execute(&self, object: &Value) -> Result<String, Failure> {
        let mut out = Bounded(String::new());
        match self.template.execute_fmt(&mut out, &functions::to_value(object)) {
            Ok(()) => Ok(out.0),
            Err(error) => {
                Err(Failure { message: errors::of_execution(&error, &self.text), output: out.0 })
            }
        }
    }
}

/// A text of at most [`MAX_OUTPUT`] bytes.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > MAX_OUTPUT {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
