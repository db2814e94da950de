//! The committed completion scripts equal the output of the binary.

use std::path::Path;

const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "locustctl.bash"),
    ("zsh", "_locustctl"),
    ("fish", "locustctl.fish"),
    ("powershell", "_locustctl.ps1"),
    ("elvish", "locustctl.elv"),
];

#[test]
fn committed_scripts_are_current() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    for (shell, file) in SCRIPTS {
        let outcome = support::locustctl(&format!("completion --static {shell}")).run();
        assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{shell}");
        let path = directory.join(file);
        if std::env::var_os("UPDATE_COMPLETIONS").is_some() {
            std::fs::write(&path, &outcome.stdout).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == outcome.stdout,
            "completions/{file} is stale; to renew: UPDATE_COMPLETIONS=1 cargo test --test cli completions"
        );
    }
}

#[test]
fn there_is_one_script_for_each_shell() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    let mut found: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut expected = SCRIPTS.map(|(_, file)| file.to_owned());
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn an_unknown_shell_is_refused() {
    let outcome = support::locustctl("completion tcsh").run();
    outcome.exits(1, "");
    assert!(outcome.stderr.starts_with("error: invalid value 'tcsh'"), "{}", outcome.stderr);
}
