//! Asking Locust's master: directly, or through the API server's proxy for Services, for which a
//! kubeconfig is enough.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, DATE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Url};
use serde::Deserialize;
use time::format_description::well_known::Rfc2822;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::address::Address;
use super::log::MasterLog;
use super::page::Page;
use super::report;
use super::start::Start;
use super::stats::Stats;
use crate::cluster::api::{
    self, About, Authorities, Client, Failure, FailureKind, RelayRequest, Request, plain,
};
use crate::cluster::body::{BodyError, read_body};
use crate::text::terminal::harmless;

/// Locust answers at once; what takes longer will not come.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A page has a few kilobytes, statistics of thousands of names some megabytes.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

const ACCEPTED: &str = "application/json, text/html";

const FORM: &str = "application/x-www-form-urlencoded";

/// The advice when Locust's certificate is not trusted.
const UNKNOWN_AUTHORITY: &str =
    "; name the authority that signed Locust's certificate with --locust-certificate-authority";

/// Why Locust's master does not tell.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The API server does not lead there: no such Service, nobody behind it, no right.
    #[error("{0}")]
    Api(api::Error),
    /// There was no whole answer.
    #[error("{0}")]
    Failure(Failure),
    /// It wants to know first who asks.
    #[error(
        "Locust asks for a login; give the cookie of a browser that has one by \
         --locust-cookie-file, or the Authorization header of a proxy in front by \
         --locust-auth-file"
    )]
    Login,
    /// It answered with something else.
    #[error("{path} answered {status}, which is not what Locust answers there")]
    NotLocust {
        /// What was asked for.
        path: String,
        /// Status, and the beginning of the answer.
        status: String,
    },
    /// It refused to start the users.
    #[error("Locust refused: {0}")]
    Refused(String),
}

/// What proves to Locust, or to a proxy in front of it, who asks. Only for a URL: on the way through
/// the API server it would be shown to that.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// The `Cookie` header.
    pub cookie: Option<HeaderValue>,
    /// The `Authorization` header.
    pub authorization: Option<HeaderValue>,
    /// The certificate authorities that Locust is verified with; `None` for the system's.
    pub authorities: Option<Authorities>,
}

/// Locust's master.
pub struct Master<'a> {
    way: Way<'a>,
    address: Address,
    /// Start of a test by the master's log, and the start of its statistics.
    stats_start: Mutex<Option<(PrimitiveDateTime, OffsetDateTime)>>,
}

enum Way<'a> {
    Direct { http: reqwest::Client, base: Url, login: Login },
    Service { client: &'a Client, name: String, prefix: String, cookie: Option<HeaderValue> },
}

/// An answer, as far as it is read.
struct Reply {
    status: u16,
    /// By the clock of the server that answered.
    answered_at: Option<OffsetDateTime>,
    body: Vec<u8>,
}

impl<'a> Master<'a> {
    /// The master at this address; nothing is asked yet. `None` where there is no address.
    ///
    /// # Errors
    /// The system's trust roots cannot be had.
    pub fn at(
        address: &Address,
        client: &'a Client,
        namespace: &str,
        login: &Login,
    ) -> Result<Option<Self>, Error> {
        let way = match address {
            Address::Auto | Address::None => return Ok(None),
            Address::Url(base) => {
                let http = plain::client(Policy::none(), TIMEOUT, login.authorities.as_ref())
                    .map_err(Error::Failure)?;
                Way::Direct { http, base: base.clone(), login: login.clone() }
            }
            Address::Service(service) => {
                let base = service.base_path.trim_start_matches('/');
                let prefix = format!("{}{base}", service.proxy_path(namespace));
                let (name, cookie) = (service.name.clone(), login.cookie.clone());
                Way::Service { client, name, prefix, cookie }
            }
        };
        Ok(Some(Self { way, address: address.clone(), stats_start: Mutex::default() }))
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Where it is, for people.
    pub fn place(&self) -> String {
        match &self.way {
            Way::Direct { base, .. } => base.to_string(),
            Way::Service { name, .. } => format!("service/{name}"),
        }
    }

    /// `GET /stats/requests`; Locust keeps its answer for 2 seconds.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn stats(&self) -> Result<Stats, Error> {
        let reply = self.ask(Method::GET, "stats/requests", None).await?;
        Stats::parse(&reply.body).ok_or_else(|| not_locust("stats/requests", &reply))
    }

