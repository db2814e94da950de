//! YAML: objects as `-o yaml` prints them, and files as kubectl reads them.

mod cursor;
mod implicit_type;
mod print;
pub(crate) mod read;
pub(crate) mod round_trip;
mod scalar;
mod scan_properties;
mod scan_scalars;
mod scanner;
mod token;
mod tree;
mod value;

pub use print::print;
