//! The expected texts are those of kubectl 1.36 with the same files.

use super::*;

const V1BETA1: &str = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";
const V1ALPHA1: &str = "apiVersion: kubectl.config.k8s.io/v1alpha1\nkind: Preference\n";

fn v1beta1(rest: &str) -> LoadedKuberc {
    from_content(format!("{V1BETA1}{rest}\n").as_bytes())
}

fn preset(name: &str, value: &str) -> Preset {
    Preset { name: name.to_owned(), value: value.to_owned() }
}

fn scale(options: &[Preset]) -> Vec<CommandDefaults> {
    vec![CommandDefaults { command: "scale".to_owned(), options: options.to_vec() }]
}

#[test]
fn both_versions_are_read() {
    let alias = Alias {
        name: "sc".to_owned(),
        command: "scale".to_owned(),
        prepend_args: vec!["a".to_owned()],
        append_args: vec!["b".to_owned(), "c".to_owned()],
        options: vec![preset("output", "name")],
    };
    let expected = Preferences {
        defaults: scale(&[preset("replicas", "3")]),
        aliases: vec![alias],
        plugin_policy: PluginPolicy::AllowAll,
    };
    for (header, defaults, options) in
        [(V1BETA1, "defaults", "options"), (V1ALPHA1, "overrides", "flags")]
    {
        let text = format!(
            "{header}{defaults}:\n- command: scale\n  {options}: [{{name: replicas, default: '3'}}]\n\
             aliases:\n- name: sc\n  command: scale\n  prependArgs: [a]\n  appendArgs: [b, c]\n  \
             {options}: [{{name: output, default: name}}]\n"
        );
        let found = from_content(text.as_bytes());
        assert_eq!(found.preferences.unwrap().unwrap(), expected);
        assert_eq!(found.notice, None);
    }
}

#[test]
fn the_first_document_that_is_a_preference_counts() {
    let good = format!("{V1BETA1}defaults: [{{command: scale}}]\n");
    let table = [
        (good.clone(), 1),
        (format!("a: b\n---\n{{{{\n---  \n{good}...\n---\nfoo"), 3),
        (format!("---\n\n---\n{good}---\n{V1BETA1}aliases: 5"), 1),
        (format!("--- # not alone\na: b\n---\r\n{good}"), 2),
    ];
    for (text, entry) in table {
        let found = from_content(text.as_bytes());
        assert_eq!(found.preferences.unwrap().unwrap().defaults, scale(&[]), "{text}");
        let expected =
            format!("kuberc: using entry {entry} (kubectl.config.k8s.io/v1beta1) in kuberc");
        assert_eq!(found.log.last(), Some(&expected), "{text}");
    }
    for nothing in ["", "\n", "---\n---\n", V1BETA1] {
        let preferences = from_content(nothing.as_bytes()).preferences.unwrap().unwrap_or_default();
        assert_eq!(preferences, Preferences::default(), "{nothing}");
    }
}

#[test]
fn duplicate_and_unknown_keys_give_a_notice_and_the_file_counts() {
    let table = [
        (
            format!(
                "{V1BETA1}foo: 1\ndefaults: [{{command: scale, bar: 1, options: [{{nAme: x}}]}}]"
            ),
            "unknown field \"defaults[0].bar\", unknown field \"defaults[0].options[0].nAme\", \
             unknown field \"foo\"",
        ),
        (
            format!("{V1BETA1}defaults: [{{command: x}}]\ndefaults: [{{command: scale}}]"),
            "yaml: unmarshal errors:\n  line 4: key \"defaults\" already set in map",
        ),
        (
            format!("{V1BETA1}credPluginAllowlist: []\nDefaults: []"),
            "unknown field \"Defaults\", unknown field \"credPluginAllowlist\"",
        ),
        (
            format!("{V1ALPHA1}credentialPluginPolicy: DenyAll\ndefaults: []"),
            "unknown field \"credentialPluginPolicy\", unknown field \"defaults\"",
        ),
        (
            format!(
                "{V1BETA1}credentialPluginAllowlist: [{{command: x, foo: y}}]\ncredentialPluginPolicy: Allowlist"
            ),
            "unknown field \"credentialPluginAllowlist[0].foo\"",
        ),
    ];
    for (text, errors) in table {
        let found = from_content(text.as_bytes());
        assert!(matches!(found.preferences, Ok(Some(_))), "{found:?}");
        let expected = format!(
            "kuberc: ignoring strict decoding error in kuberc: strict decoding error: {errors}"
        );
        assert_eq!(found.notice, Some(expected));
    }
}

