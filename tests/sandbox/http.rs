//! An HTTP client for the sandbox that shares no code with locustctl.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use locustctl::sandbox::Account;
use reqwest::{
    Client, ClientBuilder,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use support::cluster::TestCluster;

/// A complete response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// A client that trusts only the cluster's certificate authority.
pub fn builder(cluster: &TestCluster) -> ClientBuilder {
    let certificate =
        reqwest::Certificate::from_pem(cluster.certificate_authority().as_bytes()).unwrap();
    Client::builder()
        .tls_certs_only([certificate])
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
}

pub fn client(cluster: &TestCluster) -> Client {
    builder(cluster).build().unwrap()
}

pub fn send(
    client: &Client,
    cluster: &TestCluster,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: Vec<u8>,
) -> reqwest::Result<Answer> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        map.insert(name, HeaderValue::from_str(value).unwrap());
    }
    let url = format!("{}{path}", cluster.server());
    block_on(async {
        let request = client.request(method.parse().unwrap(), url).headers(map).body(body);
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Answer { status, headers, body: answer.text().await? })
    })
}

/// Sends one request as the administrator.
pub fn as_admin(
    cluster: &TestCluster,
    method: &str,
    path: &str,
    body: &str,
) -> reqwest::Result<Answer> {
    let token = format!("Bearer {}", cluster.token(Account::Admin));
    let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let headers = [("authorization", token), ("content-type", kind.to_owned())];
    send(&client(cluster), cluster, method, path, &headers, body.as_bytes().to_vec())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
