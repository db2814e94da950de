//! The two requests to an issuer: discovery of its token endpoint, and the request for new tokens.
//! The second follows golang.org/x/oauth2.

use std::{collections::BTreeMap, error::Error, io, path::Path, time::Duration};

use anyhow::{Result, bail};
use reqwest::{
    Client, RequestBuilder, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{
    id_token,
    token_pair::TokenPair,
    token_response::{self, Secrets, TokenResponse},
};
use crate::cluster::body::{BodyError, read_body};
use crate::cluster::credentials::header;
use crate::cluster::kubeconfig::trust_roots;
use crate::cluster::trust::{self, Settings};
use crate::text::go::os_error;

/// Larger than any discovery document or token.
const MAX_RESPONSE_SIZE: usize = 1024 * 1024;

/// The issuer of the tokens, and our client id and secret there.
#[derive(Debug)]
pub(super) struct Issuer {
    url: String,
    client_id: String,
    client_secret: SecretString,
    /// The PEM bundle of the trust roots; `None` for the system's roots.
    trust: Option<Vec<u8>>,
    timeout: Duration,
}

/// The way in which the client authenticates at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientAuthentication {
    Header,
    Form,
}

impl Issuer {
    /// Checks the settings, without a request.
    ///
    /// # Errors
    /// A setting is missing, or the trust roots are invalid. The text is kubectl's.
    pub fn new(config: &BTreeMap<String, SecretString>, timeout: Duration) -> Result<Self> {
        let get = |name: &str| config.get(name).map(|value| value.expose_secret());
        let setting = |name: &str| get(name).unwrap_or_default().to_owned();
        for name in ["idp-issuer-url", "client-id"] {
            if setting(name).is_empty() {
                bail!("Must provide {name}");
            }
        }
        Ok(Self {
            url: setting("idp-issuer-url"),
            client_id: setting("client-id"),
            client_secret: setting("client-secret").into(),
            trust: trust_roots(
                &setting("idp-certificate-authority-data"),
                Path::new(&setting("idp-certificate-authority")),
            )?,
            timeout,
        })
    }

    /// Gets new tokens for a refresh token. The refresh token stays if the issuer sends no other.
    ///
    /// # Errors
    /// kubectl's text. It shows no secret, even if the issuer sends one back.
    pub async fn renew(&self, refresh: &SecretString) -> Result<TokenPair, String> {
        match time::timeout(self.timeout, self.exchange(refresh)).await {
            Ok(result) => result,
            Err(_) => Err(format!(
                "failed to refresh token: the issuer did not answer within {:?}",
                self.timeout
            )),
        }
    }

    async fn exchange(&self, refresh: &SecretString) -> Result<TokenPair, String> {
        let client = self.client()?;
        let endpoint = self.token_endpoint(&client).await?;
        let secrets = Secrets(vec![
            refresh.clone(),
            self.client_secret.clone(),
            self.pair()?.to_str().unwrap_or_default().trim_start_matches("Basic ").into(),
        ]);
        let response = self.ask(&client, &endpoint, refresh, ClientAuthentication::Header).await?;
        let mut answer = response.read(&secrets);
        if answer.is_err() {
            // The issuer may want the client id and secret in the form.
            let response =
                self.ask(&client, &endpoint, refresh, ClientAuthentication::Form).await?;
            answer = response.read(&secrets);
        }
        let tokens = answer.map_err(failed)?;
        let Some(id) = tokens.id else {
            return Err("token response did not contain an id_token, either the scope \
                        \"openid\" wasn't requested upon login, or the provider doesn't support \
                        id_tokens as part of the refresh response"
                .to_owned());
        };
        // The token goes into the kubeconfig, so it must be valid for the next run too.
        id_token::is_valid(id.expose_secret())
            .and_then(|_| header::bearer(id.expose_secret(), "").map_err(|err| err.to_string()))
            .map_err(|_| failed("the issuer's id_token is not a valid JWT".to_owned()))?;
        Ok(TokenPair { id, refresh: tokens.refresh.unwrap_or_else(|| refresh.clone()) })
    }

