//! Every kubeconfig in `tests/fixtures/kubeconfig/` leads kubectl and locustctl to the same server
//! as the same user, or both fail.
//!
//! A fixture begins with lines `# key: value`: `about`; `args` for the command line; `encoding` of
//! the file; `ours` for an intended difference, with our behaviour. `{{…}}` are placeholders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use locustctl::sandbox::Account;
use support::cluster::TestCluster;

const SCALE: [&str; 3] = ["scale", "--replicas=2", "deployment/locust-slave"];

struct Fixture {
    name: String,
    head: BTreeMap<String, String>,
    text: String,
}

/// The request of a program, as the server saw it.
#[derive(Debug, PartialEq, Eq, Default)]
struct Arrival {
    authorization: BTreeSet<Option<String>>,
    server_name: BTreeSet<Option<String>>,
    path_prefix: BTreeSet<String>,
    impersonation: BTreeSet<(String, String)>,
}

fn fixtures() -> Vec<Fixture> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kubeconfig");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Fixture {
    let text = std::fs::read_to_string(path).unwrap();
    let mut head = BTreeMap::new();
    let mut rest = text.as_str();
    while let Some((line, after)) = rest.split_once('\n') {
        let Some((key, value)) = line.strip_prefix("# ").and_then(|line| line.split_once(": "))
        else {
            break;
        };
        head.insert(key.to_owned(), value.to_owned());
        rest = after;
    }
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    Fixture { name, head, text: rest.to_owned() }
}

/// Creates the files that fixtures refer to. Returns the values of the placeholders.
fn surroundings(cluster: &TestCluster) -> BTreeMap<&'static str, String> {
    let data = |text: &str| BASE64_STANDARD.encode(text);
    let pair = || {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap().pem();
        (certificate, key.serialize_pem())
    };
    let (certificate, key) = pair();
    let (wrong_authority, other_key) = pair();
    let token = cluster.token(Account::Admin).to_owned();
    for (file, content) in [
        ("ca.crt", cluster.certificate_authority()),
        ("token", &format!("{token}\n")),
        ("token-wrong", "token-of-the-file\n"),
        ("empty", "\n"),
        ("junk", "no certificate\n"),
        ("client.crt", &certificate),
        ("client.key", &key),
        ("other.key", &other_key),
    ] {
        cluster.file(file, content);
    }
    support::script::write(&cluster.path("plugin"), PLUGIN);
    let server = cluster.server().to_owned();
    let host = server.trim_start_matches("https://").to_owned();
    BTreeMap::from([
        ("server-by-name", server.replace("127.0.0.1", "localhost")),
        ("server", server),
        ("host", host),
        ("dir", cluster.directory().display().to_string().trim_end_matches('/').to_owned()),
        ("ca-data", data(cluster.certificate_authority())),
        ("wrong-ca-data", data(&wrong_authority)),
        ("client-certificate-data", data(&certificate)),
        ("client-key-data", data(&key)),
        ("id-token", id_token(4_000_000_000)),
        ("expired-id-token", id_token(1_000_000_000)),
        ("token", token),
    ])
}

const PLUGIN: &str = r#"if [ "$1" = fail ]; then exit 3; fi
version=${PLUGIN_VERSION:-v1}
token=${PLUGIN_TOKEN:-token-from-plugin}
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/%s","status":{"token":"%s"}}\n' "$version" "$token""#;

fn id_token(expires: u64) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let claims = format!("{{\"iss\":\"https://127.0.0.1:1\",\"exp\":{expires}}}");
    format!("{}.{}.signature", part("{\"alg\":\"none\"}"), part(&claims))
}

fn fill_in(text: &str, values: &BTreeMap<&str, String>) -> String {
    values
        .iter()
        .fold(text.to_owned(), |text, (key, value)| text.replace(&format!("{{{{{key}}}}}"), value))
}

