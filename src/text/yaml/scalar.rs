//! The output of one string as YAML: the style that go-yaml asks for and its emitter allows,
//! and the folding of long lines.

use std::fmt::Write as _;

use super::implicit_type::is_plain_string;

/// The column after which a line is folded at the next space.
const WIDTH: usize = 80;

/// The position of a scalar.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    is_key: bool,
    /// The indentation of continued lines.
    indent: usize,
}

impl Position {
    /// A key before `:`, on one line.
    pub fn key() -> Self {
        Self { is_key: true, indent: 0 }
    }

    /// A value. Its further lines are indented by `indent`.
    pub fn value(indent: usize) -> Self {
        Self { is_key: false, indent }
    }
}

/// Appends `string` to the last line of `text`.
pub fn write(text: &mut String, string: &str, position: Position) {
    let allowed = Allowed::analyze(string);
    let wants_literal = string.contains('\n');
    if wants_literal && allowed.block && !position.is_key {
        return literal(text, string, position.indent);
    }
    let mut writer = Folding::new(text, position);
    if wants_literal || !is_plain_string(string) {
        writer.double_quoted(string);
    } else if allowed.plain {
        writer.plain(string);
    } else if allowed.single_quoted {
        writer.single_quoted(string);
    } else {
        writer.double_quoted(string);
    }
}

/// The styles in which go-yaml's emitter can write a string.
#[derive(Debug, Clone, Copy)]
struct Allowed {
    plain: bool,
    single_quoted: bool,
    block: bool,
}

impl Allowed {
    fn analyze(string: &str) -> Self {
        let characters: Vec<char> = string.chars().collect();
        let is_blank = |at: usize| {
            characters.get(at).is_none_or(|c| " \t\n\r\u{85}\u{2028}\u{2029}".contains(*c))
        };
        let indicators = string.starts_with("---")
            || string.starts_with("...")
            || characters.iter().enumerate().any(|(at, character)| match character {
                '#' => at == 0 || is_blank(at - 1),
                ':' => is_blank(at + 1),
                '?' | '-' => at == 0 && is_blank(1),
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
                | '@' | '`' => at == 0,
                _ => false,
            });
        let special = characters.iter().any(|character| !is_printable(*character));
        let pair =
            |first: char, second: char| characters.windows(2).any(|pair| pair == [first, second]);
        let (space_break, break_space) = (pair(' ', '\n'), pair('\n', ' '));
        let at_edge = |edge: Option<&char>| matches!(edge, Some(' ' | '\n'));
        let edges = at_edge(characters.first()) || at_edge(characters.last());
        let breaks = characters.contains(&'\n');
        Self {
            plain: !(indicators || special || edges || breaks),
            single_quoted: !(special || space_break || break_space),
            block: !(special || space_break || characters.last() == Some(&' ')),
        }
    }
}

/// True for a character that go-yaml prints unescaped: no tab, no control character, no byte order
/// mark. Unicode's own line breaks are escaped too: go-yaml prints them, but some readers treat
/// them as line breaks.
fn is_printable(character: char) -> bool {
    matches!(character,
        '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Writes the literal style: `|` with the indicators for line breaks at the end and a space at the
/// start.
fn literal(text: &mut String, string: &str, indent: usize) {
    text.push('|');
    if string.starts_with([' ', '\n']) {
        text.push('2');
    }
    match string.strip_suffix('\n') {
        None => text.push('-'),
        Some(rest) if rest.is_empty() || rest.ends_with('\n') => text.push('+'),
        Some(_) => {}
    }
    let body = string.strip_suffix('\n').unwrap_or(string);
    for line in body.split('\n') {
        text.push('\n');
        if !line.is_empty() {
            text.extend(std::iter::repeat_n(' ', indent));
            text.push_str(line);
        }
    }
}

/// Writes a scalar and folds long lines.
struct Folding<'a> {
    text: &'a mut String,
    column: usize,
    position: Position,
    after_space: bool,
}

impl<'a> Folding<'a> {
    fn new(text: &'a mut String, position: Position) -> Self {
        let line = text.rsplit('\n').next().unwrap_or_default();
        let column = line.chars().count();
        Self { text, column, position, after_space: false }
    }

    fn push(&mut self, character: char) {
        self.text.push(character);
        self.column += 1;
    }

    fn fold(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', self.position.indent));
        self.column = self.position.indent;
    }

    fn may_fold(&self) -> bool {
        !self.position.is_key && !self.after_space && self.column > WIDTH
    }

    fn plain(&mut self, string: &str) {
        let mut characters = string.chars().peekable();
        while let Some(character) = characters.next() {
            if character == ' ' && self.may_fold() && characters.peek() != Some(&' ') {
                self.fold();
            } else {
                self.push(character);
            }
            self.after_space = character == ' ';
        }
    }

    fn single_quoted(&mut self, string: &str) {
        self.push('\'');
        let mut characters = string.chars().enumerate().peekable();
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            let inside = at > 0 && next.is_some();
            if character == ' ' && self.may_fold() && inside && next != Some(' ') {
                self.fold();
            } else {
                if character == '\'' {
                    self.push('\'');
                }
                self.push(character);
            }
            self.after_space = character == ' ';
        }
        self.push('\'');
    }

    fn double_quoted(&mut self, string: &str) {
        self.push('"');
        let mut characters = string.chars().enumerate().peekable();
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            if character == ' ' && self.may_fold() && at > 0 && next.is_some() {
                self.fold();
                if next == Some(' ') {
                    self.push('\\');
                }
            } else {
                for escaped in escape(character).chars() {
                    self.push(escaped);
                }
            }
            self.after_space = character == ' ';
        }
        self.push('"');
    }
}

