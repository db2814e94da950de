//! The fuzz targets: each has a function, a file and a corpus, and `cargo test` runs the corpus with small
//! changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use locustctl::fuzzing;

use super::{root, text_of};

/// The function of a target.
type Run = Box<dyn Fn(&[u8])>;

type RunBytes = fn(&[u8]);

/// The functions of the targets.
fn targets() -> BTreeMap<&'static str, Run> {
    fn of_text(run: fn(&str)) -> Run {
        Box::new(move |content| run(&String::from_utf8_lossy(content)))
    }
    let bytes: [(_, RunBytes); 15] = [
        ("certificate", fuzzing::certificate),
        ("change", fuzzing::change),
        ("exec_credential", fuzzing::exec_credential),
        ("installation", fuzzing::installation),
        ("kubeconfig", fuzzing::kubeconfig),
        ("kuberc", fuzzing::kuberc),
        ("lease", fuzzing::lease),
        ("locust_results", fuzzing::locust_results),
        ("manifest", fuzzing::manifest),
        ("panel", fuzzing::panel),
        ("pem", fuzzing::pem),
        ("remembered", fuzzing::remembered),
        ("session", fuzzing::session),
        ("watch", fuzzing::watch),
        ("yaml", fuzzing::yaml),
    ];
    let texts: [(_, fn(&str)); 6] = [
        ("condition", fuzzing::condition),
        ("go_template", |text| fuzzing::template("go-template", text)),
        ("history", fuzzing::history),
        ("jsonpath", |text| fuzzing::template("jsonpath", text)),
        ("locust_answers", fuzzing::locust_answers),
        ("url", fuzzing::url),
    ];
    let bytes = bytes.map(|(name, run)| (name, Box::new(run) as Run));
    let texts = texts.map(|(name, run)| (name, of_text(run)));
    bytes.into_iter().chain(texts).collect()
}

/// The files in this folder of `fuzz/`.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("fuzz").join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn stems(paths: &[PathBuf]) -> BTreeSet<String> {
    paths.iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_target_has_a_function_a_file_and_a_corpus() {
    let names: BTreeSet<String> = targets().into_keys().map(str::to_owned).collect();
    let manifest: toml::Table = toml::from_str(&text_of("fuzz/Cargo.toml")).unwrap();
    let declared = manifest["bin"].as_array().unwrap().iter();
    let declared: BTreeSet<_> = declared
        .map(|target| {
            let name = target["name"].as_str().unwrap();
            assert_eq!(target["path"].as_str(), Some(&*format!("fuzz_targets/{name}.rs")));
            name.to_owned()
        })
        .collect();
    assert_eq!(declared, names);
    assert_eq!(stems(&files("fuzz_targets")), names);
    assert_eq!(stems(&files("corpus")), names);
}

#[test]
fn every_target_takes_its_corpus_cut_and_changed() {
    for (name, run) in targets() {
        for path in files(&format!("corpus/{name}")) {
            let content = std::fs::read(&path).unwrap();
            run(&content);
            // At most 40 places in each file, so that this takes no long time.
            for at in (0..content.len()).step_by(content.len() / 40 + 1) {
                run(&content[..at]);
                for byte in [0, b'"', b'9', 0xff] {
                    let mut changed = content.clone();
                    changed[at] = byte;
                    run(&changed);
                }
            }
        }
    }
}