fn encode(text: &str, encoding: Option<&str>) -> Vec<u8> {
    let utf_16 = |bytes: fn(u16) -> [u8; 2]| {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    match encoding {
        None => text.as_bytes().to_vec(),
        Some("utf-16le") => utf_16(u16::to_le_bytes),
        Some("utf-16be") => utf_16(u16::to_be_bytes),
        Some("utf-8-mark") => format!("\u{feff}{text}").into_bytes(),
        Some("crlf") => text.replace('\n', "\r\n").into_bytes(),
        Some(other) => panic!("unknown encoding {other}"),
    }
}

/// Runs a program. Returns its exit and its request, if it sent one.
fn run(
    program: &str,
    fixture: &Fixture,
    cluster: &TestCluster,
    values: &BTreeMap<&str, String>,
) -> (String, bool, Option<Arrival>) {
    cluster.handle().clear_requests();
    let home = tempfile::tempdir().unwrap();
    let text = fill_in(&fixture.text, values);
    let encoding = fixture.head.get("encoding").map(String::as_str);
    let path = cluster.path("config-under-test");
    std::fs::write(&path, encode(&text, encoding)).unwrap();
    let args = fill_in(fixture.head.get("args").map_or("", String::as_str), values);
    let output = Command::new(program)
        .args(SCALE)
        .args(args.split_whitespace())
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("KUBECONFIG", &path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let mut requests = cluster.handle().requests();
    // Vendors' builds of kubectl ask for the version first, to choose among several kubectls.
    requests.retain(|request| !request.path_and_query.ends_with("/version?timeout=5s"));
    let arrival = (!requests.is_empty()).then(|| {
        let mut arrival = Arrival::default();
        for request in &requests {
            let header = |name: &str| {
                request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
            };
            arrival.authorization.insert(header("authorization"));
            arrival.server_name.insert(request.server_name.clone());
            let prefix = request.path_and_query.split("/api").next().unwrap_or_default();
            arrival.path_prefix.insert(prefix.to_owned());
            arrival.impersonation.extend(
                request
                    .headers
                    .iter()
                    .filter(|(name, _)| name.starts_with("impersonate-"))
                    .cloned(),
            );
        }
        arrival
    });
    let mut text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stdout));
    (text, output.status.success(), arrival)
}

#[test]
fn no_secret_of_a_kubeconfig_is_shown_at_any_verbosity() {
    let cluster = TestCluster::start();
    let values = surroundings(&cluster);
    let key = std::fs::read_to_string(cluster.path("client.key")).unwrap();
    let mut secrets = vec![
        values["token"].clone(),
        values["id-token"].clone(),
        values["expired-id-token"].clone(),
        values["client-key-data"].clone(),
        key.lines().nth(1).unwrap().to_owned(),
        BASE64_STANDARD.encode("me:pass: word"),
    ];
    let words = [
        "wrong-token",
        "other-token",
        "token-of-the-file",
        "pass: word",
        "secret-of-me",
        "token-from-plugin",
        "token-from-env",
    ];
    secrets.extend(words.map(str::to_owned));
    for mut fixture in fixtures() {
        fixture.head.entry("args".to_owned()).or_default().push_str(" -v=9");
        let (stdout_and_stderr, ..) =
            run(env!("CARGO_BIN_EXE_locustctl"), &fixture, &cluster, &values);
        for secret in &secrets {
            assert!(
                !stdout_and_stderr.contains(secret),
                "{}: {secret}:\n{stdout_and_stderr}",
                fixture.name
            );
        }
    }
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn every_kubeconfig_leads_to_the_same_server_as_the_same_user() {
    let cluster = TestCluster::start();
    let values = surroundings(&cluster);
    let fixtures = fixtures();
    assert!(fixtures.len() >= 60, "{}", fixtures.len());
    let mut differences = Vec::new();
    for fixture in &fixtures {
        let (kubectl_text, kubectl_success, kubectl) = run("kubectl", fixture, &cluster, &values);
        let (locustctl_text, locustctl_success, locustctl) =
            run(env!("CARGO_BIN_EXE_locustctl"), fixture, &cluster, &values);
        match fixture.head.get("ours").map(String::as_str) {
            None => {}
            Some("reaches the server without credentials") => {
                let arrival = locustctl.as_ref().unwrap();
                assert_eq!(
                    (locustctl_success, &arrival.authorization),
                    (false, &BTreeSet::from([None]))
                );
            }
            Some("reaches the server with the token of the command line") => {
                let token = Some(format!("Bearer {}", values["token"]));
                let arrival = locustctl.as_ref().unwrap();
                assert_eq!(
                    (locustctl_success, &arrival.authorization),
                    (true, &BTreeSet::from([token]))
                );
            }
            Some(other) => panic!("{}: nothing asserts that it {other}", fixture.name),
        }
        let same = (kubectl_success, &kubectl) == (locustctl_success, &locustctl);
        if std::env::var_os("SHOW_TEXTS").is_some() && kubectl_text != locustctl_text {
            println!(
                "== {}\n   kubectl:   {kubectl_text}   locustctl: {locustctl_text}",
                fixture.name
            );
        }
        if same == fixture.head.contains_key("ours") {
            differences.push(format!(
                "{} ({}):\n  kubectl:   {kubectl_success} {kubectl:?}\n    {kubectl_text}\n  locustctl: {locustctl_success} {locustctl:?}\n    {locustctl_text}",
                fixture.name, fixture.head["about"]
            ));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
