//! Shell scripts that stand in for other programs.

use std::path::Path;
use std::process::Command;

/// Writes an executable shell script. A child process creates the file: Linux refuses to run a file
/// that is open for writing, and a process that another thread starts inherits the open files.
pub fn write(path: &Path, script: &str) {
    let draft = path.with_extension("draft");
    std::fs::write(&draft, format!("#!/bin/sh\n{script}\n")).unwrap();
    let mut install = Command::new("install");
    assert!(install.args(["-m", "755"]).arg(&draft).arg(path).status().unwrap().success());
    std::fs::remove_file(draft).unwrap();
}
