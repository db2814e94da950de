//! From text to nodes. Oddities are client-go's: scripts rely on what it takes.

use serde_json::Value;

use super::unquote::unquote;

/// Actions within actions (unions, filters); client-go's grammar does not get beyond three.
const DEEPEST: usize = 16;

/// One step of a path, or a list of them.
#[derive(Debug, Clone)]
pub enum Node {
    /// `{…}`: steps, one after another.
    List(Vec<Node>),
    /// Text outside of braces, a string, number or boolean inside.
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
    /// `range`, `end`, and what only turns out as unknown when it is reached.
    Identifier(String),
}

/// What is its own value.
#[derive(Debug, Clone)]
pub enum Literal {
    /// One, however many values there were before it.
    Text(Value),
    /// As many as there were values before it.
    Each(Value),
}

/// The bounds of a slice as they were written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slice {
    /// First index.
    pub start: Option<i64>,
    /// Index after the last.
    pub end: Option<i64>,
    /// `[3]`, which is `[3:4]`: then an end of 0 means the length.
    pub is_index: bool,
    /// Every how-manieth.
    pub step: Option<i64>,
}

/// Which elements of a list to keep.
#[derive(Debug, Clone)]
pub struct Filter {
    /// What stands before the operator, or everything when there is none.
    pub left: Vec<Node>,
    /// The operator and what it compares with; none asks whether `left` exists.
    pub comparison: Option<(String, Vec<Node>)>,
}

/// Reads a template.
///
/// # Errors
/// In client-go's words.
pub fn parse(text: &str) -> Result<Vec<Node>, String> {
    parse_at(text, 0)
}

fn parse_at(text: &str, depth: usize) -> Result<Vec<Node>, String> {
    if depth > DEEPEST {
        return Err("too many actions within actions".to_owned());
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

/// The steps of `{text}`; what comes after a `}` inside of it is dropped, as client-go does.
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

    /// Takes the first `length` bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Everything up to the `}`, and that too.
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
                // `@` and `$` are where we are anyway.
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
                        crate::text::go::unicode(other)
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

    /// Behind the dot: up to a terminator without a backslash before it.
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

    /// Behind `[`: an index or slice, a name in quotes, or several of these.
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

    /// Where the `)` is that is not in quotes. Only the first pair of quotes counts.
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
        // Something has to be left to compare with.
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
