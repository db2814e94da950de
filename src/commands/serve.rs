//! `locustctl serve`: the web page and the HTTP API.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use tokio::time::timeout;

use super::connection::{self, Connection};
use super::default_target::{Purpose, WorkerSearch};
use super::follow_up::FollowUp;
use super::hints::unreadable;
use super::locust::location;
use super::signals::{self, unless_interrupted};
use super::target::{Audience, RequestedTargets, only_one, resolve_one};
use crate::cli::{Auth, GlobalArgs, ServeArgs, ServeRebalance};
use crate::cluster::api::Status;
use crate::locust::Address;
use crate::output::{Failed, write_stdout};
use crate::scaling::{Limits, SelectionArgs, Target, check_namespace, workload_of};
use crate::serve::{
    AccessOptions, CrossSite, LOCUST_UI_MOUNT, LocustSettings, RebalancePolicy, Server, Settings,
    SharedState, Subject, TargetInfo, TlsFiles, answer_budget, log, write_in_background,
};
use crate::text::go::os_error;
use crate::text::terminal::{harmless, say};

/// Time limit for the first look at the target. It takes place only if nothing was named.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// Serves until Ctrl-C, SIGTERM or SIGHUP. Then it drains in-flight requests, and returns `Ok`.
///
/// # Errors
/// A flag, a file or the address cannot be used. A cluster that does not answer is no error: the
/// page reports it. A signal before it serves is an error.
pub async fn run(global: GlobalArgs, args: ServeArgs) -> Result<(), Failed> {
    write_in_background().context("starting the thread of the log")?;
    serve(global, args).await
}

async fn serve(global: GlobalArgs, args: ServeArgs) -> Result<(), Failed> {
    let settings = settings(&args)?;
    let typed = global.typed.clone();
    let prepared = connection::prepare(global)?.within(answer_budget());
    let follow_up = FollowUp::new(typed, prepared.namespace());
    let typed = SelectionArgs { args: &args.target, ..SelectionArgs::default() };
    let requested = RequestedTargets::new(&typed, Audience::Person)?;
    only_one("serve", &requested.selection)?;
    check_namespace(prepared.namespace())?;
    // The handler must exist before the text is printed, since a signal can follow at once.
    let mut end = pin!(signals::first()?);
    let start = async {
        let server = Server::bind(settings).await?;
        let connection = prepared.open().await?;
        let mut target = resolve_one(&connection, &requested).await?;
        if requested.is_default() {
            find_workers(&connection, &mut target, &requested, &follow_up).await?;
        }
        Ok::<_, Failed>((server, connection, target))
    };
    let (server, connection, target) =
        unless_interrupted(start, end.as_mut(), "serve had not started yet").await??;
    let url = server.url();
    // The rest of the connection keeps the simulated cluster alive.
    let simulated = connection.is_simulated();
    let Connection { client, server: cluster, context, .. } = connection;
    let text = format!("Serving {target} of {cluster} on {url}\nPress Ctrl-C to stop it.\n");
    write_stdout(&harmless(&text))?;
    if args.open
        && let Err(error) = open::that_detached(&url)
    {
        let why = match error.kind() {
            ErrorKind::NotFound => "no program that opens a browser was found".to_owned(),
            _ => os_error(&error),
        };
        say(&format!(
            "Warning: the browser was not opened, since {why}. Open {url} in a browser yourself"
        ));
    }
    let info = TargetInfo {
        kind: target.resource.kind_with_group(),
        name: target.name.clone(),
        namespace: target.namespace.clone(),
        cluster,
        context,
        simulated,
    };
    let end = async {
        let signal = end.await;
        log(&format!(
            "shutting down after signal {signal:?}: waiting up to 10 s for in-flight requests; a second signal stops serve at once"
        ));
    };
    Ok(server.run(Subject { client, target, info }, end).await?)
}

