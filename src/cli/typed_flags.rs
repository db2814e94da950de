//! The flags of the current command.

use std::ffi::OsString;

/// The flags of a command line, the user's kuberc included.
#[derive(Clone, Default)]
pub struct TypedFlags {
    /// The name of the program as the user types it.
    pub(super) program: String,
    /// The command line in canonical form.
    pub(super) argv: Vec<OsString>,
}

/// Prints no flags, since there can be secrets among them.
impl std::fmt::Debug for TypedFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedFlags")
    }
}

impl TypedFlags {
    pub(super) fn new(program: &str, argv: Vec<OsString>) -> Self {
        Self { program: program.to_owned(), argv }
    }
}
