//! Tests of the requests to the issuer, its responses, and the write-back.

use super::*;

#[test]
fn an_expired_token_is_renewed_once_and_written_back() {
    run(async {
        let issuer =
            Server::start(issuer(|_| tokens(",\"refresh_token\":\"refresh-token-2\""))).await;
        let config = Kubeconfig::of(&issuer, &expired());
        let before = config.text();
        let oidc = config.oidc();
        assert_eq!(tokio::join!(token(&oidc), token(&oidc)), (valid(), valid()));
        let request = |what: &str, authorization: &str, body: &str| RecordedRequest {
            what: what.into(),
            authorization: authorization.into(),
            body: body.into(),
        };
        let expected = [
            request(DISCOVERY, "", ""),
            request(
                TOKEN,
                "Basic YytpOnMlMjZjcmV0LW9mLWNsaWVudA==",
                "grant_type=refresh_token&refresh_token=refresh-token-1",
            ),
        ];
        assert_eq!(issuer.requests(), expected);
        let expected = before.replace(&expired(), &valid()).replace("token-1", "token-2");
        assert_eq!(config.text(), expected, "and nothing else is changed");
        assert_eq!(fs::read_dir(config.dir.path()).unwrap().count(), 2, "no lock, no copy");
    });
}

#[test]
fn an_unattended_run_renews_nothing() {
    run(async {
        let issuer = Server::start(issuer(|_| tokens(""))).await;
        let config = Kubeconfig::of(&issuer, &expired());
        let before = config.text();
        let mut oidc = config.oidc();
        oidc.is_unattended = true;
        assert!(oidc.token().await.is_err());
        assert_eq!(issuer.requests(), []);
        assert_eq!(config.text(), before);
    });
}

#[test]
fn an_issuer_may_want_the_secret_in_the_form() {
    run(async {
        let issuer = Server::start(issuer(|request| match request.authorization.as_str() {
            "" => tokens(""),
            _ => (401, "", "{\"error\":\"invalid_client\"}".into()),
        }))
        .await;
        let config = Kubeconfig::of(&issuer, "");
        assert_eq!(token(&config.oidc()).await, valid());
        assert_eq!(
            issuer.requests().last().unwrap().body,
            "grant_type=refresh_token&refresh_token=refresh-token-1\
             &client_id=c+i&client_secret=s%26cret-of-client"
        );
        assert!(config.text().contains("refresh-token: refresh-token-1"), "it stays");
    });
}

#[test]
fn tokens_renewed_by_another_program_are_taken_from_the_file() {
    run(async {
        let issuer = Server::start(issuer(|_| tokens(""))).await;
        let config = Kubeconfig::of(&issuer, &expired());
        let oidc = config.oidc();
        let theirs = jwt("theirs", 4_102_444_800);
        fs::write(config.path(), config.text().replace(&expired(), &theirs)).unwrap();
        assert_eq!(token(&oidc).await, theirs);
        assert_eq!(issuer.requests(), []);
    });
}

#[test]
fn a_refresh_token_is_not_used_if_the_new_one_cannot_be_stored() {
    run(async {
        let issuer = Server::start(issuer(|_| tokens(""))).await;
        let mut config = Kubeconfig::of(&issuer, &expired());
        let real = config.dir.path().join("gone").join("config");
        config.user.defined_in = Some(real);
        assert_eq!(token(&config.oidc()).await, valid(), "no file, nothing to write");
        config.user.defined_in = Some(config.path());
        fs::write(config.dir.path().join("config.lock"), "").unwrap();
        let err = error(&config.oidc()).await;
        assert!(err.starts_with("could not persist new tokens: open /"), "{err}");
        assert!(err.contains("config.lock: file exists; "), "{err}");
        assert_eq!(issuer.requests().len(), 2, "only the first login");
    });
}