/// If the default target does not exist, finds the workers of the namespace instead. If the cluster does
/// not answer in time, the page reports that later.
///
/// # Errors
/// The default target does not exist, and nothing or several objects could be meant.
async fn find_workers(
    connection: &Connection,
    target: &mut Target,
    requested: &RequestedTargets,
    follow_up: &FollowUp,
) -> Result<(), Failed> {
    let client = &connection.client;
    let workers = WorkerSearch::new(requested);
    let read = workers.read(client, target, Purpose::Show, workload_of);
    match timeout(FIRST_LOOK, read).await {
        Ok(Err(error)) if error.status().is_some_and(Status::is_not_found) => {
            Err(unreadable(client, target, error, &workers, follow_up, "serve").await)
        }
        _ => Ok(()),
    }
}

fn settings(args: &ServeArgs) -> Result<Settings> {
    let listen = listen(&args.listen)?;
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => {
            Some(TlsFiles { certificate: certificate.clone(), key: key.clone() })
        }
        (None, None) => None,
        (Some(_), None) => bail!("--tls-cert needs --tls-key, the private key of the certificate"),
        (None, Some(_)) => bail!("--tls-key needs --tls-cert, the certificate of the private key"),
    };
    let guard = AccessOptions {
        listen,
        is_tls: tls.is_some(),
        token_file: args.auth_token_file.clone(),
        session_key_file: args.session_key_file.clone(),
        proxy_header: args.auth_proxy_header.clone(),
        trusted_proxies: args.trusted_proxy.clone(),
        is_open: args.auth == Some(Auth::None),
        allowed_hosts: args.allowed_host.clone(),
        cross_site: match args.allow_cross_site {
            true => CrossSite::Allowed,
            false => CrossSite::Refused,
        },
        mount: if args.locust_ui { LOCUST_UI_MOUNT } else { "" },
    };
    let locust = LocustSettings {
        location: location(&args.locust, &args.target, Address::Auto)?,
        rebalance: match args.rebalance {
            ServeRebalance::Auto => RebalancePolicy::AfterChanges,
            ServeRebalance::Always => RebalancePolicy::Always,
            ServeRebalance::Never => RebalancePolicy::Never,
        },
        is_in_front: args.locust_ui,
    };
    if locust.is_in_front && locust.location.address == Address::None {
        bail!("--locust-ui and --locust=none cannot be used together: leave one of them out");
    }
    if args.allow_cross_site && !args.locust_ui {
        bail!(
            "--allow-cross-site needs --locust-ui: it is about the addresses of Locust's web UI, and \
             serve never accepts changes of the workers from other sites"
        );
    }
    let shared = shared_state(args)?;
    Ok(Settings { listen, limits: limits(args)?, locust, shared, guard, tls })
}

fn shared_state(args: &ServeArgs) -> Result<SharedState> {
    let name = |flag: &str, name: &Option<String>| match name {
        Some(name) if !is_object_name(name) => {
            bail!("{flag}={name} is not a valid name of a Kubernetes object, such as locustctl")
        }
        name => Ok(name.clone()),
    };
    Ok(SharedState {
        history_configmap: name("--history-configmap", &args.history_configmap)?,
        lease: name("--lease", &args.lease)?,
    })
}

/// True for a DNS subdomain (RFC 1123), the form of names in the API.
fn is_object_name(name: &str) -> bool {
    let is_allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let ends = is_end(name.chars().next()) && is_end(name.chars().last());
    ends && name.len() <= 253 && name.chars().all(is_allowed)
}

fn limits(args: &ServeArgs) -> Result<Limits> {
    let count = |flag: &str, count: i64| {
        let count = i32::try_from(count).ok().filter(|count| *count >= 0);
        count.with_context(|| format!("{flag} must be from 0 to {}", i32::MAX))
    };
    let min = count("--min-replicas", args.min_replicas)?;
    let max = count("--max-replicas", args.max_replicas)?;
    if min > max {
        bail!("--min-replicas={min} is more than --max-replicas={max}");
    }
    Ok(Limits { min, max })
}

/// An IP address and a port. `localhost` is the only host name that is accepted.
fn listen(text: &str) -> Result<SocketAddr> {
    let address = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}").parse(),
        None => text.parse(),
    };
    address.map_err(|_| {
        anyhow!(
            "--listen={text} is invalid: give an IP address and a port, such as 127.0.0.1:8088 or \
             [::1]:8088"
        )
    })
}
