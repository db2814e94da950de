//! Names of users, as they are shown in the history and in the audit log.

use crate::text::terminal::harmless;

/// True if the name can be shown unchanged. A name with control or bidirectional characters could
/// look like another name.
pub(super) fn is_showable(name: &str) -> bool {
    !name.chars().any(char::is_control) && harmless(name) == name
}
