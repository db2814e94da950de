//! Responses of programs behind a Service.

/// The response of a program behind a Service.
#[derive(Debug)]
pub(super) struct Proxied {
    pub status: u16,
    pub media_type: &'static str,
    pub body: String,
    pub disposition: Option<String>,
}

impl Proxied {
    pub(super) fn new(status: u16, media_type: &'static str, body: impl Into<String>) -> Self {
        Self { status, media_type, body: body.into(), disposition: None }
    }
}
