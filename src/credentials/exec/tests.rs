//! Plugins that are shell scripts.

use super::*;

const V1: &str = "client.authentication.k8s.io/v1";

fn script(text: &str) -> Plugin {
    let mut exec = named("sh");
    exec.args = vec!["-c".into(), text.into()];
    exec.env = vec![("MARK".into(), "t0ken".into())];
    Plugin::new(&exec, &Cluster::default()).unwrap()
}

fn named(command: &str) -> Exec {
    Exec {
        api_version: V1.into(),
        command: command.into(),
        args: vec![],
        env: vec![],
        install_hint: String::new(),
        provide_cluster_info: false,
        interactive_mode: InteractiveMode::Never,
    }
}

fn token(plugin: &Plugin) -> Result<Option<SecretString>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(plugin.token())
}

/// What follows kubectl's prefix.
fn error(plugin: &Plugin) -> String {
    let text = token(plugin).unwrap_err().to_string();
    let prefix = "Unable to connect to the server: getting credentials: ";
    text.strip_prefix(prefix).unwrap().to_owned()
}

#[test]
fn a_plugin_gets_its_environment_and_is_run_once() {
    let runs = tempfile::NamedTempFile::new().unwrap();
    let plugin = script(&format!(
        r#"echo run >> {}; test "$KUBERNETES_EXEC_INFO" || exit 7
        printf '{{"kind":"ExecCredential","apiVersion":"{V1}","status":{{"token":"%s"}}}}' "$MARK""#,
        runs.path().display()
    ));
    for _ in 0..2 {
        assert_eq!(token(&plugin).unwrap().unwrap().expose_secret(), "t0ken");
    }
    assert_eq!(std::fs::read_to_string(runs.path()).unwrap(), "run\n");
    assert!(!format!("{plugin:?}").contains("t0ken"));
}

#[test]
fn an_expired_answer_is_asked_for_again() {
    let runs = tempfile::NamedTempFile::new().unwrap();
    let plugin = script(&format!(
        r#"echo run >> {}; printf '{{"kind":"ExecCredential","apiVersion":"{V1}","status":
        {{"token":"a","expirationTimestamp":"2020-01-01T00:00:00Z"}}}}'"#,
        runs.path().display()
    ));
    token(&plugin).unwrap();
    token(&plugin).unwrap();
    assert_eq!(std::fs::read_to_string(runs.path()).unwrap(), "run\nrun\n");
}

#[test]
fn a_plugin_that_fails_or_floods_is_reported() {
    assert_eq!(error(&script("exit 3")), "exec: executable sh failed with exit code 3");
    assert_eq!(error(&script("kill -9 $$")), "exec: executable sh failed with exit code -1");
    let flood = script("exec head -c 5000000 /dev/zero");
    assert_eq!(error(&flood), "exec: executable sh printed more than 1 MB");
}

#[test]
fn a_plugin_that_is_not_there_gets_the_hint() {
    let mut exec = named("no-such-plugin");
    exec.install_hint = "install it\u{1b}[0m".into();
    let text = error(&Plugin::new(&exec, &Cluster::default()).unwrap());
    assert!(
        text.starts_with("exec: executable no-such-plugin not found\n\nIt looks like"),
        "{text}"
    );
    assert!(text.ends_with("#client-go-credential-plugins\n\ninstall itU+001B[0m"), "{text}");
    let text = error(&Plugin::new(&named("/no/such"), &Cluster::default()).unwrap());
    assert_eq!(text, "exec: fork/exec /no/such: no such file or directory");
}

#[test]
fn an_unknown_version_is_refused_before_anything_runs() {
    let mut exec = named("sh");
    exec.api_version = "client.authentication.k8s.io/v1alpha1".into();
    assert_eq!(
        Plugin::new(&exec, &Cluster::default()).unwrap_err().to_string(),
        "exec plugin: invalid apiVersion \"client.authentication.k8s.io/v1alpha1\""
    );
}
