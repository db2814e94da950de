//! Locust's pages: what programs look at in them, and for people a small one.

use serde_json::Value;

const PAGE: &str = include_str!("page.html");

/// Locust's answer to a path that it does not know.
pub(super) const NOT_FOUND: &str = "<!doctype html>\n<html lang=\"en\">\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n";

/// Locust's answer to a method that a path does not take.
pub(super) const NOT_ALLOWED: &str = "<!doctype html>\n<html lang=\"en\">\n<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>\n<p>The method is not allowed for the requested URL.</p>\n";

/// The page with the state in it; for people, as much as is needed to start a test and to see what
/// becomes of it.
pub(super) fn html(template_args: &Value) -> String {
    // As Flask's `tojson`: what could end the script is escaped.
    let args = template_args.to_string().replace('<', "\\u003c").replace('>', "\\u003e");
    PAGE.replacen("{args}", &args, 1)
}
