//! Splits the actions of a template into tokens, as Go's lexer does.
//!
//! gotmpl parses the template again. But it accepts invalid templates (it drops the text after an extra
//! `{{end}}`), and its errors have no position and other words than Go's.

/// The deepest nesting of parentheses and of blocks. Each level takes some stack.
pub const MAX_DEPTH: usize = 64;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
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
    /// A character without a meaning in a template.
    Other,
}

/// A token of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: TokenKind,
    pub text: &'a str,
    /// The offset in the template, in bytes.
    pub at: usize,
    /// No white space is before the token.
    pub is_joined: bool,
}

/// The text of an error and its offset in bytes.
pub type SyntaxError = (String, usize);

/// The tokens of all actions.
///
/// # Errors
/// In the words of Go's lexer: `unclosed action`, `unterminated quoted string`, …
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), parens: 0, is_joined: false };
    while let Some(open) = lexer.rest().find("{{") {
        lexer.at += open;
        let inside = lexer.rest().strip_prefix("{{").unwrap_or_default();
        let trimmed = inside.strip_prefix('-').filter(|rest| rest.starts_with(is_space));
        if trimmed.unwrap_or(inside).trim_start_matches(trims(trimmed)).starts_with("/*") {
            lexer.comment()?;
        } else {
            lexer.push(TokenKind::Open, 2);
            lexer.at += usize::from(trimmed.is_some());
            while lexer.token()? {}
        }
    }
    Ok(lexer.tokens)
}

/// The characters that may be before a comment: white space after a `-`, otherwise none.
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

    fn fail<T>(&self, what: impl Into<String>) -> Result<T, SyntaxError> {
        Err((what.into(), self.at))
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        let text = &self.rest()[..length];
        self.tokens.push(Token { kind, text, at: self.at, is_joined: self.is_joined });
        self.at += length;
        self.is_joined = true;
    }

    fn comment(&mut self) -> Result<(), SyntaxError> {
        let Some(end) = self.rest().find("*/") else {
            return self.fail("unclosed comment");
        };
        self.at += end + 2;
        let rest = self.rest();
        let close = rest.strip_prefix("}}").or_else(|| {
            let trimmed = rest.strip_prefix(is_space)?.trim_start_matches(is_space);
            trimmed.strip_prefix("-}}")
        });
        match close {
            Some(close) => self.at = self.text.len() - close.len(),
            None => return self.fail("comment ends before closing delimiter"),
        }
        Ok(())
    }

    /// Reads the next token of an action. Returns false at the end of the action.
    fn token(&mut self) -> Result<bool, SyntaxError> {
        let rest = self.rest();
        let trimmed = rest.trim_start_matches(is_space);
        let closes_trimmed = trimmed.len() < rest.len() && trimmed.starts_with("-}}");
        if trimmed.len() < rest.len() {
            self.is_joined = false;
            self.at = self.text.len() - trimmed.len() + usize::from(closes_trimmed);
        }
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return self.fail("unclosed action");
        };
        if rest.starts_with("}}") {
            if self.parens > 0 {
                return self.fail("unclosed left paren");
            }
            self.push(TokenKind::Close, 2);
            self.is_joined = false;
            return Ok(false);
        }
        let second = rest[first.len_utf8()..].chars().next();
        match first {
            '"' => self.quoted('"', "unterminated quoted string")?,
            '\'' => self.quoted('\'', "unterminated character constant")?,
            '`' => match rest[1..].find('`') {
                Some(end) => self.push(TokenKind::Literal, end + 2),
                None => return self.fail("unterminated raw quoted string"),
            },
            '.' if !second.is_some_and(|c| c.is_ascii_digit()) => {
                let is_name = second.is_some_and(is_alphanumeric);
                self.name(if is_name { TokenKind::Field } else { TokenKind::Dot })?;
            }
            '$' => self.name(TokenKind::Variable)?,
            '.' | '+' | '-' | '0'..='9' => self.number(),
            c if is_alphanumeric(c) => self.name(TokenKind::Name)?,
            '(' if self.parens >= MAX_DEPTH => {
                return self.fail("parentheses are nested too deeply");
            }
            '(' => {
                self.parens += 1;
                self.push(TokenKind::Mark, 1);
            }
            ')' if self.parens == 0 => return self.fail("unexpected right paren"),
            ')' => {
                self.parens -= 1;
                self.push(TokenKind::Mark, 1);
            }
            '|' | ',' | '=' => self.push(TokenKind::Mark, 1),
            ':' if second == Some('=') => self.push(TokenKind::Mark, 2),
            ':' => return self.fail("expected :="),
            c if c.is_ascii_graphic() => self.push(TokenKind::Other, 1),
            c => {
                return self.fail(format!(
                    "unrecognized character in action: {}",
                    crate::text::go::format_code_point(c)
                ));
            }
        }
        Ok(true)
    }

    fn quoted(&mut self, quote: char, unterminated: &str) -> Result<(), SyntaxError> {
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '\n' => break,
                '\\' if characters.next().is_none_or(|(_, escaped)| escaped == '\n') => break,
                end if end == quote => {
                    self.push(TokenKind::Literal, at + 1);
                    return Ok(());
                }
                _ => {}
            }
        }
        self.fail(unterminated)
    }

    /// Reads a name. Its first character may be any.
    fn name(&mut self, kind: TokenKind) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let length = match rest.char_indices().skip(1).find(|(_, c)| !is_alphanumeric(*c)) {
            Some((length, _)) => length,
            None => rest.len(),
        };
        let after = &rest[length..];
        match after.chars().next() {
            Some(c) if !is_space(c) && !".,|:)(".contains(c) && !after.starts_with("}}") => {
                self.fail(format!("bad character {}", crate::text::go::format_code_point(c)))
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
        self.push(TokenKind::Literal, length);
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}
