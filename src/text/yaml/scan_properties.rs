//! Directives, anchors, aliases and tags, as go-yaml 2 scans them (`scannerc.go`).

use super::scanner::{Scan, Scanner};
use super::token::TokenKind;

impl Scanner<'_> {
    /// `%YAML` or `%TAG`, with the rest of its line.
    pub(super) fn directive(&mut self) -> Scan<TokenKind> {
        self.cursor.skip(1);
        let mut name = String::new();
        self.word(&mut name);
        if name.is_empty() {
            return self.error("could not find expected directive name");
        }
        if !self.cursor.is_blank_or_end(0) {
            return self.error("found unexpected non-alphabetical character");
        }
        let directive = match name.as_str() {
            "YAML" => self.version()?,
            "TAG" => self.tag_directive()?,
            _ => return self.error("found unknown directive name"),
        };
        self.cursor.skip_blanks_and_comment();
        if !self.cursor.is_break_or_end() {
            return self.error("did not find expected comment or line break");
        }
        self.cursor.skip_break();
        Ok(directive)
    }

    fn version(&mut self) -> Scan<TokenKind> {
        self.skip_blanks();
        let major = self.version_number()?;
        if self.cursor.byte(0) != b'.' {
            return self.error("did not find expected digit or '.' character");
        }
        self.cursor.skip(1);
        Ok(TokenKind::VersionDirective { major, minor: self.version_number()? })
    }

    /// One or two digits.
    fn version_number(&mut self) -> Scan<u8> {
        let mut number = None;
        for length in 0.. {
            let digit = self.cursor.byte(0);
            if !digit.is_ascii_digit() {
                break;
            }
            if length == 2 {
                return self.error("found extremely long version number");
            }
            number = Some(number.unwrap_or(0) * 10 + (digit - b'0'));
            self.cursor.skip(1);
        }
        match number {
            Some(number) => Ok(number),
            None => self.error("did not find expected version number"),
        }
    }

    fn tag_directive(&mut self) -> Scan<TokenKind> {
        self.skip_blanks();
        let handle = self.tag_handle()?;
        if handle.len() > 1 && !handle.ends_with('!') {
            return self.error("did not find expected '!'");
        }
        if !self.cursor.is_blank(0) {
            return self.error("did not find expected whitespace");
        }
        self.skip_blanks();
        let mut prefix = String::new();
        self.tag_uri(&mut prefix, false)?;
        if !self.cursor.is_blank_or_end(0) {
            return self.error("did not find expected whitespace or line break");
        }
        Ok(TokenKind::TagDirective { handle, prefix })
    }

    /// The name of an anchor or alias, from its `&` or `*`.
    pub(super) fn anchor(&mut self) -> Scan<String> {
        self.cursor.skip(1);
        let mut name = String::new();
        self.word(&mut name);
        let is_end = self.cursor.is_blank_or_end(0)
            || matches!(self.cursor.byte(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        match name.is_empty() || !is_end {
            true => self.error("did not find expected alphabetic or numeric character"),
            false => Ok(name),
        }
    }

    /// `!suffix`, `!handle!suffix` or `!<uri>`.
    pub(super) fn tag(&mut self) -> Scan<TokenKind> {
        let (mut handle, mut suffix) = (String::new(), String::new());
        if self.cursor.starts_with("!<") {
            self.cursor.skip(2);
            self.tag_uri(&mut suffix, false)?;
            if self.cursor.byte(0) != b'>' {
                return self.error("did not find the expected '>'");
            }
            self.cursor.skip(1);
        } else {
            handle = self.tag_handle()?;
            if handle.len() > 1 && handle.ends_with('!') {
                self.tag_uri(&mut suffix, false)?;
            } else {
                suffix.push_str(&handle[1..]);
                self.tag_uri(&mut suffix, true)?;
                "!".clone_into(&mut handle);
                if suffix.is_empty() {
                    std::mem::swap(&mut handle, &mut suffix);
                }
            }
        }
        if !self.cursor.is_blank_or_end(0) {
            return self.error("did not find expected whitespace or line break");
        }
        Ok(TokenKind::Tag { handle, suffix })
    }

    /// `!`, `!word` or `!word!`.
    fn tag_handle(&mut self) -> Scan<String> {
        if self.cursor.byte(0) != b'!' {
            return self.error("did not find expected '!'");
        }
        let mut handle = String::new();
        self.cursor.read(&mut handle);
        self.word(&mut handle);
        if self.cursor.byte(0) == b'!' {
            self.cursor.read(&mut handle);
        }
        Ok(handle)
    }

    /// Appends the URI of a tag, without its escapes. It may be empty with `may_be_empty`.
    fn tag_uri(&mut self, uri: &mut String, may_be_empty: bool) -> Scan<()> {
        let mut is_empty = !may_be_empty;
        loop {
            match self.cursor.byte(0) {
                b'%' => uri.push(self.uri_escape()?),
                byte if self.cursor.is_word() || b";/?:@&=+$,.!~*'()[]".contains(&byte) => {
                    self.cursor.read(uri);
                }
                _ => break,
            }
            is_empty = false;
        }
        match is_empty {
            true => self.error("did not find expected tag URI"),
            false => Ok(()),
        }
    }

    /// One character in UTF-8, each byte escaped as `%xx`.
    fn uri_escape(&mut self) -> Scan<char> {
        let mut bytes = Vec::new();
        let mut width = 1;
        while bytes.len() < width {
            let digit = |at| char::from(self.cursor.byte(at)).to_digit(16);
            let (b'%', Some(high), Some(low)) = (self.cursor.byte(0), digit(1), digit(2)) else {
                return self.error("did not find URI escaped octet");
            };
            let byte = u8::try_from(high << 4 | low).unwrap_or_default();
            match (bytes.is_empty(), byte) {
                (true, 0x00..=0x7f) => width = 1,
                (true, 0xc0..=0xdf) => width = 2,
                (true, 0xe0..=0xef) => width = 3,
                (true, 0xf0..=0xf7) => width = 4,
                (true, _) => return self.error("found an incorrect leading UTF-8 octet"),
                (false, 0x80..=0xbf) => {}
                (false, _) => return self.error("found an incorrect trailing UTF-8 octet"),
            }
            bytes.push(byte);
            self.cursor.skip(3);
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn word(&mut self, into: &mut String) {
        while self.cursor.is_word() {
            self.cursor.read(into);
        }
    }

    fn skip_blanks(&mut self) {
        while self.cursor.is_blank(0) {
            self.cursor.skip(1);
        }
    }
}
