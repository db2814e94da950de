//! Tests of the selection of files, contexts and entries.

use secrecy::ExposeSecret;

use super::*;

#[test]
fn flags_override_the_cluster_user_and_namespace_of_the_context() {
    let dir = Dir::of(CLUSTERS);
    // (flags, server, token, username, namespace, context)
    type Row<'a> = (&'a [(&'a str, &'a str)], [&'a str; 5]);
    let table: [Row; 10] = [
        (&[], ["https://c:6443/prefix", "t0ken", "", "ns", "one"]),
        (&[("context", "")], ["https://c:6443/prefix", "t0ken", "", "ns", "one"]),
        (&[("context", "two")], ["http://plain", "", "me", "default", "two"]),
        (&[("namespace", "x")], ["https://c:6443/prefix", "t0ken", "", "x", "one"]),
        (&[("cluster", "plain")], ["http://plain", "t0ken", "", "ns", "one"]),
        (&[("user", "v")], ["https://c:6443/prefix", "", "me", "ns", "one"]),
        (&[("server", "h:1")], ["http://h:1", "t0ken", "", "ns", "one"]),
        (&[("token", "x")], ["https://c:6443/prefix", "x", "", "ns", "one"]),
        (&[("context", "lost"), ("server", "https://s")], ["https://s", "", "", "default", "lost"]),
        (
            &[("context", "bare"), ("cluster", "c"), ("user", "u")],
            ["https://c:6443/prefix", "t0ken", "", "default", "bare"],
        ),
    ];
    for (given, expected) in table {
        let access = dir.resolve(flags(given)).unwrap();
        let token = access.user.token.as_ref();
        let token = token.map(|t| t.expose_secret()).unwrap_or_default();
        let username = access.user.username.as_deref().unwrap_or_default();
        let context = access.context.as_deref().unwrap_or_default();
        let found = [&access.cluster.server, token, username, &access.namespace, context];
        assert_eq!(found, expected, "{given:?}");
    }
}

#[test]
fn names_without_an_entry_are_errors_in_kubectls_words() {
    let dir = Dir::of(CLUSTERS);
    let no_context = "Error in configuration: context was not found for specified context: nope";
    // Every text is kubectl's.
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a str);
    let table: [Row; 9] = [
        (&[("context", "nope")], no_context),
        (&[("context", "nope"), ("namespace", "n")], "context \"nope\" does not exist"),
        (&[("cluster", "nope")], "no server found for cluster \"nope\""),
        (&[("cluster", "nope"), ("server", "h")], "no server found for cluster \"nope\""),
        (&[("cluster", "nope"), ("namespace", "n")], "cluster \"nope\" does not exist"),
        (&[("user", "nope")], "auth info \"nope\" does not exist"),
        (&[("user", "nope"), ("cluster", "nope")], "no server found for cluster \"nope\""),
        (
            &[("user", "nope"), ("cluster", "nope"), ("namespace", "n")],
            "auth info \"nope\" does not exist",
        ),
        (
            &[("server", "127.0.0.1:1/prefix")],
            "host must be a URL or a host:port pair: \"127.0.0.1:1/prefix\"",
        ),
    ];
    for (given, expected) in table {
        assert_eq!(dir.error(flags(given)), expected, "{given:?}");
    }
    let gone = Dir::of("current-context: nope");
    assert_eq!(gone.error(flags(&[])), no_context);
    assert_eq!(gone.error(flags(&[("namespace", "n")])), no_context);
}

#[test]
fn the_error_about_a_missing_server_names_the_entries() {
    let dir = Dir::of(CLUSTERS);
    let table: [(&[(&str, &str)], &str); 3] = [
        (&[("context", "lost")], "context \"lost\" names cluster \"gone\", which does not exist\n"),
        (&[("context", "bare")], "context \"bare\" names no cluster\n"),
        (
            &[("cluster", "unserved")],
            "context \"one\" names cluster \"unserved\", which has no server\n",
        ),
    ];
    for (given, expected) in table {
        let text = dir.error(flags(given));
        assert!(text.starts_with(&format!("no cluster is configured: {expected}")), "{text}");
        assert!(text.ends_with("locustctl --sandbox scale --replicas=3"), "{text}");
    }
    let text = Dir::of("").error(flags(&[]));
    assert!(
        text.starts_with("no cluster is configured: no current context or server in DIR/config\n"),
        "{text}"
    );
    let text = resolve(&flags(&[]), &Environment::default()).unwrap_err().to_string();
    assert!(text.contains("there is neither $KUBECONFIG nor a home directory"), "{text}");
}

