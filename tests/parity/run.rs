//! Runs one row of the parity table with kubectl or locustctl. Removes the parts of the output that
//! vary between runs.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::row::Row;
use crate::world;

/// The program to run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Kubectl,
    Locustctl,
}

/// The result of a run, in a form that can be compared.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// New replica count per changed object.
    pub replicas: BTreeMap<String, i64>,
    /// New change-cause annotation per changed object.
    pub change_causes: BTreeMap<String, String>,
}

/// Runs the program in its own cluster and directory.
pub fn run(program: Program, row: &Row) -> Outcome {
    let cluster = world::build(&row.environment);
    let before = world::state(cluster.handle(), &row.environment);
    let home = tempfile::tempdir().unwrap();
    let directory = tempfile::tempdir().unwrap();
    put_files(row, directory.path());
    let mut values = world::placeholders(&cluster).to_vec();
    values.push(("{dir}", directory.path().display().to_string()));
    let name = match program {
        Program::Kubectl => "kubectl",
        Program::Locustctl => env!("CARGO_BIN_EXE_locustctl"),
    };
    let mut command = Command::new(name);
    command
        .arg("scale")
        .args(words(row.args).iter().map(|word| fill_placeholders(word, &values)))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("KUBERC", "off")
        .env("KUBECONFIG", cluster.kubeconfig())
        .envs(
            row.environment
                .env
                .iter()
                .map(|(name, value)| (name, fill_placeholders(value, &values))),
        )
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
    // A program that does not read stdin closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(row.environment.stdin.as_bytes());
    let output = child.wait_with_output().unwrap();

    let after = world::state(cluster.handle(), &row.environment);
    let changed = after.iter().filter(|(object, now)| before[*object] != **now);
    let mut replicas = BTreeMap::new();
    let mut change_causes = BTreeMap::new();
    for (object, (count, cause)) in changed {
        if before[object].0 != *count {
            replicas.insert(object.clone(), *count);
        }
        if before[object].1 != *cause {
            change_causes
                .insert(object.clone(), replace_name(&restore_placeholders(cause, &values)));
        }
    }
    let text = |bytes| restore_placeholders(&String::from_utf8(bytes).unwrap(), &values);
    let stdout = text(output.stdout);
    Outcome {
        code: output.status.code().unwrap(),
        stdout: if program == Program::Locustctl { strip_counts(&stdout) } else { stdout },
        stderr: strip_log_headers(&replace_name(&text(output.stderr))),
        replicas,
        change_causes,
    }
}

fn put_files(row: &Row, directory: &Path) {
    for (name, content) in &row.environment.files {
        let path = directory.join(name);
        let parent = if name.ends_with('/') { &path } else { path.parent().unwrap() };
        std::fs::create_dir_all(parent).unwrap();
        if !name.ends_with('/') {
            std::fs::write(path, content).unwrap();
        }
    }
}

/// Splits a text into words as a shell does, with both kinds of quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn fill_placeholders(text: &str, values: &[(&str, String)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// Replaces values with their placeholders. `{version}` stands for the object's resourceVersion, a plain
/// number. It is replaced only in the two messages that contain it.
fn restore_placeholders(text: &str, values: &[(&str, String)]) -> String {
    let mut text = text.to_owned();
    for (name, value) in values {
        match *name {
            "{version}" => {
                text = text.replace(&format!("version to be {value}"), "version to be {version}");
                text = text.replace(&format!("was {value}\n"), "was {version}\n");
            }
            "{server}" => {
                text = text.replace(value, name);
                text = text.replace(value.trim_start_matches("https://"), "{host}");
            }
            _ => text = text.replace(value, name),
        }
    }
    text
}

/// Replaces `locustctl` with `kubectl`, since each program prints its own name.
fn replace_name(text: &str) -> String {
    text.replace("locustctl", "kubectl")
}

/// Removes what locustctl adds to kubectl's line: ` from X to Y` and ` (no change)`.
fn strip_counts(text: &str) -> String {
    let line = |line: &str| {
        let counts = line.split_once(" scaled").and_then(|(_, rest)| rest.split_once("from "));
        let (text, end) = match line.strip_suffix('\n') {
            Some(text) => (text, "\n"),
            None => (line, ""),
        };
        match counts {
            Some((_, counts)) => {
                format!("{}{end}", text[..line.len() - counts.len() - "from ".len()].trim_end())
            }
            None => format!("{text}{end}"),
        }
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Removes time, process and file from log lines. Drops kubectl's lines about discovery and
/// throttling.
fn strip_log_headers(text: &str) -> String {
    let line = |line: &str| {
        let Some((head, message)) = line.split_once("] ").filter(|(head, _)| is_log_header(head))
        else {
            return line.to_owned();
        };
        let is_noise = head.contains("memcache.go:") || head.contains("request.go:");
        if is_noise { String::new() } else { format!("{}: {message}", &head[..1]) }
    };
    text.split_inclusive('\n').map(line).collect()
}

/// True for a klog header, such as `W1124 04:52:27.123456   12345 helpers.go:123`.
fn is_log_header(head: &str) -> bool {
    let mut words = head.split_whitespace();
    let (Some(day), Some(time), Some(process), Some(place), None) =
        (words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    day.starts_with(['I', 'W', 'E', 'F'])
        && digits(&day[1..])
        && time.matches(':').count() == 2
        && digits(process)
        && place.split_once(':').is_some_and(|(_, line)| digits(line))
}

#[test]
fn only_the_counts_are_removed() {
    for (printed, expected) in [
        ("deployment.apps/a scaled from 1 to 3\n", "deployment.apps/a scaled\n"),
        (
            "deployment.apps/a scaled (dry run) from 3 to 3 (no change)\n",
            "deployment.apps/a scaled (dry run)\n",
        ),
        ("x from 1 to 3\ny scaled", "x from 1 to 3\ny scaled"),
    ] {
        assert_eq!(strip_counts(printed), expected);
    }
}

#[test]
fn log_lines_keep_their_level_and_text() {
    for (line, expected) in [
        ("W1124 04:52:27.123456   12345 helpers.go:12] text\n", "W: text\n"),
        ("E1124 04:52:27.123456   12345 memcache.go:265] \"Unhandled Error\"\n", ""),
        ("error: [a] b\n", "error: [a] b\n"),
    ] {
        assert_eq!(strip_log_headers(line), expected);
    }
}

#[test]
fn words_are_split_like_in_a_shell() {
    assert_eq!(words("-o 'a b'  --x=\"\" ''"), ["-o", "a b", "--x=", ""]);
}
