//! Strings in double or single quotes, with Go's escapes.

/// The value of a text with its quotes; `None` if an escape is invalid.
pub fn unquote(text: &str) -> Option<String> {
    let quote = text.chars().next()?;
    let mut rest = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        let mut push = |character: char| {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        };
        if character != '\\' {
            push(character);
            continue;
        }
        let escape = rest.chars().next()?;
        rest = &rest[escape.len_utf8()..];
        match escape {
            'a' => push('\u{7}'),
            'b' => push('\u{8}'),
            'f' => push('\u{c}'),
            'n' => push('\n'),
            'r' => push('\r'),
            't' => push('\t'),
            'v' => push('\u{b}'),
            '\\' => push('\\'),
            same if same == quote => push(same),
            'x' => bytes.push(u8::try_from(digits(&mut rest, 2, 16)?).ok()?),
            'u' => push(char::from_u32(digits(&mut rest, 4, 16)?)?),
            'U' => push(char::from_u32(digits(&mut rest, 8, 16)?)?),
            '0'..='7' => {
                let first = escape.to_digit(8)?;
                bytes.push(u8::try_from(first * 64 + digits(&mut rest, 2, 8)?).ok()?);
            }
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn digits(rest: &mut &str, count: usize, radix: u32) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(count)?;
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    *rest = after;
    u32::from_str_radix(digits, radix).ok()
}
