//! What serve says of itself on stderr, and who changed what: one line each, with the time.

use std::net::IpAddr;

use time::OffsetDateTime;
use time::macros::format_description;

use crate::text::terminal::say;

/// Now, RFC 3339 in UTC, to the second.
pub fn now() -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    OffsetDateTime::now_utc().format(form).unwrap_or_default()
}

/// A line of the log.
pub fn log(text: &str) {
    say(&format!("{} {}", now(), text.replace('\n', " ")));
}

/// Stands for the client's address where nobody asked.
pub const AUTOMATIC: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// A change, or a refusal.
#[derive(Debug, Clone, Copy)]
pub struct Audit<'a> {
    /// As far as is known.
    pub who: &'a str,
    /// The client's address, or the proxy's.
    pub from: IpAddr,
    /// `scale`, `login`, or method and path of what was refused.
    pub action: &'a str,
    /// The count before.
    pub old: Option<i64>,
    /// The count that was asked for.
    pub new: Option<i64>,
    /// `scaled`, `unchanged`, `failed`, `refused`, …
    pub outcome: &'a str,
    /// Why.
    pub detail: &'a str,
}

/// Writes the audit line.
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
    fn what_callers_send_cannot_forge_a_line() {
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
