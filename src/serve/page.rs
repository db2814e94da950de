//! The pages, as HTML.

use super::snapshot::Snapshot;

/// What the page shows besides the snapshot.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// Who is looking; empty when nobody asked.
    pub viewer: &'a str,
    /// Whether there is a login to end.
    pub can_log_out: bool,
    /// What became of the last submission.
    pub notice: Option<Notice<'a>>,
    /// What stands in the field: as it was submitted, when that was refused.
    pub entered: Option<&'a str>,
    /// A submission that must be confirmed first.
    pub question: Option<Question>,
}

/// What became of a submission.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// Nothing was changed, or it is not known.
    pub is_error: bool,
    /// In a sentence.
    pub text: &'a str,
}

/// Why a count is asked about again before it is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The count that was asked for.
    pub new: i64,
    /// The count that stands there.
    pub old: i64,
}

/// The page with the form.
pub fn page(snapshot: &Snapshot, _context: Context<'_>) -> String {
    snapshot.target.name.clone()
}

/// The form that asks for the token; `next` is the path to go on to, relative to the page's own.
pub fn login(_next: &str, _error: Option<&str>) -> String {
    String::new()
}

/// A file that the pages need.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Relative to the page.
    pub path: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub body: &'static [u8],
}

/// All of them.
pub const ASSETS: &[Asset] = &[];
