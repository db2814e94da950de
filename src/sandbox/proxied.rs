//! Responses of programs behind a Service or in a pod.

/// The response of a program behind a Service or in a pod.
#[derive(Debug)]
pub(super) struct Proxied {
    pub status: u16,
    pub media_type: &'static str,
    pub body: String,
    pub disposition: Option<String>,
    /// The target of a redirect.
    pub location: Option<String>,
}

impl Proxied {
    pub(super) fn new(status: u16, media_type: &'static str, body: impl Into<String>) -> Self {
        Self { status, media_type, body: body.into(), disposition: None, location: None }
    }

    /// A redirect to a path of the API server.
    pub(super) fn redirect(location: &str) -> Self {
        let location = Some(location.to_owned());
        Self { location, ..Self::new(302, "text/html; charset=utf-8", "") }
    }
}
