//! What comes from outside must not drive the terminal.

/// The text with control and direction characters shown as escapes; line breaks and tabs stay.
pub fn printable(text: &str) -> String {
    let is_harmful = |c: char| {
        c.is_control() && !matches!(c, '\n' | '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_harmful) {
        return text.to_owned();
    }
    let escape = |c: char| match is_harmful(c) {
        true => c.escape_unicode().to_string(),
        false => c.to_string(),
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_are_shown_as_escapes() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\td\r\n"), "a\\u{1b}[2Jb\\u{202e}c\td\\u{d}\n");
        assert_eq!(printable("größer → 日本"), "größer → 日本");
    }
}
