//! `locustctl status -A`: every Locust of the cluster.

use futures_util::future::join_all;
use serde::Serialize;

use super::super::connection::Connection;
use super::super::follow_up::typed_name;
use crate::cluster::api::Client;
use crate::locust::{Address, ClusterLocust, Error, Login, Master, cluster_locusts};
use crate::output::sentence_of;
use crate::text::terminal::{on_one_line, say};

/// All Locusts of the cluster. `-o json` and `-o yaml` print it as an object.
#[derive(Debug, Serialize)]
pub(super) struct ClusterStatus {
    server: String,
    locusts: Vec<Row>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    namespace: String,
    /// The object with the workers, as the user can type it.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<Counts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locust: Option<Running>,
    /// The reason why there are no facts about the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Counts {
    desired: i64,
    ready: i64,
}

/// The test of one Locust.
#[derive(Debug, Serialize)]
struct Running {
    at: String,
    state: String,
    users: i64,
    workers: usize,
}

impl ClusterStatus {
    /// Lists the objects of the cluster, and asks each master for its test. `with_locust` is false for
    /// `--locust=none`.
    ///
    /// # Errors
    /// Nothing could be listed.
    pub(super) async fn look(connection: &Connection, with_locust: bool) -> anyhow::Result<Self> {
        let client = &connection.client;
        let found = cluster_locusts(client).await;
        if found.locusts.is_empty()
            && let Some(error) = found.errors.first()
        {
            return Err(error.clone().into());
        }
        for error in &found.errors {
            let why = sentence_of(error);
            say(&on_one_line(&format!("Note: the list may be incomplete: {why}")));
        }
        let rows = found.locusts.into_iter().map(|locust| row(client, locust, with_locust));
        let locusts = join_all(rows).await;
        Ok(Self { server: connection.server.clone(), locusts })
    }

    /// The table.
    pub(super) fn text(&self) -> String {
        if self.locusts.is_empty() {
            return format!("No Locust was found in the cluster {}\n", on_one_line(&self.server));
        }
        let head = ["NAMESPACE", "WORKERS", "READY", "LOCUST", "STATE", "CONNECTED", "USERS"];
        let mut lines = vec![head.map(str::to_owned)];
        lines.extend(self.locusts.iter().map(Row::cells));
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<_> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for line in &lines {
            let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            let line = cells.collect::<Vec<_>>().join("  ");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        for Row { namespace, problem, .. } in &self.locusts {
            if let Some(problem) = problem {
                text.push_str(&format!("\n{namespace}: {problem}\n"));
            }
        }
        text
    }
}

impl Row {
    fn cells(&self) -> [String; 7] {
        let none = || "-".to_owned();
        let ready = self.replicas.as_ref().map(|it| format!("{}/{}", it.ready, it.desired));
        let running = |of: &dyn Fn(&Running) -> String| self.locust.as_ref().map_or_else(none, of);
        [
            self.namespace.clone(),
            self.target.clone().unwrap_or_else(none),
            ready.unwrap_or_else(none),
            running(&|locust| locust.at.clone()),
            running(&|locust| locust.state.clone()),
            running(&|locust| locust.workers.to_string()),
            running(&|locust| locust.users.to_string()),
        ]
    }
}

async fn row(client: &Client, locust: ClusterLocust, with_locust: bool) -> Row {
    let ClusterLocust { namespace, workers, web_ui } = locust;
    let (target, replicas) = match &workers {
        Some(workers) => {
            let counts = Counts { desired: workers.desired, ready: workers.ready };
            (Some(on_one_line(&typed_name(&workers.target)).into_owned()), Some(counts))
        }
        None => (None, None),
    };
    let asked = match web_ui {
        _ if !with_locust => Ok(None),
        Ok(Some(address)) => ask(client, &address, &namespace).await,
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    let (locust, problem) = match asked {
        Ok(Some(running)) => (Some(running), None),
        Ok(None) if with_locust => (None, Some("no master of Locust was found".to_owned())),
        Ok(None) => (None, None),
        Err(error) => (None, Some(on_one_line(&error.explanation()).into_owned())),
    };
    Row { namespace: on_one_line(&namespace).into_owned(), target, replicas, locust, problem }
}

async fn ask(
    client: &Client,
    address: &Address,
    namespace: &str,
) -> Result<Option<Running>, Error> {
    let master = Master::at(address, client, namespace, &Login::default())?;
    let Some(master) = master else { return Ok(None) };
    let at = on_one_line(&master.place()).into_owned();
    // Locust caches the statistics for 2 seconds, and never the page.
    if let Some(page) = master.page().await? {
        let workers = match page.worker_count.and_then(|count| usize::try_from(count).ok()) {
            Some(count) => count,
            None => master.stats().await?.connected().count(),
        };
        let state = on_one_line(&page.state).into_owned();
        return Ok(Some(Running { at, state, users: page.user_count, workers }));
    }
    let stats = master.stats().await?;
    Ok(Some(Running {
        at,
        state: on_one_line(&stats.state).into_owned(),
        users: stats.user_count,
        workers: stats.connected().count(),
    }))
}
