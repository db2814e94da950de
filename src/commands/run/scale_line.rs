//! The line about a scale.

use crate::scaling::{Scaled, Target, count_text};

/// The line about a scale, as `scale` prints it.
pub(super) fn scale_line(target: &Target, scaled: &Scaled, how: &str) -> String {
    let Scaled { old, new, .. } = scaled;
    let no_change = if *old == Some(*new) { " (no change)" } else { "" };
    format!("{target} scaled{how} from {} to {new}{no_change}", count_text(*old))
}
