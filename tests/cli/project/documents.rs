//! The README and docs/ print what the program prints.
//!
//! The line before a block can describe the cluster: `<!-- sandbox: workers=5 test terminal -->`.
//! - `workers=N`: the number of ready workers (otherwise 1)
//! - `test`: a test with 60 users is running
//! - `release=VERSION`: the release of Locust
//! - `no-image`: the image of new workers cannot be pulled
//! - `terminal`: the commands run on a terminal; the shown answers are typed
//!
//! In a `console` block each line after `$ ` is a command; the other lines are what it prints to stdout
//! and stderr. An `sh` block with such a line in front is run from top to bottom, and each command must
//! succeed; `serve` runs until its page can be reached.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::str::FromStr;

use locustctl::sandbox::{LocustRelease, Options, PodFailure};
use support::cluster::TestCluster;
use support::serving::Serving;
use support::swarm::{start_test, wait_for_workers};
use support::terminal::Terminal;

use super::root;

/// The cluster in which a block is run.
#[derive(Debug, Default)]
struct Setting {
    workers: Option<usize>,
    release: Option<String>,
    is_test_running: bool,
    has_no_image: bool,
    is_terminal: bool,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        let mut setting = Self::default();
        for word in words.split_whitespace() {
            match word.split_once('=').unwrap_or((word, "")) {
                ("workers", count) => setting.workers = Some(count.parse().unwrap()),
                ("release", version) => setting.release = Some(version.to_owned()),
                ("test", "") => setting.is_test_running = true,
                ("no-image", "") => setting.has_no_image = true,
                ("terminal", "") => setting.is_terminal = true,
                _ => return Err(format!("unknown word {word:?}")),
            }
        }
        Ok(setting)
    }
}

impl Setting {
    fn cluster(&self) -> TestCluster {
        let mut options = Options::default();
        if let Some(release) = &self.release {
            options.locust_release = LocustRelease::from_str(release).unwrap();
        }
        let cluster = TestCluster::with(options);
        if let Some(workers) = self.workers {
            let line = format!("scale --replicas={workers} --wait");
            let scaled = support::locustctl(&line).kubeconfig(cluster.kubeconfig()).run();
            assert_eq!(scaled.code, Some(0), "{scaled:?}");
            wait_for_workers(&cluster, workers);
        }
        if self.is_test_running {
            start_test(&cluster);
        }
        if self.has_no_image {
            cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
        }
        cluster
    }
}

/// A block of code in a document.
#[derive(Debug)]
struct Block {
    /// FILE:LINE, for messages.
    place: String,
    language: String,
    setting: Option<Setting>,
    lines: Vec<String>,
}

fn documents() -> Vec<PathBuf> {
    let pages = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|it| it == "md"));
    std::iter::once(root().join("README.md")).chain(pages).collect()
}

fn blocks() -> Vec<Block> {
    documents().into_iter().flat_map(blocks_of).collect()
}

fn blocks_of(path: PathBuf) -> Vec<Block> {
    let text = std::fs::read_to_string(&path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut before = "";
    for (index, line) in text.lines().enumerate() {
        let place = format!("{name}:{}", index + 1);
        match (open.take(), line.strip_prefix("```")) {
            (None, Some(language)) => {
                let words =
                    before.strip_prefix("<!-- sandbox:").and_then(|it| it.strip_suffix("-->"));
                let setting =
                    words.map(|it| it.parse().unwrap_or_else(|why| panic!("{place}: {why}")));
                let language = language.to_owned();
                open = Some(Block { place, language, setting, lines: Vec::new() });
            }
            (Some(block), Some(_)) => blocks.push(block),
            (Some(mut block), None) => {
                block.lines.push(line.to_owned());
                open = Some(block);
            }
            (None, None) => {}
        }
        before = line;
    }
    blocks
}

/// The text without the parts that differ in each run: ports.
fn stable(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let mut stable = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        stable += "127.0.0.1:PORT";
        stable += part.trim_start_matches(|it: char| it.is_ascii_digit());
    }
    stable.trim_end().to_owned()
}

