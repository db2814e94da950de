//! The completion script in bash itself.

use std::path::Path;
use std::process::Command;

use super::dynamic_completion::answers_in_time;

/// The candidates of a real bash for `locustctl LINE` with the cursor at its end, one on each line.
fn in_bash(line: &str, words: &str, at_cursor: &str, kubeconfig: &Path) -> String {
    let script = format!(
        "source <(locustctl completion bash) || exit 1\n\
         COMP_LINE='locustctl {line}' COMP_WORDS=({words})\n\
         COMP_POINT=${{#COMP_LINE}} COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
         _locustctl locustctl '{at_cursor}' ''\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let directory = Path::new(env!("CARGO_BIN_EXE_locustctl")).parent().unwrap();
    let output = Command::new("bash")
        .args(["--norc", "-c", &script])
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", directory.display()))
        .env("KUBECONFIG", kubeconfig)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
    String::from_utf8(output.stdout).unwrap().trim_end().replace('\n', " ")
}

#[test]
fn bash_completes_words_with_colons_and_equal_signs() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config");
    let text = "contexts:\n- {name: 'arn:aws:eks/a', context: {cluster: k}}\n\
                - {name: 'arn:aws:eks/b', context: {cluster: k}}\n- {name: 'a b', context: {}}\n\
                - {name: '$(id)', context: {}}\n- {name: dev, context: {}}\n";
    std::fs::write(&config, text).unwrap();
    for (line, words, at_cursor, expected) in [
        ("sca", "locustctl sca", "sca", "scale"),
        ("scale --context ", "locustctl scale --context ''", "", "arn:aws:eks/a arn:aws:eks/b dev"),
        ("scale --context d", "locustctl scale --context d", "d", "dev"),
        ("scale --context=d", "locustctl scale --context = d", "d", "dev"),
        ("scale --context=", "locustctl scale --context =", "", "arn:aws:eks/a arn:aws:eks/b dev"),
        ("scale --context arn:aws:", "locustctl scale --context arn : aws :", "", "eks/a eks/b"),
        (
            "scale --context=arn:a",
            "locustctl scale --context = arn : a",
            "a",
            "aws:eks/a aws:eks/b",
        ),
        (
            "scale --context=arn:aws:eks/a dep",
            "locustctl scale --context = arn : aws : eks/a dep",
            "dep",
            "deployment",
        ),
        ("scale dep", "locustctl scale dep", "dep", "deployment"),
        ("scale --dry-run=c", "locustctl scale --dry-run = c", "c", "client"),
        ("scale nonsense ", "locustctl scale nonsense ''", "", ""),
    ] {
        answers_in_time(|| in_bash(line, words, at_cursor, &config), expected, line);
    }
}

#[test]
fn bash_quotes_the_names_of_files() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a b$(id).yaml"), "").unwrap();
    let path = format!("{}/", directory.path().display());
    let (line, words) = (format!("scale -f {path}"), format!("locustctl scale -f {path}"));
    let ask = || in_bash(&line, &words, &path, Path::new("/nonexistent"));
    answers_in_time(ask, &format!("{path}a\\ b\\$\\(id\\).yaml"), &line);
}
