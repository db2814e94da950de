//! The flags of the simulated cluster: its objects, and its faults.

use std::fs::File;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;

use crate::cli::{GlobalArgs, Trouble};
use crate::sandbox::{InitialObjects, Layout, LocustRelease, Options, PodFailure};
use crate::scaling::manifests;
use crate::text::bounded;
use crate::text::terminal::say;

/// The largest file of manifests, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Sets the objects and the faults that the flags name. Prints the types of the objects that are left out.
///
/// # Errors
/// The layout is unknown, or its file cannot be used.
pub fn with_flags(options: Options, global: &GlobalArgs) -> Result<Options> {
    let objects = match global.layout.as_deref() {
        None | Some("") => options.objects,
        Some(text) => InitialObjects::Layout(layout(text, options.locust_release)?),
    };
    let pod_failure = global.trouble.map(|trouble| match trouble {
        Trouble::Image => PodFailure::ImagePull,
        Trouble::Room => PodFailure::Unschedulable,
    });
    Ok(Options { objects, pod_failure, ..options })
}

/// Refuses these flags without a simulated cluster.
///
/// # Errors
/// One of them was given.
pub fn refuse_without_sandbox(global: &GlobalArgs) -> Result<()> {
    let flag = match (&global.layout, global.trouble) {
        (Some(_), _) => "--layout",
        (None, Some(_)) => "--trouble",
        (None, None) => return Ok(()),
    };
    bail!("{flag} is for a simulated cluster: add --sandbox, or use locustctl sandbox")
}

fn layout(text: &str, release: LocustRelease) -> Result<Layout> {
    if let Some(layout) = Layout::named(text, release) {
        return Ok(layout);
    }
    let name = || format!("--layout={text}");
    let content = read(text).with_context(name)?;
    let layout = Layout::new(objects(&content, text)?).with_context(name)?;
    if !layout.left_out().is_empty() {
        say(&format!(
            "Note: the simulated cluster does not have these types, so it leaves out their objects: {}",
            layout.left_out().join(", ")
        ));
    }
    Ok(layout)
}

/// Reads a file or a pipe.
fn read(path: &str) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let names = Layout::NAMES.join(", ");
            anyhow!("there is no such file, and no layout with this name; the names are: {names}")
        }
        _ => error.into(),
    })?;
    match bounded::read(file, MAX_FILE)? {
        Some(content) => Ok(content),
        None => bail!("the file is larger than {} MiB", MAX_FILE / (1024 * 1024)),
    }
}

/// The objects of all documents. The items of a list are objects of their own.
///
/// # Errors
/// The first document or item that cannot be read.
fn objects(content: &[u8], source: &str) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    for document in manifests::parse(content, source) {
        let document = document?;
        match document.items {
            None => objects.push(document.object.value),
            Some(items) => {
                for item in items {
                    objects.push(item?.value);
                }
            }
        }
    }
    Ok(objects)
}
