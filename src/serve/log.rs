//! The log and the audit log on stderr: one line per event, with the time.

use std::net::IpAddr;

use time::OffsetDateTime;
use time::macros::format_description;

use crate::text::stderr;
use crate::text::terminal::say;

/// The current time, RFC 3339 in UTC, in seconds.
pub fn now() -> String {
    rfc3339(OffsetDateTime::now_utc())
}

/// A time in UTC as RFC 3339, in seconds.
pub fn rfc3339(time: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    time.format(form).unwrap_or_default()
}

/// The current time, in seconds since 1970.
pub fn seconds_now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

/// Lets a thread write stderr from now on, so that no request waits for the reader of the log.
///
/// # Errors
/// The system refuses the thread.
pub fn write_in_background() -> std::io::Result<()> {
    stderr::write_in_background(|count| {
        let lines = if count == 1 { "line is" } else { "lines are" };
        format!("{} {count} {lines} missing here, because stderr was not read in time", now())
    })
}

/// Writes a line to the log.
pub fn log(text: &str) {
    say(&format!("{} {}", now(), text.replace('\n', " ")));
}

/// The address in audit lines of automatic actions.
pub const NO_ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// An audit line: a change, a login, or a refusal.
#[derive(Debug, Clone, Copy)]
pub struct Audit<'a> {
    /// The user, if known.
    pub who: &'a str,
    /// The address of the client.
    pub from: IpAddr,
    /// `scale`, `login`, …, or the method and the path of a refused request.
    pub action: &'a str,
    /// The count before.
    pub old: Option<i64>,
    /// The requested count.
    pub new: Option<i64>,
    /// `scaled`, `unchanged`, `failed`, `refused`, …
    pub outcome: &'a str,
    /// The reason; may be empty.
    pub detail: &'a str,
}

/// Writes an audit line.
pub fn audit(audit: &Audit<'_>) {
    log(&line(audit));
}

fn line(audit: &Audit<'_>) -> String {
    let Audit { who, from, action, old, new, outcome, detail } = audit;
    let count = |count: &Option<i64>| count.map_or_else(|| "-".to_owned(), |c| c.to_string());
    let (old, new) = (count(old), count(new));
    let mut text = format!(
        "audit who={who:?} from={from} action={action:?} old={old} new={new} outcome={outcome}"
    );
    if !detail.is_empty() {
        text.push_str(&format!(" detail={detail:?}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_from_callers_cannot_forge_a_log_line() {
        let text = line(&Audit {
            who: "a\" outcome=scaled\n2026",
            from: [127, 0, 0, 1].into(),
            action: "scale",
            old: Some(1),
            new: None,
            outcome: "refused",
            detail: "",
        });
        assert_eq!(
            text,
            r#"audit who="a\" outcome=scaled\n2026" from=127.0.0.1 action="scale" old=1 new=- outcome=refused"#
        );
    }
}
