//! Text as Go's `strconv.Quote` and `%#U` show it.

/// `strconv.Quote`: the text in double quotes, with escapes.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            c if (c as u32) < 0x20 || c == '\u{7f}' => {
                quoted.push_str(&format!("\\x{:02x}", c as u32));
            }
            c if is_printable(c) => quoted.push(c),
            c if (c as u32) < 0x10000 => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    quoted.push('"');
    quoted
}

/// `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII space.
pub fn is_printable(character: char) -> bool {
    // Rust's `escape_debug` uses the same Unicode categories. It also escapes a combining mark at the
    // start of a text, so we put an `a` before it.
    matches!(character, '"' | '\'' | '\\')
        || !format!("a{character}").escape_debug().any(|escaped| escaped == '\\')
}

/// Formats a character as Go's `%#U` does: `U+007E '~'`.
pub fn format_code_point(character: char) -> String {
    let code = character as u32;
    match is_printable(character) {
        true => format!("U+{code:04X} '{character}'"),
        false => format!("U+{code:04X}"),
    }
}
