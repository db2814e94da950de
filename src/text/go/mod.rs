//! Values as Go's standard library reads and prints them, for kubectl's flags and messages.
//!
//! The error texts are those of Go's functions, because kubectl prints them.

pub mod base64;
mod duration;
mod number;
mod os_error;
mod quote;
pub mod url;
mod value;

pub use duration::Duration;
pub use number::{parse_bool, parse_int, parse_uint};
pub use os_error::os_error;
pub use quote::{format_code_point, is_printable, quote};
pub use value::{Numeric, float, json_float, numeric, plain, syntax};
