//! Parses a template. The odd rules are those of client-go, because scripts rely on them.

use serde_json::Value;

use super::unquote::unquote;

/// The deepest nesting of actions (unions, filters). client-go's grammar has at most three levels.
const MAX_DEPTH: usize = 16;

/// One step of a path, or a list of them.
#[derive(Debug, Clone)]
pub enum Node {
    /// `{…}`: a list of steps.
    List(Vec<Node>),
    /// Text outside braces; a string, number or boolean inside.
    Literal(Literal),
    /// `.name`, `['name']`
    Field(String),
    /// `[0]`, `[-1]`, `[0:2]`, `[::2]`
    Slice(Slice),
    /// `[?(@.a=="b")]`
    Filter(Box<Filter>),
    /// `.*`
    Wildcard,
    /// `..`
    Recursive,
    /// `[0,2]`, `['a','b']`
    Union(Vec<Vec<Node>>),
    /// `range`, `end`, or an unknown word, which is an error only when it is evaluated.
    Identifier(String),
}

/// A literal value.
#[derive(Debug, Clone)]
pub enum Literal {
    /// A single value, for any number of items before it.
    Text(Value),
    /// One value for each item before it.
    Each(Value),
}

/// The bounds of a slice, as they were written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slice {
    /// The first index.
    pub start: Option<i64>,
    /// The index after the last one.
    pub end: Option<i64>,
    /// It is a single index: `[3]` is `[3:4]`. An end of 0 then means the length.
    pub is_index: bool,
    /// The step: take every n-th element.
    pub step: Option<i64>,
}

/// A filter for the elements of a list.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The part before the operator, or the whole filter if it has no operator.
    pub left: Vec<Node>,
    /// The operator and the right side. Without it, the filter checks that `left` exists.
    pub comparison: Option<(String, Vec<Node>)>,
}

/// Parses a template.
///
/// # Errors
/// In client-go's words.
pub fn parse(text: &str) -> Result<Vec<Node>, String> {
    parse_at(text, 0)
}

fn parse_at(text: &str, depth: usize) -> Result<Vec<Node>, String> {
    if depth > MAX_DEPTH {
        return Err("actions are nested too deeply".to_owned());
    }
    let mut parser = Parser { rest: text, depth };
    let mut nodes = Vec::new();
    loop {
        let (before, action) = match parser.rest.find('{') {
            Some(at) => (&parser.rest[..at], Some(&parser.rest[at + 1..])),
            None => (parser.rest, None),
        };
        if !before.is_empty() {
            nodes.push(Node::Literal(Literal::Text(before.into())));
        }
        let Some(action) = action else {
            return Ok(nodes);
        };
        parser.rest = action;
        nodes.push(Node::List(parser.action()?));
    }
}

