//! Distinguished names: the issuer and the subject of a certificate.

use super::der::{OBJECT_IDENTIFIER, Reader, SEQUENCE, SET};
use super::malformed::Malformed;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];

/// The parts of a name that appear in messages.
#[derive(Debug, Default)]
pub struct DistinguishedName {
    /// The last common name; empty if there is none.
    pub common_name: String,
    /// The first organization; empty if there is none.
    pub organization: String,
}

impl DistinguishedName {
    /// Reads a name with its tag and length, by the rules of Go's `parseName`.
    ///
    /// # Errors
    /// It is not a name, or a value has characters that its type forbids.
    pub fn parse(der: &[u8]) -> Result<Self, Malformed> {
        let mut name = Self::default();
        let mut sets = Reader::new(der).nested(SEQUENCE).ok_or("invalid RDNSequence")?;
        while !sets.is_empty() {
            let mut attributes = sets.nested(SET).ok_or("invalid RDNSequence")?;
            while !attributes.is_empty() {
                let mut attribute =
                    attributes.nested(SEQUENCE).ok_or("invalid RDNSequence: invalid attribute")?;
                let kind = attribute
                    .content(OBJECT_IDENTIFIER)
                    .ok_or("invalid RDNSequence: invalid attribute type")?;
                let value =
                    attribute.any().ok_or("invalid RDNSequence: invalid attribute value")?;
                let text = string(value.tag, value.content).map_err(|problem| {
                    format!("invalid RDNSequence: invalid attribute value: {problem}")
                })?;
                match kind {
                    COMMON_NAME => name.common_name = text,
                    ORGANIZATION if name.organization.is_empty() => name.organization = text,
                    _ => {}
                }
            }
        }
        Ok(name)
    }
}

/// A string of any of the types in names, by the rules of Go's `parseASN1String`.
fn string(tag: u8, value: &[u8]) -> Result<String, &'static str> {
    let ascii = |is_allowed: fn(u8) -> bool, problem| match value.iter().all(|b| is_allowed(*b)) {
        true => Ok(value.iter().map(|byte| char::from(*byte)).collect()),
        false => Err(problem),
    };
    match tag {
        // UTF8String
        0x0c => str::from_utf8(value).map(str::to_owned).map_err(|_| "invalid UTF-8 string"),
        // NumericString
        0x12 => ascii(|byte| byte.is_ascii_digit() || byte == b' ', "invalid NumericString"),
        // PrintableString. `*` and `&` are common, although the standard forbids them.
        0x13 => ascii(
            |byte| byte.is_ascii_alphanumeric() || b"'()+,-./ :=?*&".contains(&byte),
            "invalid PrintableString",
        ),
        // T61String, which is in practice Latin-1
        0x14 => Ok(value.iter().map(|byte| char::from(*byte)).collect()),
        // IA5String
        0x16 => ascii(|byte| byte.is_ascii(), "invalid IA5String"),
        // BMPString: UTF-16 without surrogates
        0x1e => {
            let units: Vec<u16> = value
                .chunks(2)
                .filter_map(|pair| pair.try_into().ok())
                .map(u16::from_be_bytes)
                .collect();
            let text = String::from_utf16(&units).map_err(|_| "invalid BMPString")?;
            match value.len() % 2 {
                0 => Ok(text.trim_end_matches('\0').to_owned()),
                _ => Err("invalid BMPString"),
            }
        }
        _ => Err("unsupported string type"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_the_characters_of_its_type() {
        for (tag, value, expected) in [
            (0x0c, &b"caf\xc3\xa9"[..], Ok("café")),
            (0x0c, b"\xff", Err("invalid UTF-8 string")),
            (0x12, b"12 3", Ok("12 3")),
            (0x12, b"a", Err("invalid NumericString")),
            (0x13, b"*.a & b", Ok("*.a & b")),
            (0x13, b"a_b", Err("invalid PrintableString")),
            (0x14, b"\xe9", Ok("é")),
            (0x16, b"\x80", Err("invalid IA5String")),
            (0x1e, b"\0a\0b\0\0", Ok("ab")),
            (0x1e, b"\0a\0", Err("invalid BMPString")),
            (0x1e, b"\xd8\0", Err("invalid BMPString")),
            (0x1b, b"a", Err("unsupported string type")),
        ] {
            assert_eq!(string(tag, value), expected.map(str::to_owned), "{tag:#x} {value:?}");
        }
    }
}