fn escape(character: char) -> String {
    let short = match character {
        '\0' => "\\0",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '\u{1b}' => "\\e",
        '\u{85}' => "\\N",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        '"' => "\\\"",
        '\\' => "\\\\",
        printable if is_printable(printable) => return printable.to_string(),
        other => {
            let mut escaped = String::new();
            let code = other as u32;
            // Writing to a String cannot fail.
            let _ = match code {
                0..=0xff => write!(escaped, "\\x{code:02X}"),
                0x100..=0xffff => write!(escaped, "\\u{code:04X}"),
                _ => write!(escaped, "\\U{code:08X}"),
            };
            return escaped;
        }
    };
    short.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(string: &str) -> String {
        let mut text = "key: ".to_owned();
        write(&mut text, string, Position::value(2));
        text.split_off(5)
    }

    #[test]
    fn strings_are_quoted_as_by_kubectl() {
        for (string, expected) in [
            ("locust", "locust"),
            ("", "\"\""),
            ("yes", "\"yes\""),
            ("null", "\"null\""),
            ("~", "\"~\""),
            ("3", "\"3\""),
            ("-1.5", "\"-1.5\""),
            ("1e5", "\"1e5\""),
            ("0x1f", "\"0x1f\""),
            ("1_000", "\"1_000\""),
            ("12:30", "\"12:30\""),
            ("2026-11-23T16:48:32Z", "\"2026-11-23T16:48:32Z\""),
            ("2026-11-23", "\"2026-11-23\""),
            ("<<", "<<"),
            ("1.2.3", "1.2.3"),
            ("a: b", "'a: b'"),
            ("a #b", "'a #b'"),
            ("a#b", "a#b"),
            ("it's", "it's"),
            ("'it'", "'''it'''"),
            ("25%", "25%"),
            ("%25", "'%25'"),
            ("- a", "'- a'"),
            ("-a", "-a"),
            (" a", "' a'"),
            ("a\tb", "\"a\\tb\""),
            ("\u{1b}[0m", "\"\\e[0m\""),
            ("a\u{2028}b", "\"a\\Lb\""),
            ("a\u{1f600}", "\"a\\U0001F600\""),
            ("a\nb", "|-\n  a\n  b"),
            ("a\n\nb\n", "|\n  a\n\n  b"),
            ("a\n\n", "|+\n  a\n"),
            (" a\nb", "|2-\n   a\n  b"),
            ("a \nb", "\"a \\nb\""),
        ] {
            assert_eq!(written(string), expected, "{string:?}");
        }
    }

    #[test]
    fn long_lines_are_folded_at_the_first_space_after_column_80() {
        let words = "word ".repeat(20);
        let lengths = |text: String| text.lines().map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(written(words.trim_end())), [79, 21]);
        assert_eq!(lengths(written(&format!("say: {}", words.trim_end()))), [80, 27]);
    }
}
