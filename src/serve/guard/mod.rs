//! Authentication and protection against other web pages: every request passes the guard before a
//! route sees it.
//!
//! Two checks stop other web pages in the same browser. The Host must be one of the server's names,
//! so that no name of an attacker leads here (DNS rebinding). A change must come from the server's
//! own page. Browsers say where a request comes from in `Sec-Fetch-Site`, or else in `Origin`, and
//! send one of them with every change. A request with neither header does not come from a browser,
//! so it cannot carry a victim's cookies.

mod access;
mod body;
mod cookie;
mod headers;
mod host;
mod hsts;
mod login;
mod login_redirect;
mod middleware;
mod options;
mod origin;
mod proxy;
mod refusals;
mod relay;
mod relayed;
mod request;
mod scheme;
mod session_key;
mod sessions;
mod throttle;
mod token_list;
mod tokens;
mod user_name;

#[cfg(test)]
mod tests;

pub use self::access::Guard;
pub use self::cookie::{SessionCookie, pairs};
pub use self::headers::secured;
pub use self::hsts::add_hsts;
pub use self::login::routes;
pub use self::middleware::guard;
pub use self::options::AccessOptions;
pub use self::refusals::Refusals;
pub use self::relayed::CrossSite;
pub use self::request::{action, host_of};
pub use self::session_key::try_session;