    /// The page's values, with the time of the answer; `None` where it has none, as in releases before
    /// 2.16.
    ///
    /// # Errors
    /// Any of [`Error`].
    pub async fn page(&self) -> Result<Option<Page>, Error> {
        let reply = self.ask(Method::GET, "", None).await?;
        let page = Page::parse(&String::from_utf8_lossy(&reply.body));
        Ok(page.map(|page| Page { answered_at: reply.answered_at, ..page }))
    }

    /// The master's log; `None` where the release has none, or answers with something else.
    ///
    /// # Errors
    /// There is no answer, or it comes from a proxy and not from Locust.
    pub async fn log(&self) -> Result<Option<MasterLog>, Error> {
        match self.ask(Method::GET, "logs", None).await {
            Ok(reply) => Ok(MasterLog::parse(&reply.body)),
            Err(Error::NotLocust { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names of the user classes that the test runs; `None` where Locust does not tell.
    ///
    /// # Errors
    /// There is no answer, or it comes from a proxy and not from Locust.
    pub async fn running_classes(&self) -> Result<Option<Vec<String>>, Error> {
        #[derive(Deserialize)]
        struct Tasks {
            per_class: BTreeMap<String, serde::de::IgnoredAny>,
        }
        let reply = match self.ask(Method::GET, "tasks", None).await {
            Ok(reply) => reply,
            Err(Error::NotLocust { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let tasks = serde_json::from_slice::<Tasks>(&reply.body).ok();
        Ok(tasks.map(|tasks| tasks.per_class.into_keys().collect()))
    }

    /// When the statistics began, by the master's clock in full seconds: at the start of the test, or
    /// when they were reset. `None` where Locust does not tell. The report has about 1 MB, and adds a
    /// point to the charts of Locust's page, so it is read once for the test that began at `test`.
    ///
    /// # Errors
    /// There is no answer, or it comes from a proxy and not from Locust.
    pub async fn stats_start(
        &self,
        test: Option<PrimitiveDateTime>,
    ) -> Result<Option<OffsetDateTime>, Error> {
        let known = *self.stats_start.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, start)) = known.filter(|(known, _)| test == Some(*known)) {
            return Ok(Some(start));
        }
        let start = self.read_stats_start().await?;
        *self.stats_start.lock().unwrap_or_else(PoisonError::into_inner) = test.zip(start);
        Ok(start)
    }

    async fn read_stats_start(&self) -> Result<Option<OffsetDateTime>, Error> {
        let reply = match self.ask(Method::GET, "stats/report", None).await {
            Ok(reply) => reply,
            Err(Error::NotLocust { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(report::start_time(&String::from_utf8_lossy(&reply.body)))
    }

    /// `POST /swarm`
    ///
    /// # Errors
    /// Any of [`Error`]; Locust may have started the users all the same when there was no answer.
    pub async fn start(&self, start: &Start) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Answer {
            success: bool,
            #[serde(default)]
            message: String,
        }
        let reply = self.ask(Method::POST, "swarm", Some(start.form())).await?;
        let answer: Answer =
            serde_json::from_slice(&reply.body).map_err(|_| not_locust("swarm", &reply))?;
        match answer.success {
            true => Ok(()),
            false => Err(Error::Refused(harmless(&answer.message))),
        }
    }

    async fn ask(&self, method: Method, path: &str, form: Option<String>) -> Result<Reply, Error> {
        let reply = match &self.way {
            Way::Direct { http, base, login } => {
                direct(http, base, login, method, path, form).await?
            }
            Way::Service { client, prefix, cookie: Some(cookie), .. } => {
                let headers = headers(Some(cookie), None, form.is_some());
                let (prefix, path) = (prefix.clone(), path.to_owned());
                let body = form.unwrap_or_default().into();
                let relayed = RelayRequest { method, prefix, path, query: None, headers, body };
                let response = client.relay(&relayed, TIMEOUT).await.map_err(Error::Api)?;
                let failure = |error| Error::Failure(Failure::of_request(&error, "the API server"));
                read(response.into(), &relayed.path, failure).await?
            }
            Way::Service { client, name, prefix, cookie: None } => {
                let about = About {
                    verb: if form.is_some() { "create" } else { "get" },
                    resource: "services/proxy".to_owned(),
                    name: name.clone(),
                };
                let request = Request {
                    method,
                    path: &format!("{prefix}{path}"),
                    query: &[],
                    content: form.map(|form| (FORM, form.into_bytes())),
                    accept: Some(ACCEPTED),
                    about: &about,
                };
                let reply = client.send(request).await.map_err(Error::Api)?;
                if let Some(status) = api::Error::from_api_server(&reply, &about) {
                    return Err(Error::Api(status));
                }
                Reply { status: reply.status, answered_at: date(&reply.headers), body: reply.body }
            }
        };
        match reply.status {
            200 => Ok(reply),
            301..=303 | 307 | 308 | 401 | 403 => Err(Error::Login),
            _ => Err(not_locust(path, &reply)),
        }
    }
}

async fn direct(
    http: &reqwest::Client,
    base: &Url,
    login: &Login,
    method: Method,
    path: &str,
    form: Option<String>,
) -> Result<Reply, Error> {
    let authority = base.authority().to_owned();
    let url = base.join(path).unwrap_or_else(|_| base.clone());
    let headers = headers(login.cookie.as_ref(), login.authorization.as_ref(), form.is_some());
    let request = http.request(method, url).headers(headers).body(form.unwrap_or_default());
    let failure = |error: reqwest::Error| Error::of_url(&error, &authority);
    let response = request.send().await.map_err(failure)?;
    read(response, path, failure).await
}

fn headers(
    cookie: Option<&HeaderValue>,
    authorization: Option<&HeaderValue>,
    has_form: bool,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
    headers.extend(cookie.map(|cookie| (COOKIE, cookie.clone())));
    headers.extend(authorization.map(|value| (AUTHORIZATION, value.clone())));
    if has_form {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
    }
    headers
}

async fn read(
    response: reqwest::Response,
    path: &str,
    failure: impl Fn(reqwest::Error) -> Error,
) -> Result<Reply, Error> {
    let status = response.status().as_u16();
    let answered_at = date(response.headers());
    match read_body(response, LARGEST_ANSWER).await {
        Ok(body) => Ok(Reply { status, answered_at, body }),
        Err(BodyError::TooLarge) => {
            let status = "more than 16 MB".to_owned();
            Err(Error::NotLocust { path: format!("/{path}"), status })
        }
        Err(BodyError::Broken(error)) => Err(failure(error)),
    }
}

/// The `Date` header (RFC 9110, 6.6.1).
fn date(headers: &HeaderMap) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(headers.get(DATE)?.to_str().ok()?, &Rfc2822).ok()
}

fn not_locust(path: &str, reply: &Reply) -> Error {
    let text = String::from_utf8_lossy(&reply.body);
    let words: Vec<_> = text.split_whitespace().collect();
    let begin: String = words.join(" ").chars().take(60).collect();
    Error::NotLocust {
        path: format!("/{path}"),
        status: harmless(&format!("{} {begin:?}", reply.status)),
    }
}

impl Error {
    /// A request to Locust's own URL without a whole answer.
    pub(super) fn of_url(error: &reqwest::Error, authority: &str) -> Self {
        let mut failure = Failure::of_request(error, authority);
        if failure.kind == FailureKind::UnknownAuthority {
            failure.text.push_str(UNKNOWN_AUTHORITY);
        }
        Self::Failure(failure)
    }

    /// Whether there simply is no Locust at this place, or none that we may see.
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Api(error) => {
                error.status().is_some_and(|status| matches!(status.code, 403 | 404 | 503))
            }
            Self::NotLocust { .. } => true,
            Self::Failure(_) | Self::Login | Self::Refused(_) => false,
        }
    }
}
