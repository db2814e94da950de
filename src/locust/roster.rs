//! Locust's workers beside the pods that they should run in.

use std::collections::{BTreeMap, BTreeSet};

use super::swarm::{Stats, Worker};

/// From here on Locust itself warns: percent of one core.
const BUSY: f64 = 90.0;

/// Who is where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// Ready pods that Locust does not count.
    pub uncounted: Vec<String>,
    /// Pods that are gone, though Locust counts a worker in them.
    pub orphaned: Vec<String>,
    /// Pods whose workers Locust has lost sight of.
    pub missing: Vec<String>,
    /// Pods whose workers have no users while a test is running.
    pub idle: Vec<String>,
    /// Pods with a worker above 90 % of a core.
    pub busy: Vec<String>,
    /// Worker processes in one pod.
    pub processes: usize,
    /// Workers that are counted.
    pub counted: usize,
}

/// Joins the workers with the ready pods, by the name in the worker's id. `pods` is absent when
/// they may not be listed. `owners` are the names of the Deployments, or the like, that are looked
/// at: workers of others are nobody's business here.
pub fn roster(stats: &Stats, pods: Option<&BTreeSet<String>>, owners: &[&str]) -> Roster {
    let mut by_pod: BTreeMap<&str, Vec<&Worker>> = BTreeMap::new();
    for worker in own(stats, pods, owners).filter(|worker| !worker.is_missing()) {
        by_pod.entry(worker.pod()).or_default().push(worker);
    }
    let where_any = |is_so: &dyn Fn(&Worker) -> bool| {
        let those = by_pod.iter().filter(|(_, workers)| workers.iter().any(|worker| is_so(worker)));
        those.map(|(pod, _)| (*pod).to_owned()).collect::<Vec<_>>()
    };
    let is_counted = |pod: &&String| by_pod.contains_key(pod.as_str());
    let is_gone = |pod: &&&str| pods.is_some_and(|pods| !pods.contains(**pod));
    let missing = own(stats, pods, owners).filter(|worker| worker.is_missing());
    let missing: BTreeSet<_> = missing.map(Worker::pod).collect();
    Roster {
        uncounted: pods.into_iter().flatten().filter(|pod| !is_counted(pod)).cloned().collect(),
        orphaned: by_pod.keys().filter(is_gone).map(|pod| (*pod).to_owned()).collect(),
        missing: missing.into_iter().map(str::to_owned).collect(),
        idle: match stats.is_running() {
            true => where_any(&|worker| worker.user_count == 0),
            false => Vec::new(),
        },
        busy: where_any(&|worker| worker.cpu_usage > BUSY),
        processes: by_pod.values().map(Vec::len).max().unwrap_or(1),
        counted: by_pod.values().map(Vec::len).sum(),
    }
}

fn own<'a>(
    stats: &'a Stats,
    pods: Option<&'a BTreeSet<String>>,
    owners: &[&str],
) -> impl Iterator<Item = &'a Worker> {
    stats.workers.iter().flatten().filter(move |worker| {
        let pod = worker.pod();
        pods.is_some_and(|pods| pods.contains(pod))
            || owners.iter().any(|owner| is_pod_of(pod, owner))
    })
}

/// Whether a pod is of this Deployment, ReplicaSet, ReplicationController or StatefulSet, by how
/// their controllers name pods: another Deployment's name may begin with this one's.
pub fn is_pod_of(pod: &str, owner: &str) -> bool {
    let Some(rest) = pod.strip_prefix(owner).and_then(|rest| rest.strip_prefix('-')) else {
        return false;
    };
    // `rand.SafeEncodeString` of k8s.io/apimachinery: no vowels, so that no words come of it.
    let is_safe =
        |text: &str| text.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte));
    let is_random = |text: &str| text.len() == 5 && is_safe(text);
    let is_ordinal = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let is_of_revision = rest.split_once('-').is_some_and(|(hash, end)| {
        (1..=10).contains(&hash.len()) && is_safe(hash) && is_random(end)
    });
    is_ordinal || is_random(rest) || is_of_revision
}

