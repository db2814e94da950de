//! The dependencies follow the rules of `deny.toml`.

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

impl Rules {
    fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml");
        toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// True if the licence expression `license` of the crate `name` can be met with allowed licences.
    fn allow_license(&self, name: &str, license: &str) -> bool {
        let exceptions = self.licenses.exceptions.iter().filter(|it| it.name == name);
        let allowed: Vec<_> =
            self.licenses.allow.iter().chain(exceptions.flat_map(|it| &it.allow)).collect();
        // crates.io's old form separates alternatives by a slash.
        let license = license.replace('/', " OR ");
        let expression = spdx::Expression::parse(&license).unwrap();
        expression.evaluate(|requirement| allowed.iter().any(|it| **it == requirement.to_string()))
    }
}

/// The packages in Cargo.lock, on all platforms, with the features that the project uses.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version=1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().filter(|package| !package["source"].is_null()).cloned().collect()
}

#[test]
fn every_dependency_follows_the_rules() {
    let (rules, packages) = (Rules::read(), packages());
    assert!(packages.len() > 100, "{} packages", packages.len());
    let mut faults = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        let license = package["license"].as_str().unwrap_or("none");
        if !rules.allow_license(name, license) {
            faults.push(format!("{name}: the licence {license} is not allowed"));
        }
        if rules.bans.deny.iter().any(|ban| ban.name == name) {
            faults.push(format!("{name} is banned"));
        }
        let source = package["source"].as_str().unwrap();
        let registry = source.strip_prefix("registry+");
        if !registry.is_some_and(|it| rules.sources.allow_registry.iter().any(|known| known == it))
        {
            faults.push(format!("{name}: the source {source} is not allowed"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_rules_refuse_what_they_do_not_name() {
    let rules = Rules::read();
    for (name, license, allowed) in [
        ("a", "MIT OR GPL-3.0-only", true),
        ("a", "MIT AND GPL-3.0-only", false),
        ("a", "Unlicense/MIT", true),
        ("a", "MPL-2.0", false),
        ("option-ext", "MPL-2.0", true),
    ] {
        assert_eq!(rules.allow_license(name, license), allowed, "{name}: {license}");
    }
}

#[test]
fn every_exception_is_needed() {
    let names: BTreeMap<_, _> = packages()
        .iter()
        .map(|it| (it["name"].as_str().unwrap().to_owned(), it["license"].to_string()))
        .collect();
    for exception in Rules::read().licenses.exceptions {
        let license = names.get(&exception.name).map(String::as_str).unwrap_or_default();
        assert!(
            exception.allow.iter().all(|it| license.contains(it.as_str())),
            "{} has the licence {license}",
            exception.name
        );
    }
}
