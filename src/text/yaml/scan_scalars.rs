//! Scalars: block, quoted and plain, as go-yaml 2 scans them (`scannerc.go`).

use super::scanner::{Scan, Scanner};

/// The line breaks at the end of a block scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

/// White space inside a scalar. It is kept or folded only if more text follows.
#[derive(Debug, Default)]
struct Space {
    blanks: String,
    /// True after a line break.
    is_broken: bool,
    first_break: String,
    other_breaks: String,
}

impl Space {
    fn is_empty(&self) -> bool {
        !self.is_broken && self.blanks.is_empty()
    }

    /// Appends the space to `text`. A single line break becomes a space, and the first of several
    /// is left out. After an escaped line break, there is no first one.
    fn fold_into(&mut self, text: &mut String) {
        if !self.is_broken {
            text.push_str(&self.blanks);
        } else if !self.first_break.starts_with('\n') {
            text.push_str(&self.first_break);
            text.push_str(&self.other_breaks);
        } else if self.other_breaks.is_empty() {
            text.push(' ');
        } else {
            text.push_str(&self.other_breaks);
        }
        self.is_broken = false;
        self.blanks.clear();
        self.first_break.clear();
        self.other_breaks.clear();
    }
}

impl Scanner<'_> {
    /// A literal or folded scalar, from its `|` or `>`.
    pub(super) fn block_scalar(&mut self) -> Scan<String> {
        let is_literal = self.cursor.byte(0) == b'|';
        self.cursor.skip(1);
        let (chomping, increment) = self.block_header()?;
        let mut indent = match increment {
            0 => 0,
            _ => increment + usize::try_from(self.indent).unwrap_or(0),
        };
        let (mut text, mut first_break, mut other_breaks) =
            (String::new(), String::new(), String::new());
        self.block_breaks(&mut indent, &mut other_breaks)?;
        let mut after_blank = false;
        while self.cursor.column == indent && !self.cursor.is_end() {
            let is_blank = self.cursor.is_blank(0);
            let may_fold = !is_literal && !after_blank && !is_blank;
            if may_fold && first_break.starts_with('\n') {
                if other_breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(&first_break);
            }
            text.push_str(&other_breaks);
            first_break.clear();
            other_breaks.clear();
            after_blank = is_blank;
            while !self.cursor.is_break_or_end() {
                self.cursor.read_while(&mut text, |byte| matches!(byte, b' '..=b'~' | b'\t'));
                if !self.cursor.is_break_or_end() {
                    self.cursor.read(&mut text);
                }
            }
            self.cursor.read_break(&mut first_break);
            self.block_breaks(&mut indent, &mut other_breaks)?;
        }
        if chomping != Chomping::Strip {
            text.push_str(&first_break);
        }
        if chomping == Chomping::Keep {
            text.push_str(&other_breaks);
        }
        Ok(text)
    }

    /// The indicators after `|` or `>`, and the rest of the line. An indentation of 0 means that the
    /// text decides it.
    fn block_header(&mut self) -> Scan<(Chomping, usize)> {
        let mut chomping = Chomping::Clip;
        let mut increment = 0;
        for _ in 0..2 {
            match self.cursor.byte(0) {
                b'+' if chomping == Chomping::Clip => chomping = Chomping::Keep,
                b'-' if chomping == Chomping::Clip => chomping = Chomping::Strip,
                b'0' if increment == 0 => {
                    return self.error("found an indentation indicator equal to 0");
                }
                digit @ b'1'..=b'9' if increment == 0 => increment = usize::from(digit - b'0'),
                _ => break,
            }
            self.cursor.skip(1);
        }
        self.cursor.skip_blanks_and_comment();
        if !self.cursor.is_break_or_end() {
            return self.error("did not find expected comment or line break");
        }
        self.cursor.skip_break();
        Ok((chomping, increment))
    }

    /// The indentation and the empty lines before a line of a block scalar. Sets an `indent` of 0.
    fn block_breaks(&mut self, indent: &mut usize, breaks: &mut String) -> Scan<()> {
        let mut deepest = 0;
        loop {
            let is_inside = |column: usize| *indent == 0 || column < *indent;
            while is_inside(self.cursor.column) && self.cursor.byte(0) == b' ' {
                self.cursor.skip(1);
            }
            deepest = deepest.max(self.cursor.column);
            if is_inside(self.cursor.column) && self.cursor.byte(0) == b'\t' {
                return self.error("found a tab character where an indentation space is expected");
            }
            if !self.cursor.is_break(0) {
                break;
            }
            self.cursor.read_break(breaks);
        }
        if *indent == 0 {
            let least = usize::try_from(self.indent + 1).unwrap_or(0);
            *indent = deepest.max(least).max(1);
        }
        Ok(())
    }

    /// A scalar in quotes, from its left quote.
    pub(super) fn quoted(&mut self) -> Scan<String> {
        let quote = self.cursor.byte(0);
        let is_single = quote == b'\'';
        self.cursor.skip(1);
        let mut text = String::new();
        let mut space = Space::default();
        loop {
            if self.cursor.is_document_mark() {
                return self.error("found unexpected document indicator");
            }
            if self.cursor.is_end() {
                return self.error("found unexpected end of stream");
            }
            while !self.cursor.is_blank_or_end(0) {
                self.cursor.read_while(&mut text, |byte| {
                    matches!(byte, b'!'..=b'~') && !matches!(byte, b'\'' | b'"' | b'\\')
                });
                let byte = self.cursor.byte(0);
                if self.cursor.is_blank_or_end(0) {
                    break;
                } else if is_single && self.cursor.starts_with("''") {
                    text.push('\'');
                    self.cursor.skip(2);
                } else if byte == quote {
                    break;
                } else if !is_single && byte == b'\\' && self.cursor.is_break(1) {
                    self.cursor.skip(1);
                    self.cursor.skip_break();
                    space.is_broken = true;
                    break;
                } else if !is_single && byte == b'\\' {
                    text.push(self.escape()?);
                } else {
                    self.cursor.read(&mut text);
                }
            }
            if self.cursor.byte(0) == quote {
                self.cursor.skip(1);
                return Ok(text);
            }
            self.space(&mut space);
            space.fold_into(&mut text);
        }
    }

    /// The character of an escape sequence in double quotes, from its backslash.
    fn escape(&mut self) -> Scan<char> {
        let digits = match self.cursor.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            byte => {
                let Some(character) = short_escape(byte) else {
                    return self.error("found unknown escape character");
                };
                self.cursor.skip(2);
                return Ok(character);
            }
        };
        self.cursor.skip(2);
        let mut code: u32 = 0;
        for at in 0..digits {
            let Some(digit) = char::from(self.cursor.byte(at)).to_digit(16) else {
                return self.error("did not find expected hexdecimal number");
            };
            code = code << 4 | digit;
        }
        // Unlike in JSON, one half of a surrogate pair is an error, even if the other half follows.
        let Some(character) = char::from_u32(code) else {
            return self.error("found invalid Unicode character escape code");
        };
        self.cursor.skip(digits);
        Ok(character)
    }

    /// A scalar without quotes. It ends before `: `, before ` #`, and before an indicator in
    /// brackets.
    pub(super) fn plain(&mut self) -> Scan<String> {
        let least_column = usize::try_from(self.indent + 1).unwrap_or(0);
        let mut text = String::new();
        let mut space = Space::default();
        while !self.cursor.is_document_mark() && self.cursor.byte(0) != b'#' {
            while !self.cursor.is_blank_or_end(0) {
                let byte = self.cursor.byte(0);
                let is_indicator = matches!(byte, b',' | b'?' | b'[' | b']' | b'{' | b'}');
                let is_mapping = byte == b':' && self.cursor.is_blank_or_end(1);
                if is_mapping || self.in_flow() && is_indicator {
                    break;
                }
                if !space.is_empty() {
                    space.fold_into(&mut text);
                }
                self.cursor.read(&mut text);
                self.cursor.read_while(&mut text, |byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/' | b'_' | b'+')
                });
            }
            if !self.cursor.is_blank(0) && !self.cursor.is_break(0) {
                break;
            }
            if self.read_space_until_tab(&mut space, least_column) {
                return self.error("found a tab character that violates indentation");
            }
            if !self.in_flow() && self.cursor.column < least_column {
                break;
            }
        }
        if space.is_broken {
            self.is_simple_key_allowed = true;
        }
        Ok(text)
    }

    /// Reads blanks and line breaks. Stops and returns true at a tab left of `least_column`.
    fn read_space_until_tab(&mut self, space: &mut Space, least_column: usize) -> bool {
        loop {
            let is_left = space.is_broken && self.cursor.column < least_column;
            if is_left && self.cursor.byte(0) == b'\t' {
                return true;
            }
            if !self.one_space(space) {
                return false;
            }
        }
    }

    fn space(&mut self, space: &mut Space) {
        while self.one_space(space) {}
    }

    /// Reads one blank or line break, if there is one.
    fn one_space(&mut self, space: &mut Space) -> bool {
        if self.cursor.is_blank(0) {
            match space.is_broken {
                true => self.cursor.skip(1),
                false => self.cursor.read(&mut space.blanks),
            }
        } else if !self.cursor.is_break(0) {
            return false;
        } else if space.is_broken {
            self.cursor.read_break(&mut space.other_breaks);
        } else {
            space.blanks.clear();
            self.cursor.read_break(&mut space.first_break);
            space.is_broken = true;
        }
        true
    }
}

/// The character of an escape sequence of two characters. JSON's `\/` is not among them.
fn short_escape(byte: u8) -> Option<char> {
    Some(match byte {
        b'0' => '\0',
        b'a' => '\u{7}',
        b'b' => '\u{8}',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\u{b}',
        b'f' => '\u{c}',
        b'r' => '\r',
        b'e' => '\u{1b}',
        b' ' => ' ',
        b'"' => '"',
        b'\'' => '\'',
        b'\\' => '\\',
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
