//! Tests of files after the write-back of tokens.

use std::fs;

use serde_json::json;

use super::*;

const CONFIG: &str = "\
# mine
apiVersion: v1
users:
- name: other
  user: {token: t0ken, new-field: [1, x]}
- name: u   # by login
  user:
    auth-provider:
      name: oidc
      config:
        id-token: eyJhbGciOiJub25lIn0.old.x
        refresh-token: 'old-refresh-token'
        client-id: c
extensions:
- name: e
  extension: {any: thing}
";

fn edit(content: &str, changes: &[(&str, &str)]) -> Option<String> {
    let secrets: Vec<_> = changes.iter().map(|(_, value)| SecretString::from(*value)).collect();
    let changes: Vec<_> = changes.iter().map(|(name, _)| *name).zip(&secrets).collect();
    let bytes = edited(content.as_bytes(), "u", &changes).unwrap()?;
    Some(String::from_utf8(bytes).unwrap())
}

fn parsed(content: &str) -> Value {
    yaml::parse(content.as_bytes()).unwrap()
}

#[test]
fn tokens_are_replaced_in_place() {
    let changes = [("id-token", "eyJhbGciOiJub25lIn0.new.x"), ("refresh-token", "new: 'one'")];
    let expected = CONFIG.replace(".old.", ".new.");
    assert_eq!(edit(CONFIG, &changes[..1]), Some(expected.clone()));
    // The second token needs other quotes, so the whole file is written again.
    let text = edit(CONFIG, &changes).unwrap();
    let mut meaning = parsed(&expected);
    meaning["users"][1]["user"]["auth-provider"]["config"]["refresh-token"] = json!("new: 'one'");
    assert_eq!(parsed(&text), meaning);
    assert!(
        text.starts_with("apiVersion: v1\nextensions:\n- extension:\n    any: thing\n"),
        "{text}"
    );
}

#[test]
fn json_stays_json() {
    let config = parsed(CONFIG).to_string();
    let new = "eyJhbGciOiJub25lIn0.new.x";
    assert_eq!(edit(&config, &[("id-token", new)]), Some(config.replace(".old.", ".new.")));
    let text = edit(&config, &[("id-token", "with \"quotes\"")]).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let config = &value["users"][1]["user"]["auth-provider"]["config"];
    assert_eq!(config["id-token"], "with \"quotes\"");
}

#[test]
fn text_that_yaml_would_read_differently_is_written_as_json() {
    // UTF-16 is not JSON, and a plain `<<` is a merge and not a key.
    let content = r#"{"users":[{"name":"u","user":{"auth-provider":{}}}],"<<":"x"}"#;
    let units = std::iter::once(0xfeff).chain(content.encode_utf16());
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let changed = edited(&bytes, "u", &[("id-token", &"a.b.c".into())]).unwrap().unwrap();
    let value: Value = serde_json::from_slice(&changed).unwrap();
    assert_eq!(value["<<"], "x");
    assert_eq!(value["users"][0]["user"]["auth-provider"]["config"]["id-token"], "a.b.c");
}

#[test]
fn missing_settings_are_added() {
    for config in ["", ", config: {}", ", config: null"] {
        let content =
            format!("users: [{{name: u, user: {{auth-provider: {{name: oidc{config}}}}}}}]\n");
        let text = edit(&content, &[("id-token", "a.b.c")]).unwrap();
        let provider = &parsed(&text)["users"][0]["user"]["auth-provider"];
        assert_eq!(provider, &json!({"name": "oidc", "config": {"id-token": "a.b.c"}}));
    }
}

#[test]
fn a_token_that_occurs_twice_is_changed_only_for_its_user() {
    let content = CONFIG.replace("t0ken", "eyJhbGciOiJub25lIn0.old.x");
    let text = edit(&content, &[("id-token", "eyJhbGciOiJub25lIn0.new.x")]).unwrap();
    let value = parsed(&text);
    assert_eq!(value["users"][0]["user"]["token"], "eyJhbGciOiJub25lIn0.old.x");
    let config = &value["users"][1]["user"]["auth-provider"]["config"];
    assert_eq!(config["id-token"], "eyJhbGciOiJub25lIn0.new.x");
}

#[test]
fn nothing_is_written_for_a_missing_user_or_the_same_tokens() {
    assert_eq!(edit("users: []\n", &[("id-token", "a.b.c")]), None);
    assert_eq!(edit("users: [{name: u, user: {token: t}}]\n", &[("id-token", "a.b.c")]), None);
    assert_eq!(edit(CONFIG, &[("refresh-token", "old-refresh-token")]), None);
}

fn saved(dir: &tempfile::TempDir, timeout: Duration) -> Result<(), String> {
    let user =
        User { name: "u".into(), defined_in: Some(dir.path().join("config")), ..User::default() };
    let store = TokenStore::of(&user).unwrap().with_timeout(timeout);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(store.save(&[("id-token", &"a.b.c".into())]))
}

#[test]
fn a_lock_that_stays_is_reported_and_the_file_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (config, lock) = (dir.path().join("config"), dir.path().join("config.lock"));
    fs::write(&config, CONFIG).unwrap();
    fs::write(&lock, "").unwrap();
    let err = saved(&dir, Duration::from_millis(50)).unwrap_err();
    assert!(err.starts_with(&format!("open {}: file exists; ", lock.display())), "{err}");
    assert!(lock.exists());
    assert_eq!(fs::read_to_string(&config).unwrap(), CONFIG);
}

#[test]
fn a_held_lock_is_waited_for_and_ours_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let (config, lock) = (dir.path().join("config"), dir.path().join("config.lock"));
    fs::write(&config, CONFIG).unwrap();
    fs::write(&lock, "").unwrap();
    let other = lock.clone();
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(60));
        fs::remove_file(other).unwrap();
    });
    saved(&dir, Duration::from_secs(20)).unwrap();
    other.join().unwrap();
    assert!(fs::read_to_string(&config).unwrap().contains("id-token: a.b.c"));
    assert!(!lock.exists());
}

#[test]
fn the_tokens_of_a_user_without_a_name_are_replaced() {
    let content = "users: [{user: {auth-provider: {config: {id-token: old-token}}}}]\n";
    let new = SecretString::from("new-token");
    let bytes = edited(content.as_bytes(), "", &[("id-token", &new)]).unwrap().unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), content.replace("old", "new"));
}