#[test]
fn unreadable_documents_are_skipped_and_logged() {
    let table = [
        ("a: b".to_owned(), "Object 'Kind' is missing in '[...]'"),
        ("# a comment\n".to_owned(), "Object 'Kind' is missing in '[...]'"),
        ("kind: Preference".to_owned(), "Object 'apiVersion' is missing in '[...]'"),
        ("apiVersion: a/b/c\nkind: Preference".to_owned(), "unexpected GroupVersion string: a/b/c"),
        (
            "apiVersion: v1\nkind: Pod".to_owned(),
            "no kind \"Pod\" is registered for version \"v1\" in scheme \"pkg/config/scheme/scheme.go:30\"",
        ),
        (
            "apiVersion: kubectl.config.k8s.io/v1\nkind: Preference".to_owned(),
            "no kind \"Preference\" is registered for version \"kubectl.config.k8s.io/v1\" in scheme \
             \"pkg/config/scheme/scheme.go:30\"",
        ),
        (
            "- a".to_owned(),
            "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value \
             of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
             \"json:\\\"kind,omitempty\\\"\" }",
        ),
        ("x: [".to_owned(), "yaml: line 1: did not find expected node content"),
        (
            format!("{V1BETA1}defaults: 5"),
            "json: cannot unmarshal number into Go struct field Preference.defaults of type \
             []v1beta1.CommandDefaults",
        ),
        (
            format!("{V1BETA1}defaults: [5]"),
            "json: cannot unmarshal number into Go struct field Preference.defaults of type \
             v1beta1.CommandDefaults",
        ),
        (
            format!("{V1BETA1}defaults: [{{options: [{{name: replicas, default: 3}}]}}]"),
            "json: cannot unmarshal number into Go struct field \
             CommandOptionDefault.defaults.options.default of type string",
        ),
        (
            format!("{V1BETA1}defaults: [{{options: 5}}]"),
            "json: cannot unmarshal number into Go struct field CommandDefaults.defaults.options of \
             type []v1beta1.CommandOptionDefault",
        ),
        (
            format!("{V1BETA1}aliases: [{{prependArgs: x}}]"),
            "json: cannot unmarshal string into Go struct field AliasOverride.aliases.prependArgs of \
             type []string",
        ),
        (
            format!("{V1BETA1}aliases: [{{appendArgs: [5]}}]"),
            "json: cannot unmarshal number into Go struct field AliasOverride.aliases.appendArgs of \
             type string",
        ),
        (
            format!("{V1BETA1}credentialPluginPolicy: 5"),
            "json: cannot unmarshal number into Go struct field Preference.credentialPluginPolicy of \
             type v1beta1.CredentialPluginPolicy",
        ),
        (
            format!("{V1BETA1}credentialPluginAllowlist: [{{command: 5}}]"),
            "json: cannot unmarshal number into Go struct field \
             AllowlistEntry.credentialPluginAllowlist.command of type string",
        ),
        (
            format!("{V1BETA1}credentialPluginAllowlist: [{{name: ax, command: bx}}]"),
            "both `Name` and `Command` were supplied with different values. `Name` is deprecated, use \
             `Command` instead",
        ),
        (
            format!("{V1ALPHA1}overrides: [{{flags: [{{default: 5}}]}}]"),
            "json: cannot unmarshal number into Go struct field \
             CommandOptionDefault.overrides.flags.default of type string",
        ),
    ];
    for (text, reason) in table {
        let found = from_content(text.as_bytes());
        let none = "no valid preferences found in kuberc, use --v=5 to see details".to_owned();
        assert_eq!(found.preferences, Err(none), "{text}");
        let expected = format!("kuberc: strict decoding error for entry 1 in kuberc: {reason}");
        assert_eq!(found.log, [expected], "{text}");
    }
}

