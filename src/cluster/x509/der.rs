//! DER (ITU-T X.690): definite lengths in their shortest form, and tags of one byte. The limits are
//! those of Go's `golang.org/x/crypto/cryptobyte`.
//!
//! The elements that are read stay slices of the input, because names and signed parts are compared
//! and hashed as they were sent.

/// Tags of the universal class.
pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;

/// The tag `[number]` of a primitive element, such as a kind of name.
pub const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag `[number]` of an element that contains others.
pub const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// The input that is not read yet. Each method returns `None` for input that is not DER, or is not
/// what the caller expects.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

/// One element.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    /// The element with its tag and length.
    pub whole: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub fn is_next(self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// The next element, whatever its tag is. Lengths have at most four bytes, and no byte more than
    /// they need.
    pub fn any(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        // A tag of several bytes. X.509 has none.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = bytes.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
                if bytes[0] == 0 || length < 0x80 {
                    return None;
                }
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let (whole, _) = self.0.split_at(self.0.len() - rest.len());
        self.0 = rest;
        Some(Element { tag, content, whole })
    }

    fn with_tag(&mut self, tag: u8) -> Option<Element<'a>> {
        self.is_next(tag).then(|| self.any()).flatten()
    }

    /// The content of the next element, which has this tag.
    pub fn content(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.with_tag(tag).map(|element| element.content)
    }

    /// The next element with its tag and length.
    pub fn whole(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.with_tag(tag).map(|element| element.whole)
    }

    /// The elements inside the next one.
    pub fn nested(&mut self, tag: u8) -> Option<Self> {
        self.content(tag).map(Self)
    }

    /// The content of the next element if it has this tag. The outer `None` stands for broken DER.
    pub fn optional(&mut self, tag: u8) -> Option<Option<&'a [u8]>> {
        match self.is_next(tag) {
            true => self.content(tag).map(Some),
            false => Some(None),
        }
    }

    /// The content of an INTEGER: two's complement, without needless leading bytes.
    pub fn integer(&mut self) -> Option<&'a [u8]> {
        self.content(INTEGER).filter(|content| is_number(content))
    }

    /// The magnitude of an INTEGER above zero, without leading zeros.
    pub fn positive(&mut self) -> Option<&'a [u8]> {
        self.integer().and_then(magnitude)
    }

    /// An INTEGER that is not negative and fits into 63 bits.
    pub fn small_integer(&mut self) -> Option<u64> {
        self.content(INTEGER).and_then(small_number)
    }

    pub fn boolean(&mut self) -> Option<bool> {
        match self.content(BOOLEAN)? {
            [0] => Some(false),
            [0xff] => Some(true),
            _ => None,
        }
    }

    /// The bytes of a BIT STRING, and the number of bits in them.
    pub fn bit_string(&mut self) -> Option<(&'a [u8], usize)> {
        let (&unused, bytes) = self.content(BIT_STRING)?.split_first()?;
        let last = bytes.last().copied().unwrap_or_default();
        let is_valid = match unused {
            0 => true,
            1..=7 => !bytes.is_empty() && last & ((1 << unused) - 1) == 0,
            _ => false,
        };
        is_valid.then(|| (bytes, bytes.len() * 8 - usize::from(unused)))
    }

    /// The content of a BIT STRING of whole bytes.
    pub fn bytes_of_bit_string(&mut self) -> Option<&'a [u8]> {
        let (bytes, bits) = self.bit_string()?;
        (bytes.len() * 8 == bits).then_some(bytes)
    }
}

/// Converts the content of an INTEGER to a number; `None` if it is negative or needs more than 63 bits.
/// The tag may have been another one.
pub fn small_number(content: &[u8]) -> Option<u64> {
    let is_small = is_number(content) && content.len() <= 8 && content[0] & 0x80 == 0;
    is_small.then(|| content.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
}

/// The magnitude of an INTEGER's content, without leading zeros; `None` if it is not above zero.
pub fn magnitude(content: &[u8]) -> Option<&[u8]> {
    match content {
        [0, magnitude @ ..] if !magnitude.is_empty() => Some(magnitude),
        [1..=0x7f, ..] => Some(content),
        _ => None,
    }
}

/// The length of a magnitude in bits.
pub fn bit_length(magnitude: &[u8]) -> usize {
    let zeros = magnitude.first().map_or(0, |first| first.leading_zeros() as usize);
    magnitude.len() * 8 - zeros
}

fn is_number(content: &[u8]) -> bool {
    match content {
        [] => false,
        [0, next, ..] => next & 0x80 != 0,
        [0xff, next, ..] => next & 0x80 == 0,
        _ => true,
    }
}

/// An element with this content.
pub fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
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
pub fn encode_positive(magnitude: &[u8]) -> Vec<u8> {
    match magnitude {
        [0x80..=0xff, ..] => encode(INTEGER, &[&[0], magnitude].concat()),
        _ => encode(INTEGER, magnitude),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_has_a_tag_a_length_and_a_content() {
        let mut reader = Reader::new(&[4, 2, 1, 2, 5, 0]);
        assert_eq!(reader.content(OCTET_STRING), Some(&[1, 2][..]));
        assert_eq!(reader.whole(NULL), Some(&[5, 0][..]));
        assert!(reader.is_empty());
    }

    #[test]
    fn what_der_forbids_is_refused() {
        let long = [&[4, 0x81, 0x80][..], &[0; 0x80]].concat();
        assert_eq!(Reader::new(&long).content(OCTET_STRING).map(<[u8]>::len), Some(0x80));
        for broken in [
            &[][..],
            &[4],
            &[4, 1],
            &[4, 0x80],
            &[4, 0x81],
            &[4, 0x81, 1, 0],
            &[4, 0x82, 0, 1, 0],
            &[4, 0x85, 1, 1, 1, 1, 1],
            &[0x1f, 1, 0],
        ] {
            assert!(Reader::new(broken).any().is_none(), "{broken:?}");
        }
    }

    #[test]
    fn numbers_have_one_form() {
        let read = |bytes: &[u8]| Reader::new(bytes).small_integer();
        assert_eq!(read(&[2, 1, 0]), Some(0));
        assert_eq!(read(&[2, 2, 0, 0x80]), Some(128));
        for wrong in [&[2, 0][..], &[2, 2, 0, 1], &[2, 1, 0xff], &[2, 2, 0xff, 0x80]] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
        assert_eq!(Reader::new(&[1, 1, 1]).boolean(), None);
        for wrong in [&[3, 0][..], &[3, 1, 1], &[3, 1, 8], &[3, 2, 8, 0], &[3, 2, 1, 0x81]] {
            assert_eq!(Reader::new(wrong).bit_string(), None, "{wrong:?}");
        }
        assert_eq!(Reader::new(&[3, 2, 7, 0x80]).bit_string(), Some((&[0x80][..], 1)));
        assert_eq!(Reader::new(&[3, 2, 7, 0x80]).bytes_of_bit_string(), None);
    }

    #[test]
    fn elements_of_every_length_are_read_back() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let content = vec![7; length];
            let encoded = encode(OCTET_STRING, &content);
            let mut reader = Reader::new(&encoded);
            assert_eq!(reader.content(SEQUENCE), None);
            assert_eq!(reader.content(OCTET_STRING), Some(&content[..]), "{length}");
            assert!(reader.is_empty());
            let mut cut = Reader::new(&encoded[..encoded.len() - 1]);
            assert_eq!(cut.content(OCTET_STRING), None, "{length}");
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
