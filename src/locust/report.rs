//! `GET /stats/report`: a page of about 1 MB, from which only the start of the statistics is read.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::page::object;

/// When the statistics began, in full seconds; `None` where the report does not tell.
pub fn start_time(html: &str) -> Option<OffsetDateTime> {
    // The values are behind Locust's scripts, which may have the name as well.
    let (_, rest) = html.rsplit_once("window.templateArgs = ")?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let args = object(values.next()?.ok()?)?;
    OffsetDateTime::parse(args["start_time"].as_str()?, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_start_is_read_out_of_the_report() {
        let html = "<script>let a = 'window.templateArgs = x'</script><script>window.templateArgs = \
            {\"is_report\": true, \"start_time\": \"2026-11-26T15:58:53Z\"}</script>";
        assert_eq!(start_time(html), Some(datetime!(2026-11-26 15:58:53 UTC)));
        for hostile in ["", "window.templateArgs = []", "window.templateArgs = {\"start_time\": 3}"]
        {
            assert_eq!(start_time(hostile), None, "{hostile}");
        }
    }
}
