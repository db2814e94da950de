//! DER (ITU-T X.690): definite lengths in their shortest form, and tags of one byte.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// The bytes of a `NULL` element.
pub(super) const NULL: [u8; 2] = [0x05, 0x00];

/// The tag `[number]`, explicit or of a constructed type.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// Reads elements one after the other. A method that returns `None` has read nothing.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(der: &'a [u8]) -> Self {
        Self(der)
    }

    /// The bytes that are not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The content of the next element, if it has this tag.
    pub(super) fn content(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (content, rest) = element(self.0, tag)?;
        self.0 = rest;
        Some(content)
    }

    /// The elements in the next element, a SEQUENCE.
    pub(super) fn sequence(&mut self) -> Option<Self> {
        self.content(SEQUENCE).map(Self)
    }

    /// The content of the next element, an INTEGER in its shortest form.
    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        let (content, rest) = element(self.0, INTEGER)?;
        match content {
            [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => return None,
            _ => self.0 = rest,
        }
        Some(content)
    }

    /// The magnitude of the next element, an INTEGER above zero, without leading zeros.
    pub(super) fn positive(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let magnitude = match ahead.integer()? {
            [0] | [0x80..=0xff, ..] => return None,
            [0, magnitude @ ..] => magnitude,
            magnitude => magnitude,
        };
        *self = ahead;
        Some(magnitude)
    }
}

/// The content of the element at the start, and the bytes after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [found, length, rest @ ..] = der else { return None };
    if *found != tag {
        return None;
    }
    let (length, rest) = match *length {
        length @ 0..=0x7f => (usize::from(length), rest),
        digits @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(digits & 0x7f))?;
            let length =
                digits.iter().fold(0_usize, |length, &digit| length << 8 | usize::from(digit));
            if digits[0] == 0 || length <= 0x7f {
                return None;
            }
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// An element with this content.
pub(super) fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length @ 0..=0x7f) => element.push(length),
        _ => {
            let bytes = content.len().to_be_bytes();
            let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
            element.push(0x80 | (bytes.len() - zeros) as u8);
            element.extend_from_slice(&bytes[zeros..]);
        }
    }
    element.extend_from_slice(content);
    element
}

/// An INTEGER element of this magnitude, which has no leading zeros.
pub(super) fn encode_positive(magnitude: &[u8]) -> Vec<u8> {
    match magnitude {
        [0x80..=0xff, ..] => encode(INTEGER, &[&[0], magnitude].concat()),
        _ => encode(INTEGER, magnitude),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_every_length_are_read_back() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let content = vec![7; length];
            let encoded = encode(OCTET_STRING, &content);
            let mut reader = Reader::new(&encoded);
            assert_eq!(reader.content(SEQUENCE), None);
            assert_eq!(reader.content(OCTET_STRING), Some(&content[..]), "{length}");
            assert!(reader.rest().is_empty());
            let mut cut = Reader::new(&encoded[..encoded.len() - 1]);
            assert_eq!(cut.content(OCTET_STRING), None, "{length}");
        }
    }

    #[test]
    fn lengths_that_are_not_in_their_shortest_form_are_refused() {
        for der in [
            &b"\x04\x80\x00\x00"[..],
            b"\x04\x81\x01x",
            b"\x04\x82\x00\x80",
            b"\x04\x85\x01\x00\x00\x00\x00",
            b"\x04\xff",
            b"\x04",
            b"",
        ] {
            assert_eq!(Reader::new(der).content(OCTET_STRING), None, "{der:x?}");
        }
    }

    #[test]
    fn integers_are_in_their_shortest_form() {
        for (der, integer, positive) in [
            (&b"\x02\x01\x05"[..], Some(&b"\x05"[..]), Some(&b"\x05"[..])),
            (b"\x02\x02\x00\x80", Some(b"\x00\x80"), Some(b"\x80")),
            (b"\x02\x01\x00", Some(b"\x00"), None),
            (b"\x02\x01\x80", Some(b"\x80"), None),
            (b"\x02\x02\xff\x7f", Some(b"\xff\x7f"), None),
            (b"\x02\x02\x00\x7f", None, None),
            (b"\x02\x02\xff\x80", None, None),
            (b"\x02\x00", None, None),
        ] {
            assert_eq!(Reader::new(der).integer(), integer, "{der:x?}");
            assert_eq!(Reader::new(der).positive(), positive, "{der:x?}");
            if let Some(magnitude) = positive {
                assert_eq!(encode_positive(magnitude), der);
            }
        }
    }
}
