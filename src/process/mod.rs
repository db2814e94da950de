//! Other programs: credential plugins and kustomize.

mod child_tree;
mod lookup;

pub use child_tree::ChildTree;
pub use lookup::{Lookup, is_executable, on_path};
