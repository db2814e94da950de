//! The files in `packaging/`, and the version and the repository that all files name.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use support::cluster::TestCluster;

use super::{fake_program, path_with, root, text_of, yaml_of};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// Sentences that are true only before the first release.
const WITHOUT_RELEASE: [(&str, &str); 3] = [
    ("README.md", "There are no prebuilt"),
    ("docs/pipelines.md", "There is no release yet"),
    ("CHANGELOG.md", "is not released yet"),
];

fn manifest() -> toml::Table {
    toml::from_str(&text_of("Cargo.toml")).unwrap()
}

fn script(name: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg(root().join("packaging").join(name));
    command
}

fn stdout_of(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Each platform in the krew manifest: the target in Rust's name, and the entry.
fn krew_platforms() -> Vec<(String, Value)> {
    let manifest = yaml_of("packaging/krew/locust.yaml");
    let platforms = manifest["spec"]["platforms"].as_array().unwrap().clone();
    let target = |platform: &Value| {
        let checksum = platform["sha256"].as_str().unwrap();
        checksum.strip_prefix("SHA256_OF_").expect("the placeholder").to_owned()
    };
    platforms.into_iter().map(|platform| (target(&platform), platform)).collect()
}

fn built_targets() -> Vec<String> {
    let workflow = yaml_of(".github/workflows/release.yml");
    let builds = &workflow["jobs"]["build"]["strategy"]["matrix"]["include"];
    let target = |build: &Value| build["target"].as_str().unwrap().to_owned();
    builds.as_array().unwrap().iter().map(target).collect()
}

#[test]
fn every_file_names_the_version_and_the_repository_of_cargo_toml() {
    let krew = yaml_of("packaging/krew/locust.yaml");
    assert_eq!(krew["spec"]["version"], format!("v{VERSION}"));
    assert_eq!(krew["spec"]["homepage"], REPOSITORY);
    let action = text_of("action.yml");
    assert_eq!(yaml_of("action.yml")["inputs"]["version"]["default"], VERSION);
    assert!(action.contains(&format!("from={REPOSITORY}/releases/download/")), "{action}");
    for file in ["deploy/Dockerfile", "docs/serve.md"] {
        let command = format!("docker build --file deploy/Dockerfile --tag locustctl:{VERSION} .");
        assert!(text_of(file).contains(&command), "{file}");
    }
    let container = yaml_of("deploy/kustomization.yaml")["images"][0]["newTag"].clone();
    assert_eq!(container, VERSION);
    let image = format!("image: locustctl:{VERSION}\n");
    assert!(text_of("docs/pipelines.md").contains(&image), "{image}");
    let api: Value = serde_json::from_str(&text_of("src/serve/assets/openapi.json")).unwrap();
    assert_eq!(api["info"]["version"], VERSION);
    let fuzz: toml::Table = toml::from_str(&text_of("fuzz/Cargo.lock")).unwrap();
    let of_fuzz = fuzz["package"].as_array().unwrap().iter();
    let own = of_fuzz.filter(|it| it["name"].as_str() == Some("locustctl"));
    assert_eq!(own.map(|it| it["version"].as_str().unwrap()).collect::<Vec<_>>(), [VERSION]);
}

/// Between releases the changelog has a section "Unreleased". The release workflow sets RELEASE_TAG.
#[test]
fn the_tag_the_version_and_the_changelog_agree() {
    let changelog = text_of("CHANGELOG.md");
    let newest = changelog.lines().find_map(|line| line.strip_prefix("## ")).unwrap();
    match std::env::var("RELEASE_TAG") {
        Ok(tag) => {
            assert_eq!(tag, format!("v{VERSION}"), "the tag and Cargo.toml");
            let date = newest.strip_prefix(&format!("{VERSION} - "));
            assert!(date.is_some_and(|it| it.len() == 10), "CHANGELOG.md begins with {newest:?}");
            for (file, sentence) in WITHOUT_RELEASE {
                assert!(!text_of(file).contains(sentence), "{file} still says: {sentence}");
            }
        }
        Err(_) => assert!(
            newest == "Unreleased" || newest.starts_with(&format!("{VERSION} - ")),
            "CHANGELOG.md begins with {newest:?}"
        ),
    }
}

#[test]
fn krew_and_the_action_offer_only_archives_that_the_release_builds() {
    let built = built_targets();
    for (target, platform) in krew_platforms() {
        assert!(built.contains(&target), "{target} is not built");
        let name = format!("locustctl-{VERSION}-{target}");
        let uri = format!("{REPOSITORY}/releases/download/v{VERSION}/{name}.tar.gz");
        assert_eq!(platform["uri"], uri);
        let binary = platform["bin"].as_str().unwrap();
        let files: Vec<_> = platform["files"].as_array().unwrap().iter().collect();
        let sources: Vec<_> = files.iter().map(|file| file["from"].as_str().unwrap()).collect();
        assert_eq!(sources, [format!("{name}/{binary}"), format!("{name}/LICENSE")]);
    }
    let action = text_of("action.yml");
    let targets = action.lines().filter_map(|line| line.split_once(") target="));
    let targets: Vec<_> = targets.map(|(_, target)| target.trim_end_matches(" ;;")).collect();
    assert_eq!(targets.len(), 5, "{targets:?}");
    for target in targets {
        assert!(built.iter().any(|it| it == target), "{target} is not built");
    }
}

#[test]
fn an_archive_has_everything_that_a_package_installs() {
    let directory = tempfile::tempdir().unwrap();
    let notices = directory.path().join("notices.html");
    std::fs::write(&notices, "licences").unwrap();
    let built = script("archive.sh")
        .args(["x86_64-unknown-linux-gnu".as_ref(), support::program().as_os_str()])
        .args([&notices, directory.path()])
        .output()
        .unwrap();
    let archive = stdout_of(&built);
    let archive = Path::new(archive.trim_end());
    let name = format!("locustctl-{VERSION}-x86_64-unknown-linux-gnu");
    assert_eq!(archive, directory.path().join(format!("{name}.tar.gz")));
    let checked = Command::new("sha256sum")
        .args(["--check", &format!("{name}.tar.gz.sha256")])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert_eq!(stdout_of(&checked), format!("{name}.tar.gz: OK\n"));

    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(archive).current_dir(directory.path());
    assert!(tar.status().unwrap().success());
    let folder = directory.path().join(&name);
    for file in [
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "THIRD_PARTY_LICENSES.html",
        "completions/locustctl.bash",
        "man/locustctl-scale.1",
        "kubectl_complete-locust",
    ] {
        assert!(folder.join(file).exists(), "{file} is missing");
    }
    // cargo-binstall finds the binary where Cargo.toml says.
    let binstall = manifest()["package"]["metadata"]["binstall"].clone();
    let filled = |template: &toml::Value| {
        let mut text = template.as_str().unwrap().to_owned();
        for (name, value) in [
            ("repo", REPOSITORY),
            ("name", "locustctl"),
            ("version", VERSION),
            ("target", "x86_64-unknown-linux-gnu"),
            ("bin", "locustctl"),
            ("binary-ext", ""),
        ] {
            text = text.replace(&format!("{{ {name} }}"), value);
        }
        text
    };
    let binary = directory.path().join(filled(&binstall["bin-dir"]));
    let version = Command::new(binary).args(["version", "--client"]).output().unwrap();
    assert!(stdout_of(&version).contains(VERSION));
    let url = format!("{REPOSITORY}/releases/download/v{VERSION}/{name}.tar.gz");
    assert_eq!(filled(&binstall["pkg-url"]), url);
}

#[test]
fn the_release_fills_every_checksum_of_krew() {
    let directory = tempfile::tempdir().unwrap();
    let fill = || script("fill_checksums.sh").arg(directory.path()).output().unwrap();
    let targets: Vec<_> = krew_platforms().into_iter().map(|(target, _)| target).collect();
    for (index, target) in targets.iter().enumerate() {
        let missing = fill();
        let stderr = String::from_utf8_lossy(&missing.stderr);
        assert!(!missing.status.success() && stderr.contains(target.as_str()), "{stderr}");
        let file = format!("locustctl-{VERSION}-{target}.tar.gz");
        let line = format!("{index:064x}  {file}\n");
        std::fs::write(directory.path().join(format!("{file}.sha256")), line).unwrap();
    }
    let filled: Value = serde_saphyr::from_str(&stdout_of(&fill())).unwrap();
    for (index, platform) in filled["spec"]["platforms"].as_array().unwrap().iter().enumerate() {
        assert_eq!(platform["sha256"], format!("{index:064x}"));
    }
}

#[test]
fn the_release_pins_every_image_of_the_dockerfile() {
    let directory = tempfile::tempdir().unwrap();
    let digest = format!("sha256:{:064x}", 7);
    fake_program(directory.path(), "docker", &format!("echo {digest}"));
    let dockerfile = root().join("deploy/Dockerfile");
    let pinned = script("pin_images.sh")
        .arg(&dockerfile)
        .env("PATH", path_with(directory.path()))
        .output()
        .unwrap();
    let (pinned, committed) = (stdout_of(&pinned), text_of("deploy/Dockerfile"));
    assert_eq!(pinned.lines().count(), committed.lines().count());
    let images: Vec<_> = pinned.lines().filter(|line| line.starts_with("FROM ")).collect();
    assert_eq!(images.len(), 2);
    for image in images {
        assert!(image.contains(&format!("@{digest}")), "{image}");
    }
    // The build stage keeps its name, which COPY needs.
    assert!(pinned.contains(" AS build\n"), "{pinned}");

    fake_program(directory.path(), "docker", "exit 1");
    let failed = script("pin_images.sh")
        .arg(&dockerfile)
        .env("PATH", path_with(directory.path()))
        .output()
        .unwrap();
    assert!(!failed.status.success());
}

#[test]
fn kubectl_locust_is_completed() {
    let cluster = TestCluster::start();
    let complete = |words: &[&str]| {
        let directory = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(support::program(), directory.path().join("kubectl-locust"))
            .unwrap();
        let output = Command::new(root().join("packaging/kubectl_complete-locust"))
            .args(words)
            .env("PATH", path_with(directory.path()))
            .env("KUBECONFIG", cluster.kubeconfig())
            .output()
            .unwrap();
        stdout_of(&output)
    };
    let commands = complete(&["sc"]);
    assert!(commands.starts_with("scale\t"), "{commands}");
    assert!(commands.ends_with("\n:4\n"), "{commands}");
    let names = complete(&["scale", "deployment/locust-s"]);
    assert!(names.starts_with("deployment/locust-slave\n"), "{names}");
    assert!(complete(&["scale", "--repl"]).starts_with("--replicas"));
}

#[test]
fn the_crate_has_its_source_and_its_documents() {
    let listed = Command::new(env!("CARGO"))
        .args(["package", "--list", "--locked", "--allow-dirty", "--package=locustctl"])
        .current_dir(root())
        .output()
        .unwrap();
    let listed = stdout_of(&listed);
    let files: Vec<_> = listed.lines().collect();
    for file in [
        "src/main.rs",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "man/locustctl.1",
        "docs/run-report.schema.json",
        "packaging/kubectl_complete-locust",
    ] {
        assert!(files.contains(&file), "{file} is missing");
    }
    let foreign = |file: &&&str| {
        ["tests/", "fuzz/", "benches/", ".ci", ".github", "target/"]
            .iter()
            .any(|folder| file.starts_with(folder))
    };
    assert_eq!(files.iter().find(foreign), None);
}

#[test]
fn the_notices_have_every_licence_that_is_allowed() {
    let about: toml::Table = toml::from_str(&text_of("packaging/about.toml")).unwrap();
    let deny: toml::Table = toml::from_str(&text_of("deny.toml")).unwrap();
    assert_eq!(about["accepted"], deny["licenses"]["allow"]);
    // Only the tests use webdriver, and the notices leave such crates out.
    let exceptions = deny["licenses"]["exceptions"].as_array().unwrap().iter();
    let exceptions: BTreeMap<_, _> = exceptions
        .filter(|exception| exception["crate"].as_str() != Some("webdriver"))
        .map(|exception| (exception["crate"].as_str().unwrap(), &exception["allow"]))
        .collect();
    let in_notices = about.iter().filter_map(|(name, rule)| Some((&**name, rule.get("accepted")?)));
    assert_eq!(in_notices.collect::<BTreeMap<_, _>>(), exceptions);
}
