//! Go templates, with the functions that kubectl adds to them.

mod check;
mod errors;
mod functions;
mod lexer;

use std::fmt;

use gotmpl::{MissingKey, Template};
use serde_json::Value;

/// More than this is not printed: a template can ask for its object many times over.
const LARGEST_OUTPUT: usize = 64 << 20;

/// Loops within loops multiply.
const MOST_ITERATIONS: u64 = 5_000_000;

/// A template that was understood.
pub struct GoTemplate {
    template: Template,
    text: String,
}

impl fmt::Debug for GoTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GoTemplate").field(&self.text).finish()
    }
}

/// A template that could not be filled in.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// What had been put out until then.
    pub until_then: String,
    /// What went wrong, in Go's words: `template: output:1:2: executing "output" at <.a>: …`.
    pub message: String,
}

impl GoTemplate {
    /// Reads a template. With `missing_keys` a field that is not there is `<no value>`, otherwise
    /// an error.
    ///
    /// # Errors
    /// `template: output:1: unclosed action`, in Go's words.
    pub fn parse(text: &str, missing_keys: bool) -> Result<Self, String> {
        let checked = lexer::tokens(text).and_then(|tokens| check::check(&tokens, text.len()));
        checked.map_err(|wrong| errors::of_checks(&wrong, text))?;
        let missing = if missing_keys { MissingKey::Invalid } else { MissingKey::Error };
        let template = functions::register(Template::new("output"))
            .missing_key(missing)
            .max_range_iters(MOST_ITERATIONS)
            .parse(text)
            .map_err(|error| errors::of_parser(&error))?;
        Ok(Self { template, text: text.to_owned() })
    }

    /// As it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The template filled in from `object`.
    ///
    /// # Errors
    /// [`Failure`]
    pub fn execute(&self, object: &Value) -> Result<String, Failure> {
        let mut out = Bounded(String::new());
        match self.template.execute_fmt(&mut out, &functions::to_value(object)) {
            Ok(()) => Ok(out.0),
            Err(error) => Err(Failure {
                message: errors::of_execution(&error, &self.text),
                until_then: out.0,
            }),
        }
    }
}

/// A text that does not become larger than it may.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LARGEST_OUTPUT {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
