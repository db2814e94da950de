//! Finds the end of a JSON value in a stream of values, with the errors of Go's `encoding/json`.

use crate::text::go;

/// Maximum nesting depth. Go allows 10,000, but this recursion would need too much stack.
const MAX_DEPTH: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// Go's `SyntaxError`. `offset` counts the bytes up to and including the invalid byte.
    Syntax { offset: usize, text: String },
    /// The text ends within a value.
    UnexpectedEof,
}

/// The end of the value that begins at `from`. Only the syntax is checked.
pub(super) fn end_of_value(text: &str, from: usize) -> Result<usize, Problem> {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: from };
    scanner.value(0)?;
    Ok(scanner.at)
}

/// The index of the first byte at or after `from` that is not JSON whitespace.
pub(super) fn skip_space(text: &str, from: usize) -> usize {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    from + text.as_bytes()[from..].iter().take_while(|byte| is_space(byte)).count()
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Result<u8, Problem> {
        self.bytes.get(self.at).copied().ok_or(Problem::UnexpectedEof)
    }

    fn space(&mut self) {
        while self.bytes.get(self.at).is_some_and(|byte| b" \t\r\n".contains(byte)) {
            self.at += 1;
        }
    }

    /// The error for a byte that is not allowed here.
    fn invalid<T>(&self, context: &str) -> Result<T, Problem> {
        let shown = match self.peek()? {
            b'\'' => r"'\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            // As in Go, the byte is shown as a Latin-1 character, even inside a UTF-8 sequence.
            byte => format!("'{}'", go::quote(&char::from(byte).to_string()).trim_matches('"')),
        };
        let text = format!("invalid character {shown} {context}");
        Err(Problem::Syntax { offset: self.at + 1, text })
    }

    fn value(&mut self, depth: usize) -> Result<(), Problem> {
        if depth > MAX_DEPTH {
            let text = "exceeded max depth".to_owned();
            return Err(Problem::Syntax { offset: self.at, text });
        }
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.invalid("looking for beginning of value"),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Problem> {
        self.at += 1;
        self.space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek()? != b'"' {
                return self.invalid("looking for beginning of object key string");
            }
            self.string()?;
            self.space();
            if self.peek()? != b':' {
                return self.invalid("after object key");
            }
            self.at += 1;
            self.space();
            self.value(depth + 1)?;
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.invalid("after object key:value pair"),
            }
            self.space();
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), Problem> {
        self.at += 1;
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.invalid("after array element"),
            }
            self.space();
        }
    }

    fn string(&mut self) -> Result<(), Problem> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => self.escape()?,
                0..0x20 => return self.invalid("in string literal"),
                _ => self.at += 1,
            }
        }
    }

    /// Reads an escape. Go's error shows the whole escape and has the offset of its end.
    fn escape(&mut self) -> Result<(), Problem> {
        let start = self.at;
        self.at += 1;
        let is_valid = match self.peek()? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => true,
            b'u' => {
                for _ in 0..4 {
                    self.at += 1;
                    self.peek()?;
                }
                self.bytes[start + 2..=self.at].iter().all(u8::is_ascii_hexdigit)
            }
            _ => false,
        };
        self.at += 1;
        if is_valid {
            return Ok(());
        }
        let escape = String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned();
        let text = format!("invalid escape sequence `{escape}` in string");
        Err(Problem::Syntax { offset: self.at, text })
    }

    fn number(&mut self) -> Result<(), Problem> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            _ => self.digits("in numeric literal")?,
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek()?, b'+' | b'-') {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    /// Reads one or more digits.
    fn digits(&mut self, context: &str) -> Result<(), Problem> {
        if !self.peek()?.is_ascii_digit() {
            return self.invalid(context);
        }
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Result<(), Problem> {
        for expected in word.bytes() {
            if self.peek()? != expected {
                let expected = char::from(expected);
                return self.invalid(&format!("in literal {word} (expecting '{expected}')"));
            }
            self.at += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_at_the_same_byte_as_in_go() {
        for (text, end) in [
            (r#"{"a": [1, -0.5e+3, true, null, "x\"\u00e9"]} x"#, 44),
            ("12 13", 2),
            ("[]]", 2),
            ("01", 1),
            ("{ }", 3),
        ] {
            assert_eq!(end_of_value(text, 0), Ok(end), "{text}");
        }
    }

    #[test]
    fn syntax_errors_equal_those_of_go() {
        for (text, offset, problem) in [
            ("{{", 2, "invalid character '{' looking for beginning of object key string"),
            (r#"{"a" 1}"#, 6, "invalid character '1' after object key"),
            (r#"{"a":1 "#, 0, ""),
            (r#"{"a":1 "b":2}"#, 8, "invalid character '\"' after object key:value pair"),
            ("[1 2]", 4, "invalid character '2' after array element"),
            ("[1,]", 4, "invalid character ']' looking for beginning of value"),
            ("'", 1, r"invalid character '\'' looking for beginning of value"),
            ("foo", 2, "invalid character 'o' in literal false (expecting 'a')"),
            ("\"a\nb\"", 3, r"invalid character '\n' in string literal"),
            (r#""\q""#, 3, r"invalid escape sequence `\q` in string"),
            (r#""\u00g0""#, 7, r"invalid escape sequence `\u00g0` in string"),
            ("-x", 2, "invalid character 'x' in numeric literal"),
            ("1.x", 3, "invalid character 'x' after decimal point in numeric literal"),
            ("1e+x", 4, "invalid character 'x' in exponent of numeric literal"),
            ("", 0, ""),
            ("é", 1, "invalid character 'Ã' looking for beginning of value"),
        ] {
            let expected = match problem {
                "" => Problem::UnexpectedEof,
                problem => Problem::Syntax { offset, text: problem.to_owned() },
            };
            assert_eq!(end_of_value(text, 0), Err(expected), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(matches!(end_of_value(&deep, 0), Err(Problem::Syntax { .. })));
    }
}
