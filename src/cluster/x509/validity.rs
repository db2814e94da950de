//! The dates of a certificate.

use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use super::der::{GENERALIZED_TIME, Reader, UTC_TIME};
use super::malformed::Malformed;

/// The first and the last second in which a certificate is valid.
#[derive(Debug, Clone, Copy)]
pub struct Validity {
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// Reads the content of a Validity.
    ///
    /// # Errors
    /// A date is missing or does not exist.
    pub fn parse(der: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(der);
        Ok(Self { not_before: date(&mut reader)?, not_after: date(&mut reader)? })
    }
}

fn date(reader: &mut Reader<'_>) -> Result<OffsetDateTime, Malformed> {
    let element = reader.any().ok_or("unsupported time format")?;
    match element.tag {
        UTC_TIME => Ok(parse(element.content, 2).ok_or("malformed UTCTime")?),
        GENERALIZED_TIME => Ok(parse(element.content, 4).ok_or("malformed GeneralizedTime")?),
        _ => Err("unsupported time format".into()),
    }
}

/// `YYMMDDhhmmssZ`, or with four digits of the year. As in Go, the zone may be `+hhmm`, and a
/// UTCTime may have no seconds. Its two digits stand for 1950 to 2049.
fn parse(text: &[u8], year_digits: usize) -> Option<OffsetDateTime> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, zone) = text.split_at(digits);
    let (year, rest) = digits.split_at_checked(year_digits)?;
    let mut pairs = rest.chunks(2).map(number);
    let mut next = || pairs.next().flatten();
    let (month, day, hour, minute) = (next()?, next()?, next()?, next()?);
    let second = match rest.len() {
        8 if year_digits == 2 => 0,
        10 => next()?,
        _ => return None,
    };
    let year = match (i32::try_from(number(year)?).ok()?, year_digits) {
        (year @ 50.., 2) => 1900 + year,
        (year, 2) => 2000 + year,
        (year, _) => year,
    };
    let byte = |number: u32| u8::try_from(number).ok();
    let date = Date::from_calendar_date(year, byte(month)?.try_into().ok()?, byte(day)?).ok()?;
    let time = Time::from_hms(byte(hour)?, byte(minute)?, byte(second)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_offset(offset(zone)?))
}

fn offset(zone: &[u8]) -> Option<UtcOffset> {
    match zone {
        [b'Z'] => Some(UtcOffset::UTC),
        [sign @ (b'+' | b'-'), hours @ .., _, _] if hours.len() == 2 => {
            let hours = i8::try_from(number(hours)?).ok()?;
            let minutes = i8::try_from(number(&zone[3..])?).ok()?;
            let sign = if *sign == b'-' { -1 } else { 1 };
            // Go formats the date again, and refuses it if the text differs. It formats +0000 as Z.
            let is_own_form = (hours, minutes) != (0, 0);
            is_own_form.then(|| UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()).flatten()
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, byte| Some(sum * 10 + char::from(*byte).to_digit(10)?))
}

#[cfg(test)]
mod tests {
    use time::format_description::well_known::Rfc3339;

    use super::*;

    #[test]
    fn dates_are_read_as_in_go() {
        for (text, digits, expected) in [
            ("260102030405Z", 2, Some("2026-01-02T03:04:05Z")),
            ("500101000000Z", 2, Some("1950-01-01T00:00:00Z")),
            ("491231235959Z", 2, Some("2049-12-31T23:59:59Z")),
            ("2601020304Z", 2, Some("2026-01-02T03:04:00Z")),
            ("260102030405+0130", 2, Some("2026-01-02T03:04:05+01:30")),
            ("20260102030405Z", 4, Some("2026-01-02T03:04:05Z")),
            ("99991231235959Z", 4, Some("9999-12-31T23:59:59Z")),
            ("260102030405", 2, None),
            ("260102030405+0000", 2, None),
            ("260230030405Z", 2, None),
            ("261302030405Z", 2, None),
            ("260102240000Z", 2, None),
            ("202601020304Z", 4, None),
            ("20260102030405.1Z", 4, None),
            ("", 2, None),
        ] {
            let date = parse(text.as_bytes(), digits).map(|date| date.format(&Rfc3339).unwrap());
            assert_eq!(date.as_deref(), expected, "{text}");
        }
    }
}
