//! Other programs: credential plugins, kustomize, and the command of `run`.

mod child_tree;
mod lookup;

pub use child_tree::ChildTree;
pub use lookup::{Lookup, is_executable, on_path};
