//! Literals as Go's standard library reads and prints them: kubectl's flags are defined by it.
//!
//! Each error's text is the one that Go's own function gives, since kubectl prints it as it is.

mod duration;
mod number;
mod os_error;
mod quote;
mod value;

pub use duration::Duration;
pub use number::{parse_bool, parse_int};
pub use os_error::os_error;
pub use quote::{is_printable, quote, unicode};
pub use value::{Numeric, float, json_float, numeric, plain, syntax};
