//! The files that documents and benchmarks name exist.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{root, text_of};

/// The folders in the root of the repository that documents name.
const FOLDERS: [&str; 11] = [
    ".ci/",
    ".github/",
    "benches/",
    "completions/",
    "deploy/",
    "docs/",
    "fuzz/",
    "man/",
    "packaging/",
    "src/",
    "tests/",
];

/// The words of a text, without the punctuation around them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_separator = |letter: char| letter.is_whitespace() || "`'\"()<>,;$=".contains(letter);
    text.split(is_separator).map(|word| word.trim_end_matches(['.', ':']))
}

/// The files and folders of the repository that a text names with their full paths. Patterns are left out.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    words(text).filter(|word| {
        let is_pattern = word.contains(['*', '{', '…']);
        FOLDERS.iter().any(|folder| word.starts_with(folder)) && !is_pattern
    })
}

/// The documents for people who change the program.
const DOCUMENTS: [&str; 4] =
    ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "packaging/README.md"];

fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let has_extension = |path: &PathBuf| {
        path.extension().is_some_and(|it| extensions.iter().any(|wanted| it == *wanted))
    };
    paths.filter(has_extension).collect()
}

#[test]
fn every_path_in_a_document_exists() {
    let pages = files("docs", &["md"]).into_iter().chain(DOCUMENTS.map(|name| root().join(name)));
    let mut count = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for path in paths(&text) {
            assert!(root().join(path).exists(), "{}: {path}", page.display());
            count += 1;
        }
    }
    assert!(count > 10, "{count} paths");
}

#[test]
fn every_module_in_the_architecture_exists() {
    let text = text_of("ARCHITECTURE.md");
    let mut count = 0;
    for name in text.split('`').skip(1).step_by(2) {
        let is_path =
            |letter: char| letter.is_ascii_lowercase() || "_/.0123456789".contains(letter);
        if !name.chars().all(is_path) || !name.contains('/') || name.starts_with("crypto/") {
            continue;
        }
        let source = root().join("src").join(name);
        let is_there = source.exists() || source.with_extension("rs").exists();
        assert!(is_there || root().join(name).exists(), "{name}");
        count += 1;
    }
    assert!(count > 20, "{count} modules");
    // The table has the modules of src/lib.rs in their order.
    let listed: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let library = text_of("src/lib.rs");
    let order = library.lines().filter_map(|line| line.strip_prefix("//! - "));
    let order: Vec<_> =
        order.filter_map(|line| line.split('`').nth(1)).map(|it| it.trim()).collect();
    assert_eq!(listed, order);
}

/// The text of all Rust files in this folder.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|it| it == "rs") {
            text += &std::fs::read_to_string(path).unwrap();
        }
    }
    text
}

#[test]
fn every_test_that_a_document_names_exists() {
    let sources = sources(&root().join("src")) + &sources(&root().join("tests/cli"));
    let mut count = 0;
    for document in DOCUMENTS {
        let text = text_of(document);
        for command in text.split('`').filter(|it| it.contains("cargo test --")) {
            let filter = command.split_whitespace().next_back().unwrap();
            assert!(sources.contains(&format!("\nmod {filter}")), "{document}: {command}");
            count += 1;
        }
    }
    assert!(count > 3, "{count} commands");
}

#[test]
fn every_benchmark_can_be_read_and_names_existing_files() {
    const COMPILE: &str = "import sys; compile(open(sys.argv[1]).read(), sys.argv[1], 'exec')";
    for path in files("benches", &["py", "sh"]) {
        let is_python = path.extension().is_some_and(|it| it == "py");
        let (program, args) =
            if is_python { ("python3", ["-c", COMPILE]) } else { ("bash", ["-n", "--"]) };
        let mut check = Command::new(program);
        check.args(args);
        let checked = check.arg(&path).output().unwrap();
        assert!(checked.status.success(), "{}: {checked:?}", path.display());
        let text = std::fs::read_to_string(&path).unwrap();
        for named in paths(&text) {
            assert!(root().join(named).exists(), "{}: {named}", path.display());
        }
        // Locustfiles are named after the folder: FIXTURES / "named.py".
        for after in text.split("FIXTURES / \"").skip(1) {
            let name = after.split('"').next().unwrap();
            let file = root().join("tests/fixtures/locust").join(name);
            assert!(file.exists(), "{}: {name}", path.display());
        }
    }
}