/// The text without the progress that only a slow wait for the workers prints, unless `expected` has
/// such lines.
fn without_progress(printed: &str, expected: &str) -> String {
    const PROGRESS: &str = "Waiting for the workers: ";
    let is_expected = expected.lines().any(|line| line.starts_with(PROGRESS));
    let lines = printed.split_inclusive('\n');
    lines.filter(|line| is_expected || !line.starts_with(PROGRESS)).collect()
}

/// Runs a command line in a shell. Returns its exit code, and stdout and stderr in the order in which
/// they were written.
fn run(cluster: &TestCluster, line: &str) -> (Option<i32>, String) {
    let output = cluster.path("output");
    let file = std::fs::File::create(&output).unwrap();
    let programs = cluster.path("programs");
    if !programs.exists() {
        std::fs::create_dir(&programs).unwrap();
        std::os::unix::fs::symlink(support::program(), programs.join("locustctl")).unwrap();
    }
    let status = Command::new("sh")
        .args(["-c", line])
        .env_clear()
        .env("PATH", super::path_with(&programs))
        .env("HOME", cluster.directory())
        .env("KUBECONFIG", cluster.kubeconfig())
        .current_dir(cluster.directory())
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .status()
        .unwrap();
    (status.code(), std::fs::read_to_string(output).unwrap())
}

/// Runs a command line on a terminal, and types the answers that `expected` shows.
fn run_on_terminal(cluster: &TestCluster, line: &str, expected: &str) -> String {
    const QUESTION: &str = "[y/N] ";
    let line = line.strip_prefix("locustctl ").expect("a command of locustctl");
    let mut terminal = Terminal::start(cluster, line);
    for (index, _) in expected.match_indices(QUESTION) {
        terminal.wait_for(QUESTION);
        let answer = expected[index + QUESTION.len()..].lines().next().unwrap();
        terminal.press(&format!("{answer}\n"));
    }
    terminal.end().1
}

#[test]
fn every_console_block_shows_what_the_commands_print() {
    let (mut count, mut faults) = (0, Vec::new());
    for block in blocks().iter().filter(|block| block.language == "console") {
        let default = Setting::default();
        let setting = block.setting.as_ref().unwrap_or(&default);
        let cluster = setting.cluster();
        let text = block.lines.join("\n");
        let calls =
            text.strip_prefix("$ ").unwrap_or_else(|| panic!("{}: no command", block.place));
        for call in calls.split("\n$ ") {
            let (line, expected) = call.split_once('\n').unwrap_or((call, ""));
            let printed = match setting.is_terminal {
                true => run_on_terminal(&cluster, line, expected),
                false => run(&cluster, line).1,
            };
            if stable(&without_progress(&printed, expected)) != stable(expected) {
                faults.push(format!("{}: {line} printed:\n{printed}", block.place));
            }
            count += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count >= 4, "{count} commands");
}

#[test]
fn every_example_that_is_marked_works_from_top_to_bottom() {
    let mut count = 0;
    for block in blocks().iter().filter(|block| block.language == "sh") {
        let Some(setting) = &block.setting else { continue };
        let cluster = setting.cluster();
        for line in block.lines.iter().filter(|line| !line.trim().is_empty()) {
            // A load test of some minutes would take as long here.
            let line = line.split(" # ").next().unwrap().trim_end().replace(" -t 10m", " -t 2s");
            if let Some(arguments) = line.strip_prefix("locustctl serve") {
                let arguments: Vec<_> = arguments.split_whitespace().collect();
                assert_eq!(Serving::start(&cluster, &arguments).get("/").status, 200, "{line}");
            } else {
                let (code, printed) = run(&cluster, &line);
                assert_eq!(code, Some(0), "{}: {line}: {printed}", block.place);
            }
            count += 1;
        }
    }
    assert!(count > 0, "no block is marked");
}

#[test]
fn the_readme_is_short() {
    let readme = super::text_of("README.md");
    let words = readme.split_whitespace().count();
    assert!(words <= 900, "{words} words");
}

#[test]
fn every_link_to_a_file_leads_to_a_file() {
    let more = ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "packaging/README.md"];
    for path in documents().into_iter().chain(more.map(|file| root().join(file))) {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let target = path.parent().unwrap().join(file);
            assert!(target.exists(), "{}: {link}", path.display());
        }
    }
}
