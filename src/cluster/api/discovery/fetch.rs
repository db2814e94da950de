//! The requests of discovery, as client-go's `discovery_client.go` sends them.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use reqwest::Method;
use serde::de::DeserializeOwned;

use super::document::{AggregatedGroupList, CoreVersions, GroupList, GroupVersion, ResourceList};
use crate::cluster::api::client::Client;
use crate::cluster::api::error::Error;
use crate::cluster::api::exchange::{Reply, Request};
use crate::cluster::api::status::Status;
use crate::cluster::api::subject::RequestSubject;
use crate::cluster::api::trace::Trace;
use crate::text::go;

/// The `Accept` header of kubectl, with the newest form first.
const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                      application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
                      application/json";

/// The value of `timeout` that client-go sends if `--request-timeout` is not set.
const TIMEOUT: &str = "32s";

/// Maximum number of group versions to fetch. No real cluster has so many.
const MAX_GROUP_VERSIONS: usize = 1000;

/// Limit on the total size of all resource lists.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// All group versions with their types, the core group first.
pub async fn group_versions(client: &Client) -> Result<Vec<GroupVersion>, Error> {
    let core = read_core(get(client, "/api", ACCEPT).await?)?;
    let named = read_named(get(client, "/apis", ACCEPT).await?)?;
    let is_complete = core.is_complete && named.is_complete;
    let stale = [core.stale, named.stale].concat();
    if !stale.is_empty() {
        log_stale(client.trace(), &stale);
    }
    let mut all: Vec<_> = core.group_versions.into_iter().chain(named.group_versions).collect();
    if !is_complete {
        all.truncate(MAX_GROUP_VERSIONS);
        fetch_types(client, &mut all).await;
    }
    Ok(all)
}

/// The reply of `/api` or `/apis`.
#[derive(Default)]
struct EntryPoint {
    group_versions: Vec<GroupVersion>,
    /// True if the group versions have their types.
    is_complete: bool,
    stale: Vec<String>,
}

fn read_core(reply: Reply) -> Result<EntryPoint, Error> {
    // Aggregated API servers have no core group.
    if reply.status == 404 {
        return Ok(EntryPoint { is_complete: true, ..EntryPoint::default() });
    }
    read(reply, "/api", CoreVersions::group_versions)
}

fn read_named(reply: Reply) -> Result<EntryPoint, Error> {
    read(reply, "/apis", GroupList::group_versions)
}

fn read<T: DeserializeOwned>(
    reply: Reply,
    path: &str,
    group_versions: impl FnOnce(T) -> Vec<GroupVersion>,
) -> Result<EntryPoint, Error> {
    if !reply.is_success() {
        return Err(Error::Status(Box::new(Status::ignoring_body(&reply, &request_subject(path)))));
    }
    if is_aggregated(reply.content_type()) {
        let (group_versions, stale) = decode::<AggregatedGroupList>(&reply, path)?.group_versions();
        return Ok(EntryPoint { group_versions, is_complete: true, stale });
    }
    let group_versions = group_versions(decode(&reply, path)?);
    Ok(EntryPoint { group_versions, ..EntryPoint::default() })
}

/// True for the media type of aggregated discovery. Its parameters come in any order, with others
/// between them.
fn is_aggregated(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let parameters: Vec<(String, &str)> = parts
        .filter_map(|parameter| parameter.split_once('='))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_matches('"')))
        .collect();
    let has = |name: &str, values: &[&str]| {
        parameters.iter().any(|(given, value)| given == name && values.contains(value))
    };
    is_json
        && has("g", &["apidiscovery.k8s.io"])
        && has("v", &["v2", "v2beta1"])
        && has("as", &["APIGroupDiscoveryList"])
}

/// Fetches the resource types of all group versions concurrently. A group version that cannot be read
/// is dropped.
async fn fetch_types(client: &Client, all: &mut Vec<GroupVersion>) {
    let budget = AtomicUsize::new(MAX_BYTES);
    let lists =
        join_all(all.iter().map(|group_version| resource_list(client, group_version, &budget)))
            .await;
    let mut lists = lists.into_iter();
    all.retain_mut(|group_version| match lists.next() {
        Some(Ok(list)) => {
            group_version.types.clear();
            group_version.fill(list);
            true
        }
        Some(Err(error)) => {
            let text = format!("couldn't get resource list for {}: {error}", group_version.name());
            let text = format!("\"Unhandled Error\" err={}", go::quote(&text));
            Trace::error("memcache.go", &text);
            false
        }
        None => false,
    });
}

