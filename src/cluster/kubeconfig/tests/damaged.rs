//! Tests that damaged files never panic.

use super::*;

#[test]
fn damaged_files_never_panic() {
    let mut random = fastrand::Rng::with_seed(2);
    let json = r#"{"users":[{"name":"u","user":{"token":"t","client-key-data":"YQ=="}}]}"#;
    let tricky =
        "x: &x {name: c}\n<<: *x\nusers: [*x, {<<: *x}]\na: |\n  text\n? [k]\n: !!binary aGk=\n";
    let environment = Environment::default();
    let file = tempfile::NamedTempFile::new().unwrap();
    for round in 0..2500 {
        let mut bytes = [CLUSTERS, json, tricky][round % 3].as_bytes().to_vec();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(0..bytes.len().max(1)).min(bytes.len());
            match random.u8(0..5) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes.insert(at, random.u8(..)),
                2 => bytes.insert(at, *random.choice(b"{}[]:,&*!|>'\"%@`?-#\n\t ").unwrap()),
                3 => drop(bytes.splice(at..at, b"\xff\xfe".iter().copied())),
                _ => {
                    let end = (at + random.usize(0..20)).min(bytes.len());
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
            }
        }
        fs::write(file.path(), &bytes).unwrap();
        let mut only = flags(&[]);
        only.kubeconfig = Some(file.path().to_owned());
        let _ = resolve(&only, &environment);
    }
}

#[test]
fn the_fuzzers_seeds_match_their_names() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/kubeconfig/");
    let outcome = |name: &str| {
        let content = fs::read(format!("{corpus}{name}")).unwrap();
        resolve_content(&content).map(|access| access.user).map_err(|err| err.to_string())
    };
    assert!(outcome("token.yaml").unwrap().token.is_some());
    assert!(outcome("plugin.yaml").unwrap().exec.is_some());
    assert!(outcome("oidc.json").unwrap().auth_provider.is_some());
    for name in ["anchors.yaml", "utf16.yaml"] {
        let problem = outcome(name).unwrap_err();
        assert!(problem.starts_with("no cluster is configured"), "{name}: {problem}");
    }
}