/// The steps of `{text}`. As in client-go, the text after a `}` inside it is dropped.
fn parse_action(text: &str, depth: usize) -> Result<Vec<Node>, String> {
    match parse_at(&format!("{{{text}}}"), depth + 1)?.into_iter().next() {
        Some(Node::List(nodes)) => Ok(nodes),
        _ => Ok(Vec::new()),
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }

    /// Takes the next `length` bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Parses up to and including the `}`.
    fn action(&mut self) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        loop {
            if self.rest.starts_with("[?(") {
                nodes.push(self.filter()?);
                continue;
            }
            if self.rest.starts_with("..") {
                self.recursive(&mut nodes)?;
                continue;
            }
            let before = self.rest;
            match self.next() {
                None | Some('\r' | '\n') => return Err("unclosed action".to_owned()),
                Some('}') => return Ok(nodes),
                // `@` and `$` stand for the current item.
                Some(' ' | '@' | '$') => {}
                Some('[') => self.brackets(&mut nodes)?,
                Some(quote @ ('"' | '\'')) => {
                    self.rest = before;
                    nodes.push(self.quoted(quote)?);
                }
                Some('.') => nodes.push(self.field()),
                Some(c) if c == '+' || c == '-' || is_digit(c) => {
                    self.rest = before;
                    nodes.push(self.number()?);
                }
                Some(c) if is_alphanumeric(c) => {
                    self.rest = before;
                    nodes.push(self.identifier());
                }
                Some(other) => {
                    return Err(format!(
                        "unrecognized character in action: {}",
                        crate::text::go::format_code_point(other)
                    ));
                }
            }
        }
    }

    fn identifier(&mut self) -> Node {
        let length = self.rest.find(is_terminator).unwrap_or(self.rest.len());
        match self.take(length) {
            "true" => Node::Literal(Literal::Each(true.into())),
            "false" => Node::Literal(Literal::Each(false.into())),
            name => Node::Identifier(name.to_owned()),
        }
    }

    fn recursive(&mut self, nodes: &mut Vec<Node>) -> Result<(), String> {
        if matches!(nodes.last(), Some(Node::Recursive)) {
            return Err("invalid multiple recursive descent".to_owned());
        }
        self.take(2);
        nodes.push(Node::Recursive);
        if self.rest.starts_with(is_alphanumeric) {
            nodes.push(self.field());
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Node, String> {
        let sign = self.rest.starts_with(['+', '-']).into();
        let digits = self.rest[sign..].find(|c| c != '.' && !is_digit(c));
        let text = self.take(digits.map_or(self.rest.len(), |digits| sign + digits));
        let value = match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(integer), _) => Value::from(integer),
            (_, Ok(float)) if float.is_finite() => Value::from(float),
            _ => return Err(format!("cannot parse number {text}")),
        };
        Ok(Node::Literal(Literal::Each(value)))
    }

    /// Parses a name after its dot: up to a terminator that is not escaped by a backslash.
    fn field(&mut self) -> Node {
        let mut characters = self.rest.char_indices();
        let mut length = self.rest.len();
        while let Some((at, character)) = characters.next() {
            if character == '\\' {
                characters.next();
            } else if is_terminator(character) {
                length = at;
                break;
            }
        }
        match self.take(length) {
            "*" => Node::Wildcard,
            name => Node::Field(name.replace('\\', "")),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Node, String> {
        let mut before = quote;
        for (at, character) in self.rest.char_indices().skip(1) {
            if character == '\n' {
                break;
            }
            if character == quote && before != '\\' {
                let text = self.take(at + 1);
                let string = unquote(text)
                    .ok_or_else(|| format!("unquote string {text} error invalid syntax"))?;
                return Ok(Node::Literal(Literal::Text(string.into())));
            }
            before = character;
        }
        Err("unterminated quoted string".to_owned())
    }

    /// Parses the text after `[`: an index, a slice, a name in quotes, or several of these.
    fn brackets(&mut self, nodes: &mut Vec<Node>) -> Result<(), String> {
        let end = self.rest.find([']', '\n']).filter(|end| self.rest[*end..].starts_with(']'));
        let end = end.ok_or("unterminated array")?;
        let text = self.take(end);
        self.take(1);
        if text.contains(',') {
            let action =
                |part: &str| parse_action(&format!("[{}]", part.trim_matches(' ')), self.depth);
            nodes.push(Node::Union(text.split(',').map(action).collect::<Result<_, _>>()?));
            return Ok(());
        }
        let name = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        match name.filter(|name| !name.contains('\'')) {
            Some(name) => nodes.extend(parse_action(&format!(".{name}"), self.depth)?),
            None => nodes.push(Node::Slice(slice(text)?)),
        }
        Ok(())
    }

    fn filter(&mut self) -> Result<Node, String> {
        self.take("[?(".len());
        let text = self.take(self.end_of_filter().ok_or("unterminated filter")?);
        self.take(1);
        if self.next() != Some(']') {
            return Err("unclosed array expect ]".to_owned());
        }
        let (left, comparison) = match split_at_operator(text) {
            Some((left, operator, right)) => (left, Some((operator, right))),
            None => (text, None),
        };
        let left = parse_action(left, self.depth)?;
        let comparison = match comparison {
            Some((operator, right)) => {
                Some((operator.to_owned(), parse_action(right, self.depth)?))
            }
            None => None,
        };
        Ok(Node::Filter(Box::new(Filter { left, comparison })))
    }

    /// The index of the `)` that ends the filter. A `)` inside the first pair of quotes is skipped.
    fn end_of_filter(&self) -> Option<usize> {
        let (mut open, mut closed, mut before) = (None, false, '(');
        for (at, character) in self.rest.char_indices() {
            match (character, open) {
                ('\n', _) => return None,
                ('"' | '\'', None) => open = Some(character),
                (quote, Some(opened)) if quote == opened && before != '\\' => closed = true,
                (')', _) if open.is_some() == closed => return Some(at),
                _ => {}
            }
            before = character;
        }
        None
    }
}

/// `[a:b:c]` without its brackets.
fn slice(text: &str) -> Result<Slice, String> {
    let text = if text == "*" { ":" } else { text };
    let parts: Vec<_> = text.split(':').collect();
    let is_number = |part: &&str| {
        part.strip_prefix('-').unwrap_or(part).bytes().all(|byte| byte.is_ascii_digit())
    };
    if parts.len() > 3 || !parts.iter().all(is_number) {
        return Err(format!("invalid array index {text}"));
    }
    let number = |at: usize| match parts.get(at) {
        None | Some(&"") => Ok(None),
        Some(part) => {
            part.parse().map(Some).map_err(|_| format!("array index {part} is not a number"))
        }
    };
    let (start, step): (Option<i64>, _) = (number(0)?, number(2)?);
    let (end, is_index) = match parts.len() {
        1 => (Some(start.unwrap_or(0).wrapping_add(1)), true),
        _ => (number(1)?, false),
    };
    Ok(Slice { start, end, is_index, step })
}

/// `^([^!<>=]+)([!<>=]+)(.+?)$`
fn split_at_operator(text: &str) -> Option<(&str, &str, &str)> {
    const OPERATORS: [char; 4] = ['!', '<', '>', '='];
    let start = text.find(OPERATORS).filter(|start| *start > 0)?;
    let rest = &text[start..];
    let length = match rest.find(|c| !OPERATORS.contains(&c)) {
        Some(length) => length,
        // At least one character must follow the operator.
        None if rest.len() > 1 => rest.len() - 1,
        None => return None,
    };
    Some((&text[..start], &rest[..length], &rest[length..]))
}

fn is_terminator(character: char) -> bool {
    " \t\r\n.,[]$@{}".contains(character)
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || character.is_alphabetic() || is_digit(character)
}

fn is_digit(character: char) -> bool {
    character.is_numeric()
}
