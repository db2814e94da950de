//! From the flags to the objects, with real files.

mod kubectl;

use std::fs;

use super::*;

/// A directory with manifests, and its path with a slash.
fn directory() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let manifest = |name: &str| format!("apiVersion: v1\nkind: A\nmetadata: {{name: {name}}}\n");
    fs::create_dir_all(directory.path().join("d/sub")).unwrap();
    fs::create_dir_all(directory.path().join("empty")).unwrap();
    for name in ["d/b.yaml", "d/a.json", "d/c.txt", "d/sub/d.yml", "d/.yaml", "one"] {
        fs::write(directory.path().join(name), manifest(name)).unwrap();
    }
    let path = format!("{}/", directory.path().display());
    (directory, path)
}

fn sources(filenames: &[&str]) -> Sources {
    let filenames = filenames.iter().map(|name| (*name).to_owned()).collect();
    Sources { filenames, ..Sources::default() }
}

/// The files, or the errors, without the path of the directory.
fn check(sources: &Sources, root: &str) -> Result<Vec<String>, Vec<String>> {
    let (sources, errors) = sources.check();
    let short = |text: String| text.replace(root, "");
    if !errors.is_empty() {
        return Err(errors.iter().map(|error| short(error.to_string())).collect());
    }
    let name = |source: Source| match source {
        Source::File(path) => short(path.to_string_lossy().into_owned()),
        other => format!("{other:?}"),
    };
    Ok(sources.into_iter().map(name).collect())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn the_same_files_are_found_as_in_kubectl() {
    let (_directory, root) = directory();
    for (typed, recursive, expected) in [
        ("one", false, &["one"] as &[&str]),
        ("d", false, &["d/.yaml", "d/a.json", "d/b.yaml"]),
        ("d/", true, &["d/.yaml", "d/a.json", "d/b.yaml", "d/sub/d.yml"]),
        ("d/c.txt", false, &["d/c.txt"]),
        ("d/[ab].*", false, &["d/a.json", "d/b.yaml"]),
        ("*/*.yaml", false, &["d/.yaml", "d/b.yaml"]),
        ("d/s*", false, &["d/sub/d.yml"]),
    ] {
        let sources = Sources { recursive, ..sources(&[&format!("{root}{typed}")]) };
        assert_eq!(check(&sources, &root).unwrap(), expected, "{typed}");
    }
}

#[test]
fn all_missing_files_are_reported_together() {
    let (_directory, root) = directory();
    let at = |name: &str| format!("{root}{name}");
    let names = [&at("nope"), "[", &at("z*"), "-", "-", &at("one/x"), "http://[::1"];
    assert_eq!(
        check(&sources(&names), &root).unwrap_err(),
        [
            "the path \"nope\" does not exist",
            "pattern \"[\" is not valid: syntax error in pattern",
            "the path \"z*\" does not exist",
            "standard input cannot be used for multiple arguments",
            "the path \"one/x\" cannot be accessed: stat one/x: not a directory",
            "the URL passed to filename \"http://[::1\" is not valid: parse \"http://[::1\": \
             missing ']' in host",
        ]
    );
    let only_empty = ["error reading [empty]: recognized file extensions are [.json .yaml .yml]"];
    assert_eq!(check(&sources(&[&at("empty")]), &root).unwrap_err(), only_empty);
    assert_eq!(check(&sources(&[&at("one"), &at("empty")]), &root).unwrap(), ["one"]);
}

#[test]
fn k_cannot_be_combined_with_f_or_r() {
    let with = |filenames: &[&str], recursive| {
        let kustomize = Some("k".to_owned());
        check(&Sources { kustomize, recursive, ..sources(filenames) }, "")
    };
    let (only_one, no_r) =
        ("only one of -f or -k can be specified", "the -k flag can't be used with -f or -R");
    assert_eq!(with(&["x"], false).unwrap_err(), [only_one]);
    assert_eq!(with(&[], true).unwrap_err(), [no_r]);
    assert_eq!(with(&["x"], true).unwrap_err(), [only_one, no_r]);
    assert_eq!(with(&[], false).unwrap(), ["Kustomization(\"k\")"]);
}

#[test]
fn an_error_does_not_stop_the_next_source() {
    let (_directory, root) = directory();
    let broken = format!("{root}broken");
    fs::write(&broken, "a: b\n---\nkind: A\napiVersion: v1\n---\na: [}\n---\nkind: B\n").unwrap();
    let sources = [
        Source::File(broken.into()),
        Source::File(format!("{root}gone").into()),
        Source::File(format!("{root}d").into()),
        Source::Kustomization(format!("{root}nope/x")),
        Source::Kustomization(format!("{root}empty")),
        Source::Kustomization(format!("{root}one")),
        Source::File(format!("{root}one").into()),
    ];
    let documents = runtime().block_on(read(&sources));
    let shown = documents.into_iter().map(|document| match document {
        Ok(document) => format!("{} {:?}", document.object.kind, document.object.name),
        Err(error) => error.to_string().replace(&root, ""),
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            "unable to decode \"broken\": Object 'Kind' is missing in '{\"a\":\"b\"}'",
            "A None",
            "error parsing broken: error converting YAML to JSON: yaml: did not find expected \
             node content",
            "open gone: no such file or directory",
            "error parsing d: read d: is a directory",
            "must build at directory: not a valid directory: evalsymlink failure on 'nope/x' : \
             lstat nope: no such file or directory",
            "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' \
             in directory 'empty'",
            "must build at directory: 'one': file is not directory",
            "A Some(\"one\")",
        ]
    );
}

#[test]
fn the_expansion_of_aliases_is_limited() {
    let document = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                    c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n---\n";
    let documents = parse(document.repeat(100).as_bytes(), "m");
    assert!(documents.len() < 100, "{}", documents.len());
    assert!(parse("{} ".repeat(11_000).as_bytes(), "m").len() == 10_001);
}

/// Does the same as the fuzz target, with texts made of pieces of manifests.
#[test]
fn random_content_does_not_panic() {
    const PIECES: [&str; 30] = [
        "kind: A\n",
        "apiVersion: v1\n",
        "---\n",
        "---",
        "--- x\n",
        "{",
        "}",
        "[",
        "]",
        ":",
        " ",
        "\n",
        "\t",
        "\"",
        "'",
        "\\u",
        "\\ud800",
        "items",
        "metadata: {name: x}\n",
        "- ",
        ",",
        "\u{0}",
        "é",
        "null",
        "1e999",
        "&a ",
        "*a",
        "|\n",
        "{\"kind\":\"A\",\"apiVersion\":\"v1\"}",
        "\u{feff}",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..3_000 {
        let length = random.usize(..20);
        let text: String = (0..length).map(|_| PIECES[random.usize(..PIECES.len())]).collect();
        parse(text.as_bytes(), "m");
        let cut = random.usize(..=text.len());
        parse(&text.as_bytes()[cut..], "m");
        let _ = label_selector(&text);
        let _ = split_filenames(&text);
        let _ = glob::glob(&text.replace(['/', '.'], ""));
    }
}

#[test]
fn a_slash_before_the_version_is_not_a_part_of_it() {
    let documents = parse(b"apiVersion: /v1\nkind: A\nmetadata: {name: a}\n", "m");
    let object = &documents[0].as_ref().unwrap().object;
    assert_eq!((object.api_version.as_str(), &object.value["apiVersion"]), ("v1", &"/v1".into()));
}
