//! Locust's workers, and the pods that they run in.

use std::collections::{BTreeMap, BTreeSet};

use super::stats::{Stats, Worker};
use crate::scaling::Pod;

/// Locust warns above this CPU usage, in percent of one core.
const BUSY: f64 = 90.0;

/// Maximum number of pods to remember from earlier looks.
const MAX_REMEMBERED: usize = 5000;

/// The pods of a target, by the host names that their workers report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkerPods {
    /// Host names of the ready pods.
    ready: BTreeSet<String>,
    /// Host names of all pods of this look.
    present: BTreeSet<String>,
    /// Host names of the pods of this look that are being deleted.
    terminating: BTreeSet<String>,
    /// Host names of all pods of this look and of earlier ones.
    known: BTreeSet<String>,
    /// Ready pods with `hostNetwork`. Their workers report the name of the node.
    on_host_network: usize,
    /// Some pods have `hostNetwork`, or had it at an earlier look.
    are_counted_only: bool,
}

impl WorkerPods {
    /// The pods of one look.
    pub fn new<'a>(pods: impl IntoIterator<Item = &'a Pod>) -> Self {
        let mut all = Self::default();
        for pod in pods {
            match pod.host() {
                Some(host) => {
                    all.present.insert(host.to_owned());
                    if pod.is_terminating() {
                        all.terminating.insert(host.to_owned());
                    }
                    if pod.is_ready() {
                        all.ready.insert(host.to_owned());
                    }
                }
                None => {
                    all.are_counted_only = true;
                    all.on_host_network += usize::from(pod.is_ready());
                }
            }
        }
        all.known.clone_from(&all.present);
        all
    }

    /// Adds the pods of an earlier look. A worker in one of them still belongs to the target.
    pub fn remember(mut self, earlier: &Self) -> Self {
        self.known.extend(earlier.known.iter().take(MAX_REMEMBERED).cloned());
        self.are_counted_only |= earlier.are_counted_only;
        self
    }

    /// The number of ready pods.
    pub fn ready_count(&self) -> usize {
        self.ready.len() + self.on_host_network
    }

    /// Workers can only be counted, because some pods have `hostNetwork`.
    pub fn are_counted_only(&self) -> bool {
        self.are_counted_only
    }

    /// The worker runs in one of these pods. With `hostNetwork` this is unknown, and assumed.
    pub fn owns(&self, worker: &Worker) -> bool {
        self.are_counted_only() || self.known.contains(self.host_of(worker))
    }

    /// The host name of the worker's pod. A pod with `setHostnameAsFQDN` reports its domain name, which
    /// begins with the host name.
    pub fn host_of<'a>(&self, worker: &'a Worker) -> &'a str {
        let host = worker.host();
        let shorter = host.match_indices('.').rev().map(|(dot, _)| &host[..dot]);
        let mut names = std::iter::once(host).chain(shorter);
        names.find(|name| self.known.contains(*name)).unwrap_or(host)
    }
}

/// The workers of a target's pods, as Locust reports them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkerTable {
    /// Ready pods without a connected worker.
    pub unconnected: Vec<String>,
    /// Pods that are gone or not ready, with a worker that is still connected.
    pub leftover: Vec<String>,
    /// The pods of [`Self::leftover`] that do not exist any more.
    pub gone: Vec<String>,
    /// The pods of [`Self::leftover`] that are being deleted.
    pub terminating: Vec<String>,
    /// Pods with a worker that sends no heartbeats.
    pub missing: Vec<String>,
    /// Ready pods whose only workers send no heartbeats. These workers may come back with their users.
    pub silent: Vec<String>,
    /// Pods with a worker that has no users while a test is running.
    pub idle: Vec<String>,
    /// Pods with a worker above 90 % of a core.
    pub busy: Vec<String>,
    /// Connected workers of each host.
    pub processes: BTreeMap<String, usize>,
    /// Connected workers that run in none of the pods.
    pub foreign: usize,
    ready_pods: usize,
}

