//! Tests of logins with an issuer on loopback.

mod renewal;
mod server;

use std::{fs, future::Future, path::PathBuf, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use tempfile::TempDir;

use self::server::{RecordedRequest, Reply, Server};
use super::*;

const DISCOVERY: &str = "GET /.well-known/openid-configuration";
const TOKEN: &str = "POST /token";

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

/// An id-token with an expiry. `name` makes it different from others.
fn jwt(name: &str, exp: u64) -> String {
    let claims = format!("{{\"exp\":{exp},\"sub\":\"{name}\"}}");
    format!("e30.{}.sig", BASE64_URL_SAFE_NO_PAD.encode(claims))
}

fn expired() -> String {
    jwt("old", 1000)
}

fn valid() -> String {
    jwt("new", 4_102_444_800)
}

/// Valid discovery, and `token` for the token endpoint.
fn issuer(
    token: impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static,
) -> impl Fn(&RecordedRequest, &str) -> Reply + Send + Sync + 'static {
    move |request, base| match request.what.as_str() {
        DISCOVERY => (200, "application/json", format!("{{\"token_endpoint\":\"{base}/token\"}}")),
        TOKEN => token(request),
        _ => (404, "", String::new()),
    }
}

fn tokens(more: &str) -> Reply {
    let id = valid();
    (200, "application/json", format!("{{\"access_token\":\"a\",\"id_token\":\"{id}\"{more}}}"))
}

/// A kubeconfig with one login in it.
struct Kubeconfig {
    dir: TempDir,
    user: User,
}

impl Kubeconfig {
    fn of(issuer: &Server, id_token: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let certificate = dir.path().join("issuer.pem");
        fs::write(&certificate, &issuer.certificate).unwrap();
        let settings = [
            ("idp-issuer-url", issuer.url.as_str()),
            ("idp-certificate-authority", certificate.to_str().unwrap()),
            ("client-id", "c i"),
            ("client-secret", "s&cret-of-client"),
            ("id-token", id_token),
            ("refresh-token", "refresh-token-1"),
        ];
        let mut text = "# mine\nusers:\n- name: u\n  user:\n    auth-provider:\n".to_owned();
        text += "      name: oidc\n      config:\n";
        for (name, value) in settings {
            text += &format!("        {name}: {value}\n");
        }
        let config = settings.map(|(name, value)| (name.to_owned(), value.into()));
        let provider = AuthProvider { name: "oidc".into(), config: config.into() };
        let user = User {
            name: "u".into(),
            defined_in: Some(dir.path().join("config")),
            auth_provider: Some(provider),
            ..User::default()
        };
        fs::write(dir.path().join("config"), text).unwrap();
        Self { dir, user }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("config")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn set(&mut self, name: &str, value: &str) {
        let provider = self.user.auth_provider.as_mut().unwrap();
        provider.config.insert(name.into(), value.into());
    }

    fn oidc(&self) -> Oidc {
        self.within(Duration::from_secs(20))
    }

    fn within(&self, timeout: Duration) -> Oidc {
        Oidc::within(self.user.auth_provider.as_ref().unwrap(), &self.user, timeout).unwrap()
    }
}

async fn token(oidc: &Oidc) -> String {
    oidc.token().await.unwrap().expose_secret().to_owned()
}

/// The text after kubectl's prefix.
async fn error(oidc: &Oidc) -> String {
    let text = oidc.token().await.unwrap_err().to_string();
    text.strip_prefix("Unable to connect to the server: ").unwrap().to_owned()
}

fn provider(settings: &[(&str, &str)]) -> AuthProvider {
    let config = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).into()));
    AuthProvider { name: "oidc".into(), config: config.collect() }
}

#[test]
fn missing_and_broken_settings_are_named() {
    let login = ("idp-issuer-url", "https://i");
    let client = ("client-id", "c");
    let table: [(&[_], &str); 6] = [
        (&[], "Must provide idp-issuer-url"),
        (&[login], "Must provide client-id"),
        (&[login, ("client-id", "")], "Must provide client-id"),
        (
            &[login, client, ("idp-certificate-authority-data", "%")],
            "illegal base64 data at input byte 0",
        ),
        (
            &[login, client, ("idp-certificate-authority-data", "eA==")],
            "unable to load root certificates: unable to parse bytes as PEM block",
        ),
        (
            &[login, client, ("idp-certificate-authority", "/no/such")],
            "open /no/such: no such file or directory",
        ),
    ];
    for (settings, expected) in table {
        let err = Oidc::new(&provider(settings), &User::default()).unwrap_err();
        assert_eq!(err.to_string(), expected);
    }
}

#[test]
fn without_a_refresh_token_an_id_token_counts_while_it_is_valid() {
    let login = |id: &str| {
        let settings = [("idp-issuer-url", "https://i"), ("client-id", "c"), ("id-token", id)];
        Oidc::new(&provider(&settings), &User::default()).unwrap()
    };
    assert_eq!(run(token(&login(&valid()))), valid());
    for id in ["", &expired()] {
        let expected = "No valid id-token, and cannot refresh without refresh-token";
        assert_eq!(run(error(&login(id))), expected);
    }
    assert_eq!(run(error(&login("s3cret"))), "ID Token is not a valid JWT");
    assert!(!format!("{:?}", login("s3cret")).contains("s3cret"));
}