#[test]
fn names_and_the_policy_are_checked_in_kubectls_order() {
    let letters = "invalid alias name, can only include alphabetical characters";
    for (text, expected) in [
        ("aliases: [{name: a1, command: scale}]", letters),
        ("aliases: [{command: scale}]", letters),
        ("aliases: [{name: \"a\\n\"}]", letters),
        ("aliases: [{name: é}]", letters),
        ("aliases: [{name: a}, {name: a}]", "duplicate alias name a"),
        (
            "aliases: [{name: a, options: [{name: -v}]}, {name: a1}]",
            "flag name -v should be in long form without dashes",
        ),
        (
            "defaults: [{command: get, options: [{name: -x}]}]",
            "flag name -x should be in long form without dashes",
        ),
        ("aliases: [{name: a1}]\ncredentialPluginPolicy: Foo", letters),
        ("credentialPluginPolicy: Foo", "unknown plugin policy: \"Foo\""),
        (
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [null]",
            "misconfigured credential plugin allowlist: empty allowlist entry #1",
        ),
    ] {
        assert_eq!(v1beta1(text).preferences, Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn an_allowlist_accepts_both_names_of_its_field() {
    let found = v1beta1(
        "credentialPluginPolicy: Allowlist\n\
         credentialPluginAllowlist: [{name: a}, {command: b}, {name: c, command: c}]",
    );
    let expected = PluginPolicy::Allowlist(["a", "b", "c"].map(str::to_owned).to_vec());
    assert_eq!(found.preferences.unwrap().unwrap().plugin_policy, expected);
}

#[test]
fn an_explicit_file_must_exist_and_the_default_one_need_not() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let load = |path: &std::path::Path, is_explicit| {
        let found = load(&Location { path: path.to_owned(), is_explicit });
        (found.preferences, found.notice)
    };
    assert_eq!(load(&missing, false), (Ok(None), None));
    let text = format!("open {}: no such file or directory", missing.display());
    assert_eq!(load(&missing, true), (Err(format!("kuberc error kuberc: {text}")), None));
    let path = directory.path().display();
    let text = format!("read {path}: is a directory");
    assert_eq!(load(directory.path(), true).0, Err(format!("kuberc error kuberc: {text}")));
    let notice = format!("kuberc: no preferences loaded from {path}: {text}");
    assert_eq!(load(directory.path(), false), (Ok(None), Some(notice)));
}

#[test]
fn size_and_depth_are_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kuberc");
    std::fs::write(&path, vec![b'#'; 1024 * 1024 + 1]).unwrap();
    let found = load(&Location { path, is_explicit: true });
    assert!(found.preferences.unwrap_err().ends_with("too large for a kuberc: more than 1 MB"));
    assert!(v1beta1(&format!("defaults: {}", "[".repeat(50_000))).preferences.is_err());
}

#[test]
fn damaged_files_are_refused_without_a_panic() {
    let whole = format!(
        "{V1BETA1}defaults: [{{command: scale, options: [{{name: replicas, default: '3'}}]}}]\n\
         aliases:\n- {{name: sc, command: scale}}\n---\nfoo\n"
    );
    for end in 0..whole.len() {
        let _ = from_content(&whole.as_bytes()[..end]);
        let mut flipped = whole.clone().into_bytes();
        flipped[end] ^= 0x80;
        let _ = from_content(&flipped);
        flipped[end] = b'\n';
        let _ = from_content(&flipped);
    }
}