impl WorkerTable {
    /// Joins workers and pods by the host name in the worker's id. If `pods` is `None`, because they
    /// cannot be listed, every worker counts as the target's own.
    pub fn new(stats: &Stats, pods: Option<&WorkerPods>) -> Self {
        let is_own = |worker: &&Worker| pods.is_none_or(|pods| pods.owns(worker));
        fn host<'a>(worker: &'a Worker, pods: Option<&WorkerPods>) -> &'a str {
            pods.map_or_else(|| worker.host(), |pods| pods.host_of(worker))
        }
        let mut by_host: BTreeMap<&str, Vec<&Worker>> = BTreeMap::new();
        for worker in stats.connected().filter(is_own) {
            by_host.entry(host(worker, pods)).or_default().push(worker);
        }
        let hosts_with = |matches: &dyn Fn(&Worker) -> bool| -> Vec<String> {
            let hosts = by_host.iter().filter(|(_, all)| all.iter().any(|worker| matches(worker)));
            hosts.map(|(host, _)| (*host).to_owned()).collect()
        };
        let all = stats.workers.iter().flatten();
        let missing = all.filter(|worker| worker.is_missing()).filter(is_own);
        let missing: BTreeSet<_> = missing.map(|worker| host(worker, pods)).collect();
        let named = pods.filter(|pods| !pods.are_counted_only());
        let is_connected = |host: &&String| by_host.contains_key(host.as_str());
        let is_running = super::stats::is_running(&stats.state);
        let hosts_outside = |hosts: fn(&WorkerPods) -> &BTreeSet<String>| {
            let is_outside = |host: &&str| named.is_some_and(|pods| !hosts(pods).contains(*host));
            by_host.keys().copied().filter(is_outside).map(str::to_owned).collect()
        };
        Self {
            unconnected: named
                .into_iter()
                .flat_map(|pods| pods.ready.iter().filter(|host| !is_connected(host)).cloned())
                .collect(),
            leftover: hosts_outside(|pods| &pods.ready),
            silent: missing
                .iter()
                .filter(|host| !by_host.contains_key(*host))
                .filter(|host| named.is_some_and(|pods| pods.ready.contains(**host)))
                .map(|host| (*host).to_owned())
                .collect(),
            gone: hosts_outside(|pods| &pods.present),
            terminating: by_host
                .keys()
                .filter(|host| named.is_some_and(|pods| pods.terminating.contains(**host)))
                .map(|host| (*host).to_owned())
                .collect(),
            missing: missing.into_iter().map(str::to_owned).collect(),
            idle: hosts_with(&|worker| is_running && worker.user_count == 0),
            busy: hosts_with(&|worker| worker.cpu_usage > BUSY),
            processes: by_host.iter().map(|(host, all)| ((*host).to_owned(), all.len())).collect(),
            foreign: stats.connected().filter(|worker| !is_own(worker)).count(),
            ready_pods: pods.map_or(0, WorkerPods::ready_count),
        }
    }

    /// Connected workers that run in the target's pods.
    pub fn own(&self) -> usize {
        self.processes.values().sum()
    }

    /// The number of worker processes of each pod; `None` if the pods have different numbers.
    pub fn processes_in_each(&self) -> Option<usize> {
        let mut counts = self.processes.values();
        let first = *counts.next()?;
        counts.all(|count| *count == first).then_some(first)
    }

    /// The number of connected workers once all ready pods are connected. It follows from the workers
    /// that were connected before; `None` if it is unknown, as for pods with different numbers. If pods have several
    /// workers, a new pod can have another number of them: with `--processes=-1`, it depends on the node. So the number
    /// is unknown then.
    pub fn expected(&self, pods: &WorkerPods) -> Option<usize> {
        if pods.are_counted_only() {
            // All pods of a node have its name, so only the total number is known.
            let own = self.own();
            let is_even = own > 0 && self.ready_pods > 0 && own.is_multiple_of(self.ready_pods);
            return is_even.then(|| own / self.ready_pods * pods.ready_count());
        }
        // If the pods have different numbers, a worker may be gone that Locust still counts.
        let each = self.processes_in_each()?;
        let is_known = |pod: &String| self.processes.contains_key(pod);
        (each == 1 || pods.ready.iter().all(is_known))
            .then(|| each * pods.ready.len() + self.foreign)
    }

    /// Every ready pod has a connected worker, and no other pod of the target has one.
    pub fn is_complete(&self, pods: &WorkerPods) -> bool {
        match pods.are_counted_only() {
            true => self.own() >= pods.ready_count(),
            false => self.unconnected.is_empty() && self.leftover.is_empty(),
        }
    }

    /// Warnings on the workers, one for each kind.
    pub fn notes(&self) -> Vec<String> {
        let lists = [
            ("ready, but not connected to Locust", &self.unconnected),
            ("connected to Locust, but the pod is gone", &self.gone),
            ("workers without heartbeats", &self.missing),
            ("workers without users", &self.idle),
            ("workers above 90 % CPU", &self.busy),
        ];
        let filled = lists.iter().filter(|(_, hosts)| !hosts.is_empty());
        filled.map(|(what, hosts)| format!("{what}: {}", hosts.join(", "))).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn worker(host: &str, number: u32, state: &str, users: i64, cpu: f64) -> Worker {
        Worker {
            id: format!("{host}_{number:032x}"),
            state: state.to_owned(),
            user_count: users,
            cpu_usage: cpu,
            memory_usage: None,
        }
    }

    fn stats(workers: Vec<Worker>) -> Stats {
        Stats { state: "running".to_owned(), workers: Some(workers), ..Stats::default() }
    }

    fn connected(hosts: &[&str]) -> Stats {
        let workers = hosts.iter().zip(1..);
        stats(workers.map(|(host, number)| worker(host, number, "ready", 0, 0.0)).collect())
    }

    fn pod(name: &str, is_ready: bool, on_host_network: bool) -> Pod {
        let ready = if is_ready { "True" } else { "False" };
        serde_json::from_value(json!({"metadata": {"name": name},
            "spec": {"hostNetwork": on_host_network},
            "status": {"conditions": [{"type": "Ready", "status": ready}]}}))
        .unwrap()
    }

    fn pods(names: &[&str]) -> WorkerPods {
        WorkerPods::new(&names.iter().map(|name| pod(name, true, false)).collect::<Vec<_>>())
    }

    #[test]
    fn workers_and_pods_are_joined_by_host_name() {
        let stats = stats(vec![
            worker("w-0", 1, "running", 5, 95.0),
            worker("w-1", 2, "ready", 0, 1.0),
            worker("w-8", 3, "running", 5, 1.0),
            worker("w-9", 4, "missing", 5, 1.0),
            worker("web-1", 5, "ready", 0, 99.0),
            worker("w", 6, "missing", 0, 99.0),
        ]);
        let now = pods(&["w-0", "w-1", "w-2"]).remember(&pods(&["w-8", "w-9"]));
        let table = WorkerTable::new(&stats, Some(&now));
        assert_eq!(table.unconnected, ["w-2"]);
        assert_eq!(
            (&table.leftover, &table.gone),
            (&vec!["w-8".to_owned()], &vec!["w-8".to_owned()])
        );
        assert_eq!(table.missing, ["w-9"]);
        assert!(table.silent.is_empty(), "its pod is gone, so the worker does not come back");
        assert_eq!(table.idle, ["w-1"]);
        assert_eq!(table.busy, ["w-0"]);
        assert_eq!((table.own(), table.foreign), (3, 1));
        assert!(!table.is_complete(&now));
    }

    #[test]
    fn a_worker_without_heartbeats_may_come_back_if_its_pod_is_ready_and_has_no_other_worker() {
        let stats = stats(vec![
            worker("w-0", 1, "missing", 5, 0.0),
            worker("w-1", 2, "missing", 5, 0.0),
            worker("w-1", 3, "running", 5, 0.0),
            worker("w-2", 4, "missing", 5, 0.0),
        ]);
        let now = [pod("w-0", true, false), pod("w-1", true, false), pod("w-2", false, false)];
        let table = WorkerTable::new(&stats, Some(&WorkerPods::new(&now)));
        assert_eq!(table.silent, ["w-0"]);
        assert!(WorkerTable::new(&stats, None).silent.is_empty());
    }

    #[test]
    fn a_worker_with_a_domain_name_belongs_to_the_pod_with_its_host_name() {
        let now = pods(&["w-0", "w-1.a", "w-1"]);
        let table = WorkerTable::new(
            &connected(&["w-0.workers.default.svc.cluster.local", "w-1.a", "w-1.b", "w-2.workers"]),
            Some(&now),
        );
        assert!(table.unconnected.is_empty() && table.leftover.is_empty(), "{table:?}");
        assert_eq!((table.own(), table.foreign), (3, 1));
        assert_eq!(table.processes.keys().collect::<Vec<_>>(), ["w-0", "w-1", "w-1.a"]);
    }

    #[test]
    fn a_pod_that_is_not_ready_needs_no_worker() {
        let all = [pod("w-0", true, false), pod("w-1", false, false)];
        let now = WorkerPods::new(&all);
        let table = WorkerTable::new(&connected(&["w-0"]), Some(&now));
        assert!(table.is_complete(&now));
        let table = WorkerTable::new(&connected(&["w-0", "w-1"]), Some(&now));
        assert_eq!(table.leftover, ["w-1"]);
        assert!(table.gone.is_empty(), "a pod that exists is not gone: {:?}", table.gone);
    }

    #[test]
    fn the_expected_count_follows_from_the_processes_of_each_pod() {
        let one_each = WorkerTable::new(&connected(&["w-0", "w-1"]), Some(&pods(&["w-0", "w-1"])));
        assert_eq!(one_each.expected(&pods(&["w-0"])), Some(1));
        assert_eq!(one_each.expected(&pods(&["w-0", "w-1", "w-2"])), Some(3));
        let mixed =
            WorkerTable::new(&connected(&["w-0", "w-0", "w-1"]), Some(&pods(&["w-0", "w-1"])));
        assert_eq!(mixed.expected(&pods(&["w-0"])), None, "one of its workers may be gone");
        let two_each = WorkerTable::new(
            &connected(&["w-0", "w-0", "w-1", "w-1"]),
            Some(&pods(&["w-0", "w-1"])),
        );
        assert_eq!(two_each.expected(&pods(&["w-1"])), Some(2));
        assert_eq!(two_each.expected(&pods(&["w-0", "w-2"])), None, "its number may differ");
        let with_foreign = WorkerTable::new(&connected(&["w-0", "x"]), Some(&pods(&["w-0"])));
        assert_eq!(with_foreign.expected(&pods(&["w-0"])), Some(2));
        assert_eq!(WorkerTable::default().expected(&pods(&["w-0"])), None);
    }

    #[test]
    fn a_pod_that_is_being_deleted_has_a_worker_that_will_leave() {
        let leaving: Pod = serde_json::from_value(json!({"metadata": {"name": "w-1",
            "deletionTimestamp": "2026-11-27T12:00:00Z"}}))
        .unwrap();
        let now = WorkerPods::new(&[pod("w-0", true, false), leaving, pod("w-2", false, false)]);
        let table = WorkerTable::new(&connected(&["w-0", "w-1", "w-2"]), Some(&now));
        assert_eq!((table.terminating, table.gone), (vec!["w-1".to_owned()], Vec::new()));
        let table = WorkerTable::new(&connected(&["w-0", "w-2"]), Some(&now));
        assert!(table.terminating.is_empty(), "its worker has left");
    }

    #[test]
    fn on_the_host_network_workers_are_only_counted() {
        let all = [pod("w-0", true, true), pod("w-1", true, true)];
        let now = WorkerPods::new(&all);
        let table = WorkerTable::new(&connected(&["node-1", "node-2"]), Some(&now));
        assert_eq!((table.own(), table.foreign, table.notes().len()), (2, 0, 1));
        assert!(table.is_complete(&now));
        assert!(!WorkerTable::new(&connected(&["node-1"]), Some(&now)).is_complete(&now));
    }

    #[test]
    fn on_the_host_network_the_expected_count_follows_from_the_number_of_pods() {
        let on_node = |names: &[&str]| {
            WorkerPods::new(&names.iter().map(|name| pod(name, true, true)).collect::<Vec<_>>())
        };
        let before = on_node(&["w-0", "w-1", "w-2"]);
        let table = |hosts: &[&str]| WorkerTable::new(&connected(hosts), Some(&before));
        let (one, four) = (on_node(&["w-0"]), on_node(&["w-0", "w-1", "w-2", "w-3"]));
        let one_each = table(&["node", "node", "node"]);
        assert_eq!((one_each.expected(&one), one_each.expected(&four)), (Some(1), Some(4)));
        let two_each = table(&["node-1", "node-1", "node-1", "node-1", "node-2", "node-2"]);
        assert_eq!((two_each.expected(&one), two_each.expected(&four)), (Some(2), Some(8)));
        assert_eq!(
            table(&["node", "node"]).expected(&one),
            None,
            "a worker of three is not connected"
        );
        let none = WorkerPods::default().remember(&before);
        assert!(none.are_counted_only());
        assert_eq!(one_each.expected(&none), Some(0));
    }
}
