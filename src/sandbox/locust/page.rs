//! Locust's pages: the data in them that programs read, and a small page for people.

use serde_json::Value;

const PAGE: &str = include_str!("page.html");

const REPORT: &str = include_str!("report.html");

/// Locust's response to an unknown path.
pub(super) const NOT_FOUND: &str = "<!doctype html>\n<html lang=\"en\">\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n";

/// Locust's response to a wrong method.
pub(super) const NOT_ALLOWED: &str = "<!doctype html>\n<html lang=\"en\">\n<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>\n<p>The method is not allowed for the requested URL.</p>\n";

/// The bodies of the errors 404 and 405 in releases before 2.32.2, which send them with the status 500.
pub(super) const NOT_FOUND_AS_500: &str = "404 Not Found: The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.";
pub(super) const NOT_ALLOWED_AS_500: &str =
    "405 Method Not Allowed: The method is not allowed for the requested URL.";

/// The page with the state in it. It can start and show a test.
pub(super) fn html(template_args: &Value) -> String {
    with(PAGE, template_args)
}

pub(super) fn report(template_args: &Value) -> String {
    with(REPORT, template_args)
}

fn with(page: &str, template_args: &Value) -> String {
    // Escape the characters that could end the script, as Flask's `tojson` does.
    let args = template_args.to_string().replace('<', "\\u003c").replace('>', "\\u003e");
    page.replacen("{args}", &args, 1)
}
