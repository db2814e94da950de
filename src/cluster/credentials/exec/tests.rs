//! Tests with shell scripts as plugins.

use super::*;

const V1: &str = "client.authentication.k8s.io/v1";

fn script(text: &str) -> Plugin {
    within(Duration::from_secs(30), text)
}

fn within(non_interactive: Duration, text: &str) -> Plugin {
    let mut exec = named("sh");
    exec.args = vec!["-c".into(), text.into()];
    exec.env = vec![("MARK".into(), "t0ken".into())];
    let limits = TimeLimits { non_interactive, ..TimeLimits::default() };
    Plugin::new(&exec, &Cluster::default(), &PluginPolicy::AllowAll, limits).unwrap()
}

fn plugin(exec: &Exec) -> Plugin {
    Plugin::new(exec, &Cluster::default(), &PluginPolicy::AllowAll, TimeLimits::default()).unwrap()
}

/// The command that prints a credential with `status`.
fn print(status: &str) -> String {
    format!(r#"printf %s '{{"kind":"ExecCredential","apiVersion":"{V1}","status":{status}}}'"#)
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

/// The text after kubectl's prefix.
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
fn a_plugin_runs_again_after_its_credential_expires() {
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
fn a_plugin_may_print_a_certificate() {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["me".to_owned()]).unwrap();
    let status = serde_json::json!({
        "clientCertificateData": params.self_signed(&key).unwrap().pem(),
        "clientKeyData": key.serialize_pem(),
    });
    let plugin = script(&print(&status.to_string()));
    assert!(plugin.identity().is_none());
    assert!(token(&plugin).unwrap().is_none(), "a certificate and no token");
    assert!(plugin.identity().is_some());
    assert!(!format!("{plugin:?}").contains("PRIVATE"));
}

#[test]
fn a_plugin_that_does_not_end_is_killed() {
    let silent = "exec sleep 30".to_owned();
    let closed = print(r#"{"token":"a"}"#) + "; exec >&-; exec sleep 30";
    for text in [silent, closed] {
        let start = std::time::Instant::now();
        let plugin = within(Duration::from_millis(150), &text);
        assert_eq!(error(&plugin), "exec: executable sh did not end within 150ms");
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn the_children_of_a_plugin_that_does_not_end_are_killed_too() {
    let number = tempfile::NamedTempFile::new().unwrap();
    let text = format!("sleep 300 & echo $! > {}; wait", number.path().display());
    let plugin = within(Duration::from_secs(3), &text);
    assert_eq!(error(&plugin), "exec: executable sh did not end within 3s");
    let number = std::fs::read_to_string(number.path()).unwrap();
    let number = number.trim();
    // `ps` lists no state for a process that has ended, and Z for one that nobody has waited for.
    let runs = || {
        let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", number]).output();
        let state = String::from_utf8(state.unwrap().stdout).unwrap();
        !matches!(state.trim().chars().next(), None | Some('Z'))
    };
    let start = std::time::Instant::now();
    while runs() {
        assert!(start.elapsed() < Duration::from_secs(30), "{number} still runs");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_process_left_behind_by_a_plugin_is_not_waited_for() {
    let start = std::time::Instant::now();
    let plugin = script(&format!("sleep 20 & {}", print(r#"{"token":"a"}"#)));
    assert_eq!(token(&plugin).unwrap().unwrap().expose_secret(), "a");
    assert_eq!(error(&script("sleep 20 & exit 3")), "exec: executable sh failed with exit code 3");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn output_may_come_in_pieces() {
    let long = "x".repeat(300_000);
    let plugin = script(&format!(
        r#"printf '{{"kind":"ExecCredential","apiVersion":"{V1}",'; sleep 0.05
        printf '"status":{{"token":"'; head -c {} /dev/zero | tr '\0' x; echo '"}}}}'"#,
        long.len()
    ));
    assert_eq!(token(&plugin).unwrap().unwrap().expose_secret(), long);
}

#[test]
fn the_error_about_a_missing_plugin_has_the_hint() {
    let mut exec = named("no-such-plugin");
    exec.install_hint = "install\tit\u{1b}[0m\r\nhe\u{202e}re".into();
    let text = error(&plugin(&exec));
    assert!(
        text.starts_with("exec: executable no-such-plugin not found\n\nIt looks like"),
        "{text}"
    );
    let hint = "#client-go-credential-plugins\n\ninstall\titU+001B[0mU+000D\nheU+202Ere";
    assert!(text.ends_with(hint), "{text}");
    let text = error(&plugin(&named("/no/such")));
    assert_eq!(text, "exec: fork/exec /no/such: no such file or directory");
}

#[test]
fn an_unknown_version_is_refused_before_anything_runs() {
    let mut exec = named("sh");
    exec.api_version = "client.authentication.k8s.io/v1alpha1".into();
    assert_eq!(
        Plugin::new(&exec, &Cluster::default(), &PluginPolicy::AllowAll, TimeLimits::default())
            .unwrap_err()
            .to_string(),
        "exec plugin: invalid apiVersion \"client.authentication.k8s.io/v1alpha1\""
    );
}