#[test]
fn errors_of_discovery_show_no_secret() {
    let discovery = |status: u16, body: &str| {
        let body = body.to_owned();
        Box::new(move |request: &RecordedRequest, _: &str| match request.what.as_str() {
            DISCOVERY => (status, "", body.clone()),
            _ => tokens(""),
        })
    };
    let html = "<p>".repeat(40);
    let table = [
        (500, html.as_str(), format!("oidc: failed to query metadata endpoint 500 Internal Server Error: \"{}...\"", &html[..80])),
        (302, "", "oidc: failed to query metadata endpoint 302 Found: \"\"".to_owned()),
        (200, "{}", "oidc: discovery object doesn't contain a token_endpoint".into()),
        (200, "x", "oidc: failed to decode provider discovery object: invalid JSON at line 1, column 1".into()),
        (200, r#"{"token_endpoint":"http://h/t"}"#, "failed to refresh token: the issuer's token_endpoint is not an https URL, and the refresh token would be sent in clear".into()),
        (200, r#"{"token_endpoint":"/t"}"#, "failed to refresh token: the issuer's token_endpoint is not an http or https URL".into()),
    ];
    for (status, body, expected) in table {
        run(async {
            let issuer = Server::start(discovery(status, body)).await;
            let config = Kubeconfig::of(&issuer, &expired());
            assert_eq!(error(&config.oidc()).await, expected);
            assert_eq!(issuer.requests().len(), 1, "{body}");
        });
    }
}

#[test]
fn errors_of_the_token_endpoint_show_no_secret() {
    let no_id_token = "token response did not contain an id_token, either the scope \"openid\" wasn't requested upon login, or the provider doesn't support id_tokens as part of the refresh response";
    let echo = "refresh-token-1 s%26cret-of-client YytpOnMlMjZjcmV0LW9mLWNsaWVudA==";
    let table = [
        (
            400,
            "{\"error\":\"invalid_grant\"}",
            "failed to refresh token: oauth2: \"invalid_grant\"",
        ),
        (
            403,
            echo,
            "failed to refresh token: oauth2: cannot fetch token: 403 Forbidden\nResponse: \"[REDACTED] [REDACTED] [REDACTED]\"",
        ),
        (200, "{\"access_token\":\"a\"}", no_id_token),
        (
            200,
            "{\"access_token\":\"a\",\"id_token\":\"a.b\"}",
            "failed to refresh token: the issuer's id_token is not a valid JWT",
        ),
    ];
    for (status, body, expected) in table {
        run(async {
            let issuer = Server::start(issuer(move |_| (status, "", body.to_owned()))).await;
            let config = Kubeconfig::of(&issuer, &expired());
            let before = config.text();
            assert_eq!(error(&config.oidc()).await, expected);
            assert_eq!(config.text(), before);
        });
    }
}

#[test]
fn an_issuer_is_bounded_in_size_and_time() {
    run(async {
        let endless = " ".repeat(1_200_000);
        let issuer = Server::start(issuer(move |_| (200, "", endless.clone()))).await;
        let config = Kubeconfig::of(&issuer, &expired());
        let expected = format!(
            "failed to refresh token: Post \"{}/token\": the answer is larger than 1 MB",
            issuer.url
        );
        assert_eq!(error(&config.oidc()).await, expected);

        // This server accepts the connection and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut config = Kubeconfig::of(&issuer, &expired());
        let url = format!("http://{}", silent.local_addr().unwrap());
        config.set("idp-issuer-url", &url);
        let err = error(&config.within(Duration::from_millis(100))).await;
        assert_eq!(err, "failed to refresh token: the issuer did not answer within 100ms");
        drop(silent);
        let err = error(&config.oidc()).await;
        let place = format!("Get \"{url}/.well-known/openid-configuration\": ");
        assert_eq!(err, place + "connection refused");
    });
}

#[test]
fn an_untrusted_issuer_gets_no_request() {
    run(async {
        let issuer = Server::start(issuer(|_| tokens(""))).await;
        let stranger = Server::start(|_, _| tokens("")).await;
        let mut config = Kubeconfig::of(&issuer, &expired());
        config.set("idp-issuer-url", &stranger.url);
        let err = error(&config.oidc()).await;
        assert!(err.starts_with("Get \"https://localhost:"), "{err}");
        assert_eq!(stranger.requests(), []);
    });
}
