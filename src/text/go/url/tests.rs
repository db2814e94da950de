//! URLs that Go reads in one way and a browser in another, and properties of any text.

use secrecy::ExposeSecret;

use super::*;

/// `scheme|user:password|host|path` of a URL.
fn parts(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let login = url
        .login
        .as_ref()
        .map(|login| format!("{}:{}", login.username, login.password.expose_secret()));
    let path = escape_path(&url.path);
    Ok(format!("{}|{}|{}|{path}", url.scheme, login.unwrap_or_default(), url.host))
}

#[test]
fn urls_are_read_as_by_go() {
    for (text, expected) in [
        ("https://h", "https||h|"),
        ("HTTPS://H:1/a/b?q#f", "https||H:1|/a/b"),
        ("https://h/a b", "https||h|/a%20b"),
        ("https://h/a%2fb", "https||h|/a/b"),
        ("https://h/%ff", "https||h|/%FF"),
        ("https://h/é", "https||h|/%C3%A9"),
        ("https://h/a\\b", "https||h|/a%5Cb"),
        ("https://me:p%40w@h", "https|me:p@w|h|"),
        ("https://me@h", "https|me:|h|"),
        ("https://@h", "https|:|h|"),
        ("https://a@b@h", "https|a@b:|h|"),
        ("https://127.1", "https||127.1|"),
        ("https://0x7f.0.0.1", "https||0x7f.0.0.1|"),
        ("https://h:", "https||h:|"),
        ("https://h:70000", "https||h:70000|"),
        ("https://[::1]:6443", "https||[::1]:6443|"),
        ("https://[::ffff:127.0.0.1]", "https||[::ffff:127.0.0.1]|"),
        ("https://[fe80::1%25eth0]:1", "https||[fe80::1%eth0]:1|"),
        ("https://h%C3%A9", "https||hé|"),
        ("https://a<b\"", "https||a<b\"|"),
        ("h:1", "h|||"),
        ("mailto:me", "mailto|||"),
        ("h", "|||h"),
        ("//h/p", "||h|/p"),
        ("///p", "|||///p"),
        ("https:///p", "https|||/p"),
    ] {
        assert_eq!(parts(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn other_texts_are_refused_in_the_words_of_go() {
    for (text, problem) in [
        ("https://h\\", "invalid character \"\\\\\" in host name"),
        ("https://127.0.0.1:1\\", "invalid port \":1\\\\\" after host"),
        ("https://loc%61lhost", "invalid URL escape \"%61\""),
        ("https://h%zz", "invalid URL escape \"%zz\""),
        ("https://h%", "invalid URL escape \"%\""),
        ("https://h%ff", "invalid URL escape \"h%ff\""),
        ("https://h/%zz", "invalid URL escape \"%zz\""),
        ("https://h/%2", "invalid URL escape \"%2\""),
        ("https://a b", "invalid character \" \" in host name"),
        ("https://h:port", "invalid port \":port\" after host"),
        ("https://a:b:1", "invalid port \":b:1\" after host"),
        ("https://::1", "invalid port \"::1\" after host"),
        ("https://[::1", "missing ']' in host"),
        ("https://[::1]x", "invalid port \"x\" after host"),
        ("https://[1.2.3.4]", "invalid IP-literal"),
        ("https://x[::1]", "invalid IP-literal"),
        ("https://[::zz]", "invalid host: ParseAddr(\"::zz\"): unable to parse IP"),
        ("https://h/\n", "net/url: invalid control character in URL"),
        ("https://a b@h", "net/url: invalid userinfo"),
        (":x", "missing protocol scheme"),
        ("1:x", "first path segment in URL cannot contain colon"),
        ("https://h#%zz", "invalid URL escape \"%zz\""),
    ] {
        assert_eq!(Url::parse(text).unwrap_err().problem, problem, "{text}");
    }
    let error = Url::parse("https://h:port").unwrap_err().to_string();
    assert_eq!(error, "parse \"https://h:port\": invalid port \":port\" after host");
}

#[test]
fn an_error_shows_no_part_of_the_login() {
    for text in [
        "http://me:s3cret/more@h",
        "http://me:s3cret\\\"@h",
        "http://me:s3cret s3cret@h:1",
        "http://me:s3%zzcret@h",
        "http://me:s3cret@h:port",
        "1me:s3cret@h",
        "http://me:s3cret?x@h\n",
        "http://me:%s3cret@h",
    ] {
        let error = Url::parse(text).unwrap_err().to_string();
        assert!(!error.contains("s3") && !error.contains("cret"), "{text}: {error}");
        assert!(error.contains("<masked>@h"), "{text}: {error}");
    }
}

#[test]
fn a_port_is_split_off() {
    for (host, expected) in [
        ("h", ("h", "")),
        ("h:1", ("h", "1")),
        ("h:", ("h", "")),
        ("[::1]", ("::1", "")),
        ("[::1]:6443", ("::1", "6443")),
    ] {
        assert_eq!(split_port(host), expected);
    }
}

#[test]
fn names_that_the_system_reads_as_addresses_are_recognised() {
    for name in ["127.1", "0x7f.0.0.1", "2130706433", "0x7f000001", "127.0.0.1.", "1.0X"] {
        assert!(is_numeric_name(name), "{name}");
    }
    for name in ["h", "1h", "a.b1", "0xyz", "1.example", "", "x7f"] {
        assert!(!is_numeric_name(name), "{name}");
    }
    assert_eq!(ip_address("::ffff:127.0.0.1"), Some(IpAddr::from([127, 0, 0, 1])));
    assert_eq!(ip_address("127.1"), None);
}

/// Any text gives a URL or an error. The host of the URL is written in the text.
#[test]
fn the_host_is_always_part_of_the_text() {
    let mut random = fastrand::Rng::with_seed(3);
    let pieces = [
        "http", "s", "://", ":", "/", "\\", "@", "%", "%41", "%zz", "%25", "[", "]", "127.1", "h",
        "?", "#", " ", "é", "\u{0}", ".", "0x7f", "..", "*",
    ];
    for _ in 0..20_000 {
        let count = random.usize(0..10);
        let text: String = (0..count).map(|_| pieces[random.usize(0..pieces.len())]).collect();
        let Ok(url) = Url::parse(&text) else { continue };
        let escaped = escape_path(&url.path);
        assert!(escaped.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
        let is_plain = !text.contains('%');
        assert!(!is_plain || text.contains(&url.host), "{text}: {}", url.host);
    }
}

#[test]
fn a_password_with_a_number_sign_is_masked() {
    let error = Url::parse("http://user:s3cr#et@127.0.0.1:1").unwrap_err().to_string();
    assert_eq!(
        error,
        "parse \"http://<masked>@127.0.0.1:1\": invalid port \"<masked>\" after host"
    );
}

#[test]
fn only_an_ipv6_address_has_a_zone() {
    assert_eq!(ip_address("fe80::1%eth0"), "fe80::1".parse().ok());
    assert_eq!(ip_address("127.0.0.1%x"), None);
}