    fn client(&self) -> Result<Client, String> {
        let mut builder = Client::builder()
            .user_agent(concat!("locustctl/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none());
        if is_loopback(&self.url) {
            // Go's proxy rules use no proxy for loopback addresses.
            builder = builder.no_proxy();
        }
        let config = trust::client_config(Settings::for_roots(self.trust.as_deref()))
            .map_err(|err| err.to_string())?;
        builder.tls_backend_preconfigured(config).build().map_err(|err| reason(&err, ""))
    }

    async fn token_endpoint(&self, client: &Client) -> Result<Url, String> {
        let url = self.url.strip_suffix('/').unwrap_or(&self.url);
        let url = parse(&format!("{url}/.well-known/openid-configuration"))
            .ok_or("oidc: idp-issuer-url is not an http or https URL")?;
        let IssuerResponse { status, body, .. } =
            send("Get", &url, client.get(url.clone())).await?;
        if status != StatusCode::OK {
            let status = token_response::status_text(status);
            let start = token_response::excerpt(&body, &Secrets::default());
            return Err(format!("oidc: failed to query metadata endpoint {status}: {start}"));
        }
        let document: Value = serde_json::from_slice(&body).map_err(|err| {
            let (line, column) = (err.line(), err.column());
            format!(
                "oidc: failed to decode provider discovery object: \
                 invalid JSON at line {line}, column {column}"
            )
        })?;
        let endpoint = match document.get("token_endpoint").and_then(Value::as_str) {
            None | Some("") => {
                return Err("oidc: discovery object doesn't contain a token_endpoint".to_owned());
            }
            Some(endpoint) => parse(endpoint).ok_or_else(|| {
                failed("the issuer's token_endpoint is not an http or https URL".to_owned())
            })?,
        };
        if url.scheme() == "https" && endpoint.scheme() != "https" {
            return Err(failed(
                "the issuer's token_endpoint is not an https URL, \
                 and the refresh token would be sent in clear"
                    .to_owned(),
            ));
        }
        Ok(endpoint)
    }

    /// The client id and secret as basic authentication.
    fn pair(&self) -> Result<HeaderValue, String> {
        let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let secret = encode(self.client_secret.expose_secret());
        header::basic(&encode(&self.client_id), &secret).map_err(|err| failed(err.to_string()))
    }

    async fn ask(
        &self,
        client: &Client,
        endpoint: &Url,
        refresh: &SecretString,
        authentication: ClientAuthentication,
    ) -> Result<IssuerResponse, String> {
        let mut request =
            client.post(endpoint.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if authentication == ClientAuthentication::Header {
            request = request.header(AUTHORIZATION, self.pair()?);
        }
        let form = self.form(refresh, authentication);
        send("Post", endpoint, request.body(form)).await.map_err(failed)
    }

    fn form(&self, refresh: &SecretString, authentication: ClientAuthentication) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token");
        form.append_pair("refresh_token", refresh.expose_secret());
        if authentication == ClientAuthentication::Form {
            let secret = self.client_secret.expose_secret();
            form.append_pair("client_id", &self.client_id);
            if !secret.is_empty() {
                form.append_pair("client_secret", secret);
            }
        }
        form.finish()
    }
}

/// A response of bounded size.
struct IssuerResponse {
    status: StatusCode,
    content_type: String,
    body: Vec<u8>,
}

impl IssuerResponse {
    fn read(self, secrets: &Secrets) -> Result<TokenResponse, String> {
        TokenResponse::parse(self.status, &self.content_type, &self.body, secrets)
    }
}

fn failed(problem: String) -> String {
    format!("failed to refresh token: {problem}")
}

/// Parses an `http` or `https` URL; `None` for anything else.
fn parse(url: &str) -> Option<Url> {
    Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

async fn send(method: &str, url: &Url, request: RequestBuilder) -> Result<IssuerResponse, String> {
    // The query may contain secrets, and the URL a password.
    let place = format!("{}{}", url.origin().ascii_serialization(), url.path());
    let host = url.host_str().unwrap_or_default();
    let failed = |err: reqwest::Error| format!("{method} \"{place}\": {}", reason(&err, host));
    let response = request.send().await.map_err(failed)?;
    let content_type = response.headers().get(CONTENT_TYPE).and_then(text).unwrap_or_default();
    let status = response.status();
    match read_body(response, MAX_RESPONSE_SIZE).await {
        Ok(body) => Ok(IssuerResponse { status, content_type, body }),
        Err(BodyError::TooLarge | BodyError::OverBudget) => {
            Err(format!("{method} \"{place}\": the answer is larger than 1 MB"))
        }
        Err(BodyError::Broken(err)) => Err(failed(err)),
    }
}

fn text(value: &HeaderValue) -> Option<String> {
    value.to_str().ok().map(str::to_owned)
}

fn is_loopback(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The innermost cause. The outer ones only say that a request failed.
fn reason(err: &reqwest::Error, host: &str) -> String {
    if let Some(err) = trust::find(err) {
        return trust::describe(err, host);
    }
    let mut cause: &dyn Error = err;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<io::Error>() {
        Some(err) => os_error(err),
        None => cause.to_string(),
    }
}
