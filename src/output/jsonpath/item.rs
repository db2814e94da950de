//! The items that the steps of a path select.

use serde_json::Value;

/// A part of the object, or a literal of the template.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    Value(&'a Value),
    /// One byte of a string: the items of a wildcard on a string.
    Byte(u8),
    /// The item of a range without elements.
    Nothing,
}
