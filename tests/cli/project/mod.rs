//! Tests of the project's own files: imports, dependencies, documents, packages, fuzz targets, and benchmarks.

mod access;
mod action;
mod documents;
mod fuzzing;
mod import_order;
mod packages;
mod paths;
mod pipelines;
mod printed_names;
mod supply_chain;

use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text_of(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}

fn yaml_of(file: &str) -> serde_json::Value {
    serde_saphyr::from_str(&text_of(file)).unwrap()
}

/// Writes an executable shell script that stands in for another program.
fn fake_program(directory: &Path, name: &str, script: &str) {
    support::script::write(&directory.join(name), script);
}

/// `$PATH` with the directory in front.
fn path_with(directory: &Path) -> std::ffi::OsString {
    let rest = std::env::var_os("PATH").unwrap();
    let directories = std::iter::once(directory.to_owned()).chain(std::env::split_paths(&rest));
    std::env::join_paths(directories).unwrap()
}
