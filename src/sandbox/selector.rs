//! Label selectors with the API's full grammar, and field selectors.

use serde_json::Value;

use super::{object, status::Failure};

/// The requirements of a label selector. All of them must hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LabelSelector(Vec<Requirement>);

#[derive(Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl LabelSelector {
    /// Parses the parameter `labelSelector`.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let mut parser = Parser { tokens: tokens(text), at: 0 };
        parser.requirements().map(Self).map_err(|problem| {
            Failure::bad_request(format!("unable to parse requirement: {problem}"))
        })
    }

    pub(super) fn matches(&self, labels: &Value) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels.get(&requirement.key).and_then(Value::as_str);
            match &requirement.test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(values) => value.is_some_and(|value| values.iter().any(|v| v == value)),
                Test::NotIn(values) => value.is_none_or(|value| values.iter().all(|v| v != value)),
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

const SYMBOLS: [&str; 9] = ["==", "!=", "=", "!", ",", "(", ")", "<", ">"];

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            tokens.push(Token::Symbol(symbol));
            rest = &rest[symbol.len()..];
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || "=!,()<>".contains(c))
                .unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
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

    fn requirements(&mut self) -> Result<Vec<Requirement>, String> {
        let mut found = Vec::new();
        if self.peek() == Token::End {
            return Ok(found);
        }
        loop {
            found.push(self.requirement()?);
            match self.next() {
                Token::End => return Ok(found),
                Token::Symbol(",") => match self.peek() {
                    Token::Word(_) | Token::Symbol("!") => {}
                    other => {
                        return Err(format!(
                            "found '{}', expected: identifier after ','",
                            shown(&other)
                        ));
                    }
                },
                other => {
                    return Err(format!(
                        "found '{}', expected: ',' or 'end of string'",
                        shown(&other)
                    ));
                }
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let absent = self.peek() == Token::Symbol("!");
        if absent {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) => key,
            other => return Err(format!("found '{}', expected: identifier", shown(&other))),
        };
        check_key(&key)?;
        if absent {
            return Ok(Requirement { key, test: Test::Absent });
        }
        let test = match self.peek() {
            Token::End | Token::Symbol(",") => return Ok(Requirement { key, test: Test::Exists }),
            Token::Symbol("=" | "==") => {
                self.next();
                Test::In(vec![self.exact_value()?])
            }
            Token::Symbol("!=") => {
                self.next();
                Test::NotIn(vec![self.exact_value()?])
            }
            Token::Word(word) if word == "in" => {
                self.next();
                Test::In(self.values()?)
            }
            Token::Word(word) if word == "notin" => {
                self.next();
                Test::NotIn(self.values()?)
            }
            other => {
                return Err(format!(
                    "found '{}', expected: in, notin, =, ==, !=, gt, lt",
                    shown(&other)
                ));
            }
        };
        Ok(Requirement { key, test })
    }

    fn exact_value(&mut self) -> Result<String, String> {
        match self.peek() {
            Token::End | Token::Symbol(",") => Ok(String::new()),
            Token::Word(value) => {
                self.next();
                check_value(value)
            }
            other => Err(format!("found '{}', expected: identifier", shown(&other))),
        }
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        match self.next() {
            Token::Symbol("(") => {}
            other => return Err(format!("found '{}', expected: '('", shown(&other))),
        }
        let mut values = Vec::new();
        loop {
            match self.next() {
                Token::Word(value) => values.push(check_value(value)?),
                // A value between commas and brackets may be empty.
                Token::Symbol(symbol @ ("," | ")")) => {
                    values.push(String::new());
                    if symbol == ")" {
                        return Ok(values);
                    }
                    continue;
                }
                other => {
                    return Err(format!(
                        "found '{}', expected: ',', ')' or identifier",
                        shown(&other)
                    ));
                }
            }
            match self.next() {
                Token::Symbol(")") => return Ok(values),
                Token::Symbol(",") => {}
                other => return Err(format!("found '{}', expected: ',' or ')'", shown(&other))),
            }
        }
    }
}

fn shown(token: &Token) -> &str {
    match token {
        Token::Word(word) => word,
        Token::Symbol(symbol) => symbol,
        Token::End => "",
    }
}

fn is_label_text(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && text.chars().all(inner)
        && edge(text.chars().next())
        && edge(text.chars().last())
}

fn check_key(key: &str) -> Result<(), String> {
    let name = key.split_once('/').map_or(key, |(_, name)| name);
    if is_label_text(name) {
        return Ok(());
    }
    Err(format!(
        "key: Invalid value: {key:?}: name part must consist of alphanumeric characters, '-', '_' or '.', \
         and must start and end with an alphanumeric character"
    ))
}

fn check_value(value: String) -> Result<String, String> {
    if value.is_empty() || is_label_text(&value) {
        return Ok(value);
    }
    Err(format!(
        "values[0][key]: Invalid value: {value:?}: a valid label must be an empty string or consist of \
         alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    ))
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

    fn holds(selector: &str) -> bool {
        let labels = json!({"app": "locust", "role": "worker", "empty": ""});
        LabelSelector::parse(selector).unwrap().matches(&labels)
    }

    #[test]
    fn every_form_of_requirement_is_parsed() {
        let table = [
            ("", true),
            ("app=locust", true),
            ("app==locust,role=worker", true),
            ("app = locust , role != master", true),
            ("app!=locust", false),
            ("missing!=x", true),
            ("app in (locust, other)", true),
            ("app in (other)", false),
            ("app notin (other)", true),
            ("missing notin (x)", true),
            ("role", true),
            ("missing", false),
            ("!missing", true),
            ("! role", false),
            ("empty=", true),
            ("empty in (,x)", true),
        ];
        for (selector, expected) in table {
            assert_eq!(holds(selector), expected, "{selector}");
        }
    }

    #[test]
    fn errors_equal_those_of_the_api_server() {
        let table = [
            ("a===b", "found '=', expected: identifier"),
            ("a in b", "found 'b', expected: '('"),
            ("a,", "found '', expected: identifier after ','"),
            ("a b", "found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ];
        for (selector, problem) in table {
            let failure = LabelSelector::parse(selector).unwrap_err();
            assert_eq!(failure.code, 400);
            assert_eq!(
                failure.status()["message"],
                format!("unable to parse requirement: {problem}")
            );
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
