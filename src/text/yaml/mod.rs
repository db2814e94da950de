//! YAML: objects as `-o yaml` prints them, and files as kubectl reads them.

mod implicit_type;
mod print;
pub(crate) mod read;
mod scalar;

pub use print::print;
