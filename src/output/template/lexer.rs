//! The words of a template's actions, as Go's lexer divides them.
//!
//! gotmpl reads a template once more, but takes much that is none (it drops what follows a
//! `{{end}}` too many), and says neither where nor in Go's words what is wrong.

/// Parentheses within parentheses, and blocks within blocks; each takes some of the stack.
pub const DEEPEST: usize = 64;

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{{`
    Open,
    /// `}}`
    Close,
    /// `.`
    Dot,
    /// `.name`
    Field,
    /// `$`, `$name`
    Variable,
    /// A function or a keyword.
    Name,
    /// A string, a character or a number.
    Literal,
    /// `(`, `)`, `|`, `,`, `=`, `:=`
    Mark,
    /// One that has no meaning in a template.
    Other,
}

/// One word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// The word itself.
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub at: usize,
    /// Whether it stands directly behind the word before.
    pub is_joined: bool,
}

/// What is wrong, and where, in bytes.
pub type Wrong = (String, usize);

/// The words of all actions.
///
/// # Errors
/// In the words of Go's lexer: `unclosed action`, `unterminated quoted string`, …
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, Wrong> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), parens: 0, is_joined: false };
    while let Some(open) = lexer.rest().find("{{") {
        lexer.at += open;
        let inside = lexer.rest().strip_prefix("{{").unwrap_or_default();
        let trimmed = inside.strip_prefix('-').filter(|rest| rest.starts_with(is_space));
        if trimmed.unwrap_or(inside).trim_start_matches(trims(trimmed)).starts_with("/*") {
            lexer.comment()?;
        } else {
            lexer.push(Kind::Open, 2);
            lexer.at += usize::from(trimmed.is_some());
            while lexer.word()? {}
        }
    }
    Ok(lexer.tokens)
}

/// Before a comment blanks may only stand behind a `-`.
fn trims(trimmed: Option<&str>) -> &'static [char] {
    if trimmed.is_some() { &[' ', '\t', '\r', '\n'] } else { &[] }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token<'a>>,
    parens: usize,
    is_joined: bool,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn wrong<T>(&self, what: impl Into<String>) -> Result<T, Wrong> {
        Err((what.into(), self.at))
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let text = &self.rest()[..length];
        self.tokens.push(Token { kind, text, at: self.at, is_joined: self.is_joined });
        self.at += length;
        self.is_joined = true;
    }

    fn comment(&mut self) -> Result<(), Wrong> {
        let Some(end) = self.rest().find("*/") else {
            return self.wrong("unclosed comment");
        };
        self.at += end + 2;
        let rest = self.rest();
        let close = rest.strip_prefix("}}").or_else(|| {
            let trimmed = rest.strip_prefix(is_space)?.trim_start_matches(is_space);
            trimmed.strip_prefix("-}}")
        });
        match close {
            Some(close) => self.at = self.text.len() - close.len(),
            None => return self.wrong("comment ends before closing delimiter"),
        }
        Ok(())
    }

    /// The next word of an action; false after its end.
    fn word(&mut self) -> Result<bool, Wrong> {
        let rest = self.rest();
        let trimmed = rest.trim_start_matches(is_space);
        let closes_trimmed = trimmed.len() < rest.len() && trimmed.starts_with("-}}");
        if trimmed.len() < rest.len() {
            self.is_joined = false;
            self.at = self.text.len() - trimmed.len() + usize::from(closes_trimmed);
        }
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return self.wrong("unclosed action");
        };
        if rest.starts_with("}}") {
            if self.parens > 0 {
                return self.wrong("unclosed left paren");
            }
            self.push(Kind::Close, 2);
            self.is_joined = false;
            return Ok(false);
        }
        let second = rest[first.len_utf8()..].chars().next();
        match first {
            '"' => self.quoted('"', "unterminated quoted string")?,
            '\'' => self.quoted('\'', "unterminated character constant")?,
            '`' => match rest[1..].find('`') {
                Some(end) => self.push(Kind::Literal, end + 2),
                None => return self.wrong("unterminated raw quoted string"),
            },
            '.' if !second.is_some_and(|c| c.is_ascii_digit()) => {
                let is_name = second.is_some_and(is_alphanumeric);
                self.name(if is_name { Kind::Field } else { Kind::Dot })?;
            }
            '$' => self.name(Kind::Variable)?,
            '.' | '+' | '-' | '0'..='9' => self.number(),
            c if is_alphanumeric(c) => self.name(Kind::Name)?,
            '(' if self.parens >= DEEPEST => {
                return self.wrong("too many parentheses within parentheses");
            }
            '(' => {
                self.parens += 1;
                self.push(Kind::Mark, 1);
            }
            ')' if self.parens == 0 => return self.wrong("unexpected right paren"),
            ')' => {
                self.parens -= 1;
                self.push(Kind::Mark, 1);
            }
            '|' | ',' | '=' => self.push(Kind::Mark, 1),
            ':' if second == Some('=') => self.push(Kind::Mark, 2),
            ':' => return self.wrong("expected :="),
            c if c.is_ascii_graphic() => self.push(Kind::Other, 1),
            c => {
                return self.wrong(format!(
                    "unrecognized character in action: {}",
                    crate::text::go::unicode(c)
                ));
            }
        }
        Ok(true)
    }

    fn quoted(&mut self, quote: char, unterminated: &str) -> Result<(), Wrong> {
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '\n' => break,
                '\\' if characters.next().is_none_or(|(_, escaped)| escaped == '\n') => break,
                end if end == quote => {
                    self.push(Kind::Literal, at + 1);
                    return Ok(());
                }
                _ => {}
            }
        }
        self.wrong(unterminated)
    }

    /// With its first character, whatever that is.
    fn name(&mut self, kind: Kind) -> Result<(), Wrong> {
        let rest = self.rest();
        let length = match rest.char_indices().skip(1).find(|(_, c)| !is_alphanumeric(*c)) {
            Some((length, _)) => length,
            None => rest.len(),
        };
        let after = &rest[length..];
        match after.chars().next() {
            Some(c) if !is_space(c) && !".,|:)(".contains(c) && !after.starts_with("}}") => {
                self.wrong(format!("bad character {}", crate::text::go::unicode(c)))
            }
            _ => {
                self.push(kind, length);
                Ok(())
            }
        }
    }

    fn number(&mut self) {
        let rest = self.rest();
        let is_part = |c: char| c.is_alphanumeric() || "._+-".contains(c);
        let length = rest[1..].find(|c| !is_part(c)).map_or(rest.len(), |length| length + 1);
        self.push(Kind::Literal, length);
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}
