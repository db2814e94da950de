//! Locust's pages: the data that programs read in them, and a small page for people.

use serde_json::Value;

const PAGE: &str = include_str!("page.html");

const REPORT: &str = include_str!("report.html");

/// Locust's answer to a path that it does not know.
pub(super) const NOT_FOUND: &str = "<!doctype html>\n<html lang=\"en\">\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n";

/// Locust's answer to a method that a path does not take.
pub(super) const NOT_ALLOWED: &str = "<!doctype html>\n<html lang=\"en\">\n<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>\n<p>The method is not allowed for the requested URL.</p>\n";

/// The page with the state in it. People can start a test there and follow it.
pub(super) fn html(template_args: &Value) -> String {
    with(PAGE, template_args)
}

/// The report of a test.
pub(super) fn report(template_args: &Value) -> String {
    with(REPORT, template_args)
}

fn with(page: &str, template_args: &Value) -> String {
    // As Flask's `tojson`: the characters that could end the script are escaped.
    let args = template_args.to_string().replace('<', "\\u003c").replace('>', "\\u003e");
    page.replacen("{args}", &args, 1)
}
