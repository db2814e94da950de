//! `GET /stats/report`: a page of about 1 MB. Only the start of the statistics is read from it.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::json::first_object;

#[derive(Deserialize)]
struct Report {
    start_time: String,
}

/// The start of the statistics, in full seconds; `None` if the report does not have it.
pub fn start_time(html: &str) -> Option<OffsetDateTime> {
    // The values follow Locust's scripts, which may have the same name.
    let (_, rest) = html.rsplit_once("window.templateArgs = ")?;
    let Report { start_time } = first_object(rest.as_bytes())?;
    OffsetDateTime::parse(&start_time, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_start_is_read_from_the_report() {
        let html = "<script>let a = 'window.templateArgs = x'</script><script>window.templateArgs = \
            {\"is_report\": true, \"start_time\": \"2026-11-26T15:58:53Z\"}</script>";
        assert_eq!(start_time(html), Some(datetime!(2026-11-26 15:58:53 UTC)));
        for hostile in ["", "window.templateArgs = []", "window.templateArgs = {\"start_time\": 3}"]
        {
            assert_eq!(start_time(hostile), None, "{hostile}");
        }
    }
}
