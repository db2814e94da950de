//! Label selectors, as apimachinery's `labels.Parse` reads them.
//!
//! kubectl evaluates them for the objects of manifests, the API server for lists and watches.

use std::collections::BTreeSet;

use super::go::quote;

/// A label selector: all requirements must hold. An empty selector matches every object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Greater(i64),
    Less(i64),
}

impl LabelSelector {
    /// Reads the value of `-l` or of the query parameter `labelSelector`.
    ///
    /// # Errors
    /// The text of the error of `labels.Parse`.
    pub fn parse(text: &str) -> Result<Self, String> {
        Parser { tokens: tokens(text), at: 0 }.selector().map(Self)
    }

    /// True if all requirements hold. `label` returns the value of a label.
    pub fn matches<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|Requirement { key, test }| {
            let value = label(key);
            let number = || value.and_then(|value| value.parse::<i64>().ok());
            match test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(values) => value.is_some_and(|value| values.contains(value)),
                Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Test::Greater(limit) => number().is_some_and(|number| number > *limit),
                Test::Less(limit) => number().is_some_and(|number| number < *limit),
            }
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Symbol(&'static str),
    End,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Word(text) => text,
            Self::Symbol(text) => text,
            Self::End => "",
        }
    }

    fn is_key(&self) -> bool {
        matches!(self, Self::Word(_) | Self::Symbol("!"))
    }
}

const SYMBOLS: [&str; 9] = ["==", "!=", "=", "!", ",", "(", ")", "<", ">"];

fn tokens(text: &str) -> Vec<Token> {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let mut tokens = Vec::new();
    // Go's lexer stops at a NUL.
    let mut rest = text.split('\0').next().unwrap_or_default().trim_start_matches(is_space);
    while !rest.is_empty() {
        let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
        let length = match symbol {
            Some(symbol) => symbol.len(),
            None => rest.find(|c| is_space(c) || "=!(),<>".contains(c)).unwrap_or(rest.len()),
        };
        tokens.push(symbol.map_or_else(|| Token::Word(rest[..length].to_owned()), Token::Symbol));
        rest = rest[length..].trim_start_matches(is_space);
    }
    tokens
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Token {
        self.tokens.get(self.at).cloned().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn selector(&mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        match self.peek() {
            Token::End => return Ok(requirements),
            token if !token.is_key() => {
                return Err(found(&token, ", expected: !, identifier, or 'end of string'"));
            }
            _ => {}
        }
        loop {
            let requirement = self.requirement();
            let problem = |problem| format!("unable to parse requirement: {problem}");
            requirements.push(requirement.map_err(problem)?);
            match self.next() {
                Token::End => break,
                Token::Symbol(",") if self.peek().is_key() => {}
                Token::Symbol(",") => {
                    return Err(found(&self.peek(), ", expected: identifier after ','"));
                }
                other => return Err(found(&other, ", expected: ',' or 'end of string'")),
            }
        }
        Ok(requirements)
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let is_absent = self.peek() == Token::Symbol("!");
        if is_absent {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) => key,
            other => return Err(found(&other, ", expected: identifier")),
        };
        check_key(&key)?;
        let test = match (is_absent, self.peek()) {
            (true, _) => Test::Absent,
            (false, Token::End | Token::Symbol(",")) => Test::Exists,
            (false, _) => self.test(&key)?,
        };
        Ok(Requirement { key, test })
    }

    fn test(&mut self, key: &str) -> Result<Test, String> {
        let operator = self.next();
        let test = match operator.text() {
            "in" => Test::In(self.values()?),
            "notin" => Test::NotIn(self.values()?),
            "=" | "==" => Test::In(self.exact_value()?),
            "!=" => Test::NotIn(self.exact_value()?),
            ">" => return Ok(Test::Greater(self.number(key)?)),
            "<" => return Ok(Test::Less(self.number(key)?)),
            _ => return Err(found(&operator, ", expected: in, notin, =, ==, !=, gt, lt")),
        };
        if let Test::In(values) | Test::NotIn(values) = &test {
            together(value_errors(key, values))?;
        }
        Ok(test)
    }

    fn exact_value(&mut self) -> Result<BTreeSet<String>, String> {
        let value = match self.peek() {
            Token::End | Token::Symbol(",") => String::new(),
            _ => match self.next() {
                Token::Word(value) => value,
                other => return Err(found(&other, ", expected: identifier")),
            },
        };
        Ok(BTreeSet::from([value]))
    }

    fn number(&mut self, key: &str) -> Result<i64, String> {
        let values = self.exact_value()?;
        let value = values.first().map(String::as_str).unwrap_or_default();
        let number = value.parse().map_err(|_| {
            let wanted = "for 'Gt', 'Lt' operators, the value must be an integer";
            format!("values[0]: Invalid value: {}: {wanted}", quote(value))
        });
        // A label value cannot begin with `-`, so every negative number is refused.
        let mut errors = value_errors(key, &values);
        errors.splice(0..0, number.clone().err());
        together(errors)?;
        number
    }

    fn values(&mut self) -> Result<BTreeSet<String>, String> {
        let bracket = self.next();
        if bracket != Token::Symbol("(") {
            return Err(found(&bracket, " expected: '('"));
        }
        let mut values = BTreeSet::new();
        match self.peek() {
            Token::Word(_) | Token::Symbol(",") => {}
            Token::Symbol(")") => {
                self.next();
                return Ok(BTreeSet::from([String::new()]));
            }
            other => return Err(found(&other, ", expected: ',', ')' or identifier")),
        }
        loop {
            match self.next() {
                Token::Word(value) => {
                    values.insert(value);
                    match self.peek() {
                        Token::Symbol(",") => {}
                        Token::Symbol(")") => break,
                        other => return Err(found(&other, ", expected: ',' or ')'")),
                    }
                }
                Token::Symbol(",") => {
                    let next = self.peek();
                    let is_edge = matches!(next, Token::Symbol("," | ")"));
                    if values.is_empty() || is_edge {
                        values.insert(String::new());
                    }
                    if next == Token::Symbol(")") {
                        break;
                    }
                }
                other => return Err(found(&other, ", expected: ',', or identifier")),
            }
        }
        self.next();
        Ok(values)
    }
}