impl Roster {
    /// What is not as it should be, in sentences.
    pub fn notes(&self) -> Vec<String> {
        let lists = [
            ("Locust does not count the ready", &self.uncounted),
            ("Locust still counts, though they are gone,", &self.orphaned),
            ("Locust misses the workers in", &self.missing),
            ("no users are on the workers in", &self.idle),
            ("above 90 % of a core are workers in", &self.busy),
        ];
        let said = lists.iter().filter(|(_, pods)| !pods.is_empty());
        said.map(|(what, pods)| format!("{what} {}", pods.join(", "))).collect()
    }

    /// Whether Locust counts exactly the workers in the ready pods, all of their processes.
    pub fn is_settled(&self, pods: &BTreeSet<String>) -> bool {
        self.uncounted.is_empty()
            && self.orphaned.is_empty()
            && self.counted == pods.len() * self.processes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(pod: &str, number: u32, state: &str, users: i64, cpu: f64) -> Worker {
        Worker {
            id: format!("{pod}_{number:032x}"),
            state: state.to_owned(),
            user_count: users,
            cpu_usage: cpu,
            memory_usage: None,
        }
    }

    fn pods(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn workers_and_pods_are_joined_by_name() {
        let stats = Stats {
            state: "running".to_owned(),
            workers: Some(vec![
                worker("w-0", 1, "running", 5, 95.0),
                worker("w-1", 2, "ready", 0, 1.0),
                worker("w-8", 3, "running", 5, 1.0),
                worker("w-9", 4, "missing", 5, 1.0),
                worker("web-1", 5, "ready", 0, 99.0),
                worker("w", 6, "missing", 0, 99.0),
            ]),
            ..Stats::default()
        };
        let pods = pods(&["w-0", "w-1", "w-2"]);
        let roster = roster(&stats, Some(&pods), &["w"]);
        assert_eq!(roster.uncounted, ["w-2"]);
        assert_eq!(roster.orphaned, ["w-8"]);
        assert_eq!(roster.missing, ["w-9"]);
        assert_eq!(roster.idle, ["w-1"]);
        assert_eq!(roster.busy, ["w-0"]);
        assert!(!roster.is_settled(&pods));
    }

    #[test]
    fn pods_are_told_from_those_of_another_owner_whose_name_begins_alike() {
        for (pod, expected) in [
            ("locust-slave-7d6d865b5d-x2x9k", true),
            ("locust-slave-x2x9k", true),
            ("locust-slave-0", true),
            ("locust-slave-12", true),
            ("locust-slave-big-7d6d865b5d-x2x9k", false),
            ("locust-slave-big-x2x9k", false),
            ("locust-slave-big-0", false),
            ("locust-slave-", false),
            ("locust-slave", false),
            ("locust-slavery-x2x9k", false),
        ] {
            assert_eq!(is_pod_of(pod, "locust-slave"), expected, "{pod}");
        }
    }

    #[test]
    fn all_processes_of_all_pods_must_be_counted() {
        let of = |workers: Vec<Worker>| Stats { workers: Some(workers), ..Stats::default() };
        let one = |pod: &str, number| worker(pod, number, "ready", 0, 0.0);
        let settled = |stats: &Stats, names: &[&str]| {
            let pods = pods(names);
            roster(stats, Some(&pods), &["w"]).is_settled(&pods)
        };
        let two = of(vec![one("w-0", 1), one("w-0", 2), one("w-1", 3)]);
        assert!(!settled(&two, &["w-0", "w-1"]), "one process of b has not joined");
        let both = of(vec![one("w-0", 1), one("w-0", 2), one("w-1", 3), one("w-1", 4)]);
        assert!(settled(&both, &["w-0", "w-1"]));
        assert!(!settled(&both, &["w-0"]), "b is still counted");
        assert!(!settled(&both, &["w-0", "w-1", "w-3"]));
        assert!(settled(&of(Vec::new()), &[]));
    }
}
