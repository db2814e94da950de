//! Locust's pages, as far as programs look at them.

use serde_json::Value;

/// Locust's answer to a path that it does not know.
pub(super) const NOT_FOUND: &str = "<!doctype html>\n<html lang=\"en\">\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.</p>\n";

/// Locust's answer to a method that a path does not take.
pub(super) const NOT_ALLOWED: &str = "<!doctype html>\n<html lang=\"en\">\n<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>\n<p>The method is not allowed for the requested URL.</p>\n";

/// The page with the state in it.
pub(super) fn html(template_args: &Value) -> String {
    // As Flask's `tojson`: what could end the script is escaped.
    let args = template_args.to_string().replace('<', "\\u003c").replace('>', "\\u003e");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n  <head>\n    <meta charset=\"utf-8\"/>\n    \
         <title>Locust</title>\n  </head>\n  <body>\n    <div id=\"root\"></div>\n\n    <script>\n      \
         window.templateArgs = {args}\n    </script>\n  </body>\n</html>"
    )
}