fn found(token: &Token, expected: &str) -> String {
    format!("found '{}'{expected}", token.text())
}

const NAME_FORMAT: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end \
     with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for \
     validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const VALUE_FORMAT: &str = "a valid label must be an empty string or consist of alphanumeric \
     characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. \
     'MyValue',  or 'my_value',  or '12345', regex used for validation is \
     '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const SUBDOMAIN_FORMAT: &str = "a lowercase RFC 1123 subdomain must consist of lower case \
     alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character \
     (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// Checks a key as `validation.IsQualifiedName` does.
fn check_key(key: &str) -> Result<(), String> {
    let mut problems = Vec::new();
    let name = match key.split('/').collect::<Vec<_>>()[..] {
        [name] => name,
        [prefix, name] => {
            check_prefix(prefix, &mut problems);
            name
        }
        _ => {
            problems.push(format!(
                "a valid label key {NAME_FORMAT} with an optional DNS subdomain prefix and '/' \
                 (e.g. 'example.com/MyName')"
            ));
            ""
        }
    };
    if problems.is_empty() || !name.is_empty() {
        if name.is_empty() {
            problems.push("name part must be non-empty".to_owned());
        }
        if name.len() > 63 {
            problems.push("name part must be no more than 63 bytes".to_owned());
        }
        if !is_label_text(name) {
            problems.push(format!("name part {NAME_FORMAT}"));
        }
    }
    invalid(None, key, &problems)
}

fn check_prefix(prefix: &str, problems: &mut Vec<String>) {
    let is_part = |part: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !part.is_empty()
            && part.bytes().all(inner)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    if prefix.is_empty() {
        problems.push("prefix part must be non-empty".to_owned());
        return;
    }
    if prefix.len() > 253 {
        problems.push("prefix part must be no more than 253 bytes".to_owned());
    }
    if !prefix.split('.').all(is_part) {
        problems.push(format!("prefix part {SUBDOMAIN_FORMAT}"));
    }
}

/// The errors of `validation.IsValidLabelValue` for each value.
fn value_errors(key: &str, values: &BTreeSet<String>) -> Vec<String> {
    let mut errors = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let mut problems = Vec::new();
        if value.len() > 63 {
            problems.push("must be no more than 63 bytes".to_owned());
        }
        if !value.is_empty() && !is_label_text(value) {
            problems.push(VALUE_FORMAT.to_owned());
        }
        let field = format!("values[{index}][{key}]");
        errors.extend(invalid(Some(&field), value, &problems).err());
    }
    errors
}

/// One error in place of several, with the text of apimachinery's `Aggregate`.
fn together(errors: Vec<String>) -> Result<(), String> {
    match errors.as_slice() {
        [] => Ok(()),
        [error] => Err(error.clone()),
        errors => Err(format!("[{}]", errors.join(", "))),
    }
}

fn invalid(field: Option<&str>, value: &str, problems: &[String]) -> Result<(), String> {
    match problems {
        [] => Ok(()),
        problems => Err(format!(
            "{}: Invalid value: {}: {}",
            field.unwrap_or("<nil>"),
            quote(value),
            problems.join("; ")
        )),
    }
}

fn is_label_text(text: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        && is_edge(bytes.first())
        && is_edge(bytes.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_match_as_on_the_api_server() {
        let labels = |key: &str| match key {
            "a" => Some("b"),
            "n" => Some("5"),
            "e" => Some(""),
            _ => None,
        };
        for (selector, expected) in [
            ("", true),
            ("a", true),
            ("!a", false),
            ("x", false),
            ("!x", true),
            ("a=b", true),
            ("a==c", false),
            (" a = b , n != 6 ", true),
            ("! a", false),
            ("a!=c", true),
            ("x!=c", true),
            ("a in (c,b)", true),
            ("a in (c)", false),
            ("x notin (c)", true),
            ("a notin (b,c)", false),
            ("e=", true),
            ("e in (,x)", true),
            ("n>4", true),
            ("n>5", false),
            ("n<6", true),
            ("a<6", false),
            ("x<6", false),
            ("a=b,n<6,!x", true),
            ("a=b,x", false),
        ] {
            assert_eq!(
                LabelSelector::parse(selector).unwrap().matches(labels),
                expected,
                "{selector}"
            );
        }
    }
}