#[test]
fn kubernetes_master_is_the_server_of_last_resort() {
    let mut dir = Dir::of(CLUSTERS);
    dir.environment.kubernetes_master = Some("https://master".into());
    let server = |given: &[_]| dir.resolve(flags(given)).unwrap().cluster.server;
    assert_eq!(server(&[("context", "lost")]), "https://master");
    assert_eq!(server(&[("cluster", "unserved")]), "https://master");
    assert_eq!(server(&[]), "https://c:6443/prefix");
}

#[test]
fn the_first_file_that_defines_a_name_wins_with_the_whole_entry() {
    let mut dir = Dir::of("users: [{name: u, user: {username: first}}]").write("second", CLUSTERS);
    let list = [dir.path("config"), dir.path("missing"), dir.path("second")];
    dir.environment.kubeconfig = Some(std::env::join_paths(&list).unwrap());
    let access = dir.resolve(flags(&[])).unwrap();
    assert_eq!(access.user.username.as_deref(), Some("first"));
    assert!(access.user.token.is_none());
    assert_eq!(access.context.as_deref(), Some("one"));
    assert_eq!(access.files, [list[0].clone(), list[2].clone()]);
    assert_eq!(access.missing_files, [list[1].clone()]);
}

#[test]
fn the_kubeconfig_flag_is_the_only_file_read() {
    let dir = Dir::of("users: 1").write("other", CLUSTERS);
    let mut only = flags(&[]);
    only.kubeconfig = Some(dir.path("other"));
    assert_eq!(dir.resolve(only).unwrap().files, [dir.path("other")]);
}

#[test]
fn a_server_by_flag_clears_the_files_server_name() {
    let dir = Dir::of(CLUSTERS);
    let name = |given: &[_]| dir.resolve(flags(given)).unwrap().cluster.tls_server_name;
    assert_eq!(name(&[]).as_deref(), Some("inner"));
    assert_eq!(name(&[("server", "https://x")]), None);
    assert_eq!(name(&[("server", "https://x"), ("tls-server-name", "y")]).as_deref(), Some("y"));
    assert!(dir.resolve(flags(&[])).unwrap().cluster.disable_compression);
}

#[test]
fn entries_without_a_name_are_in_effect_when_no_name_is_selected() {
    // (configuration, server, token, namespace)
    let table = [
        // Each list may have one entry without a name.
        (
            "{contexts: [{context: {namespace: ns}}],
              clusters: [{cluster: {server: 'https://c'}}], users: [{user: {token: t}}]}",
            ["https://c", "t", "ns"],
        ),
        (
            "{contexts: [{name: '', context: {cluster: c, user: u, namespace: ns}}],
              clusters: [{name: c, cluster: {server: 'https://c'}}],
              users: [{name: u, user: {token: t}}]}",
            ["https://c", "t", "ns"],
        ),
        (
            "{contexts: [{name: ~, context: {user: u}}], clusters: [{name: ~, cluster: {server: 'https://c'}}],
              users: [{name: u, user: {token: t}}]}",
            ["https://c", "t", "default"],
        ),
        // A named context without a cluster or a user has the entries without a name.
        (
            "{current-context: a, contexts: [{name: a, context: {namespace: ns}}, {context: {namespace: other}}],
              clusters: [{cluster: {server: 'https://c'}}], users: [{user: {token: t}}]}",
            ["https://c", "t", "ns"],
        ),
        ("{clusters: [{cluster: {server: 'https://c'}}], users: [{user: {token: t}}]}", ["https://c", "t", "default"]),
    ];
    for (config, [server, token, namespace]) in table {
        let dir = Dir::of(config);
        for (given, server) in
            [(vec![], server), (vec![("server", "https://flag")], "https://flag")]
        {
            let access = dir.resolve(flags(&given)).unwrap();
            assert_eq!(access.cluster.server, server, "{config}");
            assert_eq!(access.user.token.unwrap().expose_secret(), token, "{config}");
            assert_eq!(access.namespace, namespace, "{config}");
        }
    }
}

#[test]
fn the_first_file_with_an_entry_without_a_name_wins() {
    let mut dir = Dir::of("contexts: [{context: {namespace: first}}]")
        .write("second", "{contexts: [{name: '', context: {namespace: second}}], clusters: [{cluster: {server: 'https://c'}}]}");
    let list = [dir.path("config"), dir.path("second")];
    dir.environment.kubeconfig = Some(std::env::join_paths(&list).unwrap());
    let access = dir.resolve(flags(&[])).unwrap();
    assert_eq!((access.namespace.as_str(), access.cluster.server.as_str()), ("first", "https://c"));
}
