//! actionlint finds no fault in the workflows of GitHub Actions.

use std::path::Path;
use std::process::{Command, Output};

fn actionlint(directory: &Path, files: &str) -> Output {
    let program = std::env::var_os("ACTIONLINT").expect("tests/run.sh sets ACTIONLINT");
    Command::new("node").arg(program).arg(files).current_dir(directory).output().unwrap()
}

#[test]
#[ignore = "needs actionlint: tests/run.sh runs it"]
fn the_workflows_have_no_faults() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checked = actionlint(root, ".github/workflows/*.yml");
    let stdout = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success(), "{stdout}");
    assert!(stdout.contains("2 workflow file(s)"), "{stdout}");

    let directory = tempfile::tempdir().unwrap();
    let faulty = std::fs::read_to_string(root.join(".github/workflows/ci.yml")).unwrap();
    std::fs::write(directory.path().join("ci.yml"), faulty.replace("runs-on", "run-on")).unwrap();
    assert!(!actionlint(directory.path(), "*.yml").status.success());
}