async fn resource_list(
    client: &Client,
    group_version: &GroupVersion,
    budget: &AtomicUsize,
) -> Result<ResourceList, Error> {
    let path = group_version.path();
    let reply = get(client, &path, "application/json").await?;
    if reply.status == 404 && group_version.name() == "v1" {
        return Ok(ResourceList::default());
    }
    if !reply.is_success() {
        return Err(Error::Status(Box::new(Status::from_reply(&reply, &request_subject(&path)))));
    }
    let take = |left: usize| left.checked_sub(reply.body.len());
    if budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
        let limit = MAX_BYTES / (1024 * 1024);
        return Err(Error::Unreadable(format!(
            "the server's discovery documents exceed {limit} MiB in total"
        )));
    }
    decode(&reply, &path)
}

async fn get(client: &Client, path: &str, accept: &'static str) -> Result<Reply, Error> {
    let default = [("timeout", TIMEOUT)];
    let query = if client.sends_timeout() { &[][..] } else { &default[..] };
    let (method, accept, subject) = (Method::GET, Some(accept), &request_subject(path));
    client.send(Request { method, path, query, content: None, accept, subject }).await
}

/// Describes a request to a plain path for error messages. Like client-go, it names no resource.
fn request_subject(path: &str) -> RequestSubject {
    RequestSubject { verb: "get", resource: String::new(), name: path.to_owned() }
}

fn decode<T: DeserializeOwned>(reply: &Reply, path: &str) -> Result<T, Error> {
    serde_json::from_slice(&reply.body).map_err(|error| {
        Error::Unreadable(match error.is_eof() {
            true => "unexpected end of JSON input".to_owned(),
            false => format!("the server's answer to {path} cannot be read: {error}"),
        })
    })
}

/// Logs stale group versions at level 1, like client-go. They rarely matter to the user.
fn log_stale(trace: Trace, stale: &[String]) {
    let mut each: Vec<String> =
        stale.iter().map(|name| format!("{name}: stale GroupVersion discovery: {name}")).collect();
    each.sort();
    let text =
        "Error loading discovery information: unable to retrieve the complete list of server APIs";
    trace.info(1, "shortcut.go", &format!("{text}: {}", each.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregated_discovery_is_detected_by_media_type() {
        for (content_type, expected) in [
            ("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", true),
            ("application/json; as=APIGroupDiscoveryList; v=v2beta1; g=apidiscovery.k8s.io", true),
            (
                "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;charset=utf-8",
                true,
            ),
            ("application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList", false),
            ("application/json;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList", false),
            ("text/html;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", false),
            ("application/json", false),
            ("", false),
        ] {
            assert_eq!(is_aggregated(content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn the_status_object_in_a_refusal_is_not_decoded() {
        let refusal = r#"{"kind":"Status","status":"Failure","message":"no","reason":"Forbidden"}"#;
        for (status, content_type, reason, message) in [
            (
                401,
                "application/json",
                "Unauthorized",
                "the server has asked for the client to provide credentials",
            ),
            (403, "application/json", "Forbidden", "unknown"),
            (403, "text/plain", "Forbidden", refusal),
            (
                404,
                "application/json",
                "NotFound",
                "the server could not find the requested resource",
            ),
        ] {
            let reply = Reply::for_test(status, content_type, refusal);
            let Err(Error::Status(given)) = read_named(reply) else { panic!("{status}") };
            assert_eq!((&*given.reason, &*given.message), (reason, message), "{status}");
        }
    }

    #[test]
    fn a_server_may_have_no_core_group() {
        let entry = read_core(Reply::for_test(404, "text/plain", "404 page not found")).unwrap();
        assert!(entry.is_complete && entry.group_versions.is_empty());
    }

    #[test]
    fn a_reply_that_is_not_discovery_is_an_error() {
        for (body, expected) in [
            ("", "unexpected end of JSON input"),
            (
                "<html>",
                "the server's answer to /apis cannot be read: expected value at line 1 column 1",
            ),
        ] {
            let Err(error) = read_named(Reply::for_test(200, "application/json", body)) else {
                panic!("{body}")
            };
            assert_eq!(error.to_string(), expected);
        }
    }
}
