//! Redirects a browser that is not authenticated to the login form.

use axum::extract::Request;
use axum::http::Method;
use axum::http::header::ACCEPT;
use axum::response::Response;

use super::super::redirect::see_other;
use super::super::root::Root;

/// Longest address to continue with after the login, in bytes.
const MAX_NEXT: usize = 200;

/// The kind of address that a request without authentication asked for. `mount` is the path of the
/// server's own addresses, seen from the root.
#[derive(Debug, Clone, Copy)]
pub(super) enum RequestedAddress {
    /// One of the server's own addresses. The request's path is relative to `mount`.
    Own { mount: &'static str },
    /// One of Locust's addresses.
    Locust { mount: &'static str },
}

/// Redirects a browser to the login form; `None` for other clients. After a change, the form says
/// that the change was not made, and the login does not lead back to it.
pub(super) fn redirect(request: &Request, address: RequestedAddress) -> Option<Response> {
    let accept = request.headers().get(ACCEPT)?.to_str().ok()?;
    let path = request.uri().path_and_query()?.as_str().strip_prefix('/')?;
    let root = request.extensions().get::<Root>().copied().unwrap_or_default().0;
    let (form, next, is_lost) = match (address, request.method()) {
        (RequestedAddress::Locust { mount }, &Method::GET) => {
            (mount, next_address("", path, mount), false)
        }
        (RequestedAddress::Own { mount }, &Method::GET) => {
            (root, next_address(mount, path, mount), false)
        }
        (RequestedAddress::Own { mount }, &Method::POST) => (root, mount.to_owned(), true),
        _ => return None,
    };
    let depth = request.uri().path().matches('/').count().saturating_sub(1);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", &next);
    if is_lost {
        query.append_pair("lost", "1");
    }
    let to = format!("{}{form}login?{}", "../".repeat(depth), query.finish());
    accept.contains("text/html").then(|| see_other(&to))
}

/// The address to continue with after the login; `otherwise` if `path` leads to another server.
fn next_address(mount: &str, path: &str, otherwise: &str) -> String {
    if is_local(path) { format!("{mount}{path}") } else { otherwise.to_owned() }
}

/// True for a relative address below the page. Only characters that every browser reads in the same
/// way are allowed.
pub(super) fn is_local(next: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/?=&%".contains(&byte);
    next.len() <= MAX_NEXT
        && !next.starts_with('/')
        && !next.contains("//")
        && !next.contains("..")
        // Browsers read an escaped dot as a dot.
        && !next.to_ascii_lowercase().contains("%2e")
        && next.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::LOCATION;

    use super::*;

    #[test]
    fn the_login_redirects_only_to_this_server() {
        for (next, expected) in [
            ("", true),
            ("?done=3", true),
            ("rescale-form", true),
            ("api/scale?x=%20", true),
            ("/", false),
            ("//evil.example.com", false),
            ("/evil.example.com", false),
            ("https://evil.example.com", false),
            ("\\evil.example.com", false),
            ("javascript:alert(1)", false),
            ("x\r\nSet-Cookie:a=b", false),
            ("../x", false),
            ("a//b", false),
            ("%2e%2E/x", false),
            (".%2e/x", false),
        ] {
            assert_eq!(is_local(next), expected, "{next:?}");
        }
    }

    #[test]
    fn the_redirect_is_relative_to_the_requested_address() {
        let to = |uri: &str, accept: &'static str| {
            let request = Request::get(uri).header(ACCEPT, accept).body(Body::empty()).unwrap();
            redirect(&request, RequestedAddress::Own { mount: "" })
                .map(|response| response.headers()[LOCATION].to_str().unwrap().to_owned())
        };
        let html = "text/html,application/xhtml+xml";
        assert_eq!(to("/", html).as_deref(), Some("login?next="));
        assert_eq!(to("/?done=3", html).as_deref(), Some("login?next=%3Fdone%3D3"));
        assert_eq!(to("/api/scale", html).as_deref(), Some("../login?next=api%2Fscale"));
        assert_eq!(to("//evil.example.com", html).as_deref(), Some("../login?next="));
        assert_eq!(to("/", "application/json"), None);
    }

    #[test]
    fn with_locust_ui_the_form_is_found_from_all_pages() {
        let mount = "-/locustctl/";
        for (uri, address, expected) in [
            ("/", RequestedAddress::Locust { mount }, "-/locustctl/login?next="),
            (
                "/locust/?a=b",
                RequestedAddress::Locust { mount },
                "../-/locustctl/login?next=locust%2F%3Fa%3Db",
            ),
            ("/", RequestedAddress::Own { mount }, "login?next=-%2Flocustctl%2F"),
            ("/?done=3", RequestedAddress::Own { mount }, "login?next=-%2Flocustctl%2F%3Fdone%3D3"),
        ] {
            let request = Request::get(uri).header(ACCEPT, "text/html").body(Body::empty());
            let response = redirect(&request.unwrap(), address).unwrap();
            assert_eq!(response.headers()[LOCATION], expected, "{uri}");
        }
    }

    #[test]
    fn after_a_lost_change_the_form_says_that_it_was_not_made() {
        let to = |uri: &str, address, root: Option<Root>| {
            let mut request =
                Request::post(uri).header(ACCEPT, "text/html").body(Body::empty()).unwrap();
            if let Some(root) = root {
                request.extensions_mut().insert(root);
            }
            let response = redirect(&request, address)?;
            Some(response.headers()[LOCATION].to_str().unwrap().to_owned())
        };
        let mount = "-/locustctl/";
        assert_eq!(
            to("/rescale", RequestedAddress::Own { mount: "" }, None).as_deref(),
            Some("login?next=&lost=1")
        );
        assert_eq!(
            to("/rescale", RequestedAddress::Own { mount }, Some(Root(mount))).as_deref(),
            Some("-/locustctl/login?next=-%2Flocustctl%2F&lost=1")
        );
        assert_eq!(to("/swarm", RequestedAddress::Locust { mount }, None), None);
    }
}
