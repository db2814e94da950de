//! A running test on a real Locust whose workers are scaled by locustctl.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::cluster::{TestCluster, WORKERS};
use support::{Outcome, locustctl};

use super::{ALL_RELEASES, Builder, PATIENCE, Post, RealLocust, Relay, TOO_OLD, eventually};
use crate::Turn;

/// How long the number of users must be stable. This is longer than Locust caches its statistics.
const STABLE_FOR: Duration = Duration::from_millis(2500);

/// A cluster, and a real Locust in it. Commands reach Locust through a relay.
pub struct Scenario {
    pub locust: RealLocust,
    pub cluster: TestCluster,
    /// The scaled Deployment, `deployment/NAME`.
    deployment: String,
    pub relay: Relay,
    _turn: Turn,
}

/// The releases of a test: these, or all with `tests/run.sh --long`.
pub fn releases(usual: &[&'static str]) -> Vec<&'static str> {
    if is_long() { ALL_RELEASES.to_vec() } else { usual.to_vec() }
}

/// Runs a test on each of these releases, or on all with `tests/run.sh --long`, at the same time.
pub fn on_each(usual: &[&'static str], test: impl Fn(&'static str) + Sync) {
    std::thread::scope(|scope| {
        for release in releases(usual) {
            scope.spawn(|| test(release));
        }
    });
}

/// Releases that are too old for locustctl: one, or several with `tests/run.sh --long`.
pub fn too_old_releases() -> Vec<&'static str> {
    if is_long() { vec!["1.4.4", "1.6.0", "2.8.6", TOO_OLD] } else { vec![TOO_OLD] }
}

/// True with `tests/run.sh --long`.
pub fn is_long() -> bool {
    std::env::var_os("LOCUSTCTL_LONG").is_some()
}

impl Scenario {
    /// The usual Locust of this release, with one worker.
    pub fn new(release: &str) -> Self {
        Self::with(release, |builder| builder)
    }

    /// A Locust with other settings.
    pub fn with(release: &str, settings: impl FnOnce(Builder<'_>) -> Builder<'_>) -> Self {
        Self::of("locust-slave", release, settings)
    }

    /// The same with the workers in another Deployment, which is created. Its pods have the label
    /// `app=NAME`.
    pub fn of(
        name: &str,
        release: &str,
        settings: impl FnOnce(Builder<'_>) -> Builder<'_>,
    ) -> Self {
        let turn = Turn::wait();
        let cluster = TestCluster::start();
        let builder = RealLocust::builder(release, &cluster);
        let builder = if name == "locust-slave" {
            builder
        } else {
            create_deployment(&cluster, name);
            builder.pods(&format!("app={name}"))
        };
        let locust = settings(builder).start();
        let relay = Relay::start(locust.url());
        let deployment = format!("deployment/{name}");
        Self { locust, cluster, deployment, relay, _turn: turn }
    }

    /// The address of Locust for commands.
    pub fn url(&self) -> String {
        self.relay.url()
    }

    /// `locustctl LINE DEPLOYMENT --locust=URL`
    pub fn run(&self, line: &str) -> Outcome {
        self.run_on(&self.deployment, line)
    }

    /// The same for another Deployment.
    pub fn run_on(&self, deployment: &str, line: &str) -> Outcome {
        let line = format!("{line} {deployment} --locust={}", self.url());
        locustctl(&line).kubeconfig(self.cluster.kubeconfig()).env("KUBERC", "off").run()
    }

    /// `locustctl scale --replicas=N` with one minute for each step.
    pub fn scale(&self, replicas: i64) -> Outcome {
        self.run(&format!("scale --replicas={replicas} --timeout=60s"))
    }

    /// A scale that must succeed.
    #[track_caller]
    pub fn scaled(&self, replicas: i64) -> Outcome {
        let outcome = self.scale(replicas);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome
    }

    /// Sets the replicas as kubectl does, and waits until Locust counts this many workers.
    #[track_caller]
    pub fn scale_as_kubectl(&self, replicas: i64) {
        self.scale_as_kubectl_to(replicas, replicas);
    }

    /// The same for pods with several workers, and for workers that stay.
    #[track_caller]
    pub fn scale_as_kubectl_to(&self, replicas: i64, workers: i64) {
        self.cluster.handle().set_replicas(&self.path(), replicas);
        self.locust.wait_for_values(|values| values["worker_count"] == workers);
    }

    fn path(&self) -> String {
        WORKERS.replace("deployments/locust-slave", &self.deployment.replacen('/', "s/", 1))
    }

    /// The present `spec.replicas`.
    pub fn replicas(&self) -> i64 {
        self.cluster.handle().replicas(&self.path()).unwrap()
    }

    /// How often a command or serve has changed the replicas.
    pub fn patches(&self) -> usize {
        let lines = self.cluster.request_lines();
        lines.iter().filter(|line| line.starts_with("PATCH ")).count()
    }

    /// Starts a test as Locust's page does, and waits until all its users run. `extra` is added to
    /// the form: `&run_time=30s`.
    #[track_caller]
    pub fn start_test(&self, users: i64, rate: i64, extra: &str) -> RangeInclusive<Instant> {
        let form = format!("user_count={users}&spawn_rate={rate}{extra}");
        let sent = Instant::now();
        let answer = self.locust.post("/swarm", &form);
        let start = sent..=Instant::now();
        assert_eq!(answer["success"], true, "{answer}");
        self.wait_until_running(users);
        start
    }

    /// Waits until a test runs with this many users.
    #[track_caller]
    pub fn wait_until_running(&self, users: i64) {
        let all = |values: &Value| values["state"] == "running" && values["user_count"] == users;
        self.locust.wait_for_values(all);
    }

    /// A test for 60 users on this many workers that has run for some seconds.
    #[track_caller]
    pub fn with_60_users(self, workers: i64) -> Self {
        self.scale_as_kubectl(workers);
        self.start_test(60, 60, "");
        self.wait_for_first_report();
        self
    }

    /// Starts a test like [`Self::with_60_users`], on a Locust with usual heartbeats. False if the master misses a
    /// worker meanwhile, as on a busy machine.
    #[track_caller]
    pub fn starts_60_users(&self, workers: i64) -> bool {
        self.scale_as_kubectl(workers);
        let answer = self.locust.post("/swarm", "user_count=60&spawn_rate=60");
        assert_eq!(answer["success"], true, "{answer}");
        let is_missing =
            || self.locust.log().iter().any(|line| line.contains("failed to send heartbeat"));
        let all = |values: &Value| values["state"] == "running" && values["user_count"] == 60;
        self.locust.wait_for_values(|values| all(values) || is_missing());
        if !is_missing() {
            self.wait_for_first_report();
        }
        !is_missing()
    }

    /// Waits until each worker has reported its users and requests. Locust balances the users again
    /// about one second after a ramp-up.
    pub fn wait_for_first_report(&self) {
        eventually(PATIENCE, || self.locust.requests() > 0, || "requests".to_owned());
        std::thread::sleep(STABLE_FOR);
    }

    /// The POST requests of commands and serve to `/swarm`.
    pub fn posts(&self) -> Vec<Post> {
        let posts = self.relay.posts().into_iter();
        posts.filter(|post| post.path == "/swarm").collect()
    }

    #[track_caller]
    pub fn assert_nothing_posted(&self) {
        let posts = self.posts();
        assert!(posts.is_empty(), "{posts:?}");
    }

    /// Asserts that each POST asked for this many users.
    #[track_caller]
    pub fn assert_posts_ask_for(&self, users: i64) {
        let posts = self.posts();
        assert!(posts.iter().all(|post| post.users() == users), "{posts:?}");
    }

    /// Asserts that the test has this many users for more than two seconds, and that every counted
    /// worker has its share afterwards.
    #[track_caller]
    pub fn assert_users_are_stable(&self, users: i64) {
        let end = Instant::now() + STABLE_FOR;
        while Instant::now() < end {
            let values = self.locust.values();
            let state_and_users = (&values["state"], &values["user_count"]);
            assert_eq!(
                state_and_users,
                (&json!("running"), &json!(users)),
                "{:?}",
                self.locust.users_by_worker()
            );
            std::thread::sleep(Duration::from_millis(200));
        }
        // On a busy machine, Locust caches the statistics for longer than two seconds.
        let are_shared = || {
            let shares = self.locust.users_by_worker();
            let sum: i64 = shares.iter().map(|(_, users)| users).sum();
            let busy = shares.iter().filter(|(_, users)| *users > 0).count();
            (sum, busy) == (users, shares.len().min(usize::try_from(users).unwrap()))
        };
        eventually(Duration::from_secs(10), are_shared, || {
            format!("{:?}", self.locust.users_by_worker())
        });
    }
}

/// Creates a Deployment like `locust-slave` with its own name and label, and one replica. The
/// sandbox's own Locust does not count its pods, because they lack the argument `--worker`.
pub fn create_deployment(cluster: &TestCluster, name: &str) {
    let mut object = cluster.handle().object(WORKERS).unwrap();
    let labels = json!({ "app": name });
    object["metadata"] = json!({ "labels": labels });
    object["status"] = Value::Null;
    object["spec"]["selector"] = json!({ "matchLabels": labels });
    object["spec"]["template"]["metadata"]["labels"] = labels;
    let container = &mut object["spec"]["template"]["spec"]["containers"][0];
    container["args"] = json!([]);
    container["env"] = json!([
        { "name": "LOCUST_MODE_WORKER", "value": "true" },
        { "name": "LOCUST_MASTER_NODE_HOST", "value": format!("{name}-master") },
    ]);
    object["spec"]["replicas"] = json!(1);
    let path = WORKERS.replace("locust-slave", name);
    cluster.handle().put_object(&path, object);
    cluster.wait_for(&path, |object| object["status"]["availableReplicas"] == 1);
}

/// Asserts that this text is on stderr.
#[track_caller]
pub fn assert_says(outcome: &Outcome, text: &str) {
    assert!(outcome.stderr.contains(text), "{text:?} is not in {outcome:?}");
}

/// Asserts that this text is on stdout or stderr. `rebalance` and `status` print their result on
/// stdout.
#[track_caller]
pub fn assert_tells(outcome: &Outcome, text: &str) {
    let is_printed = outcome.stdout.contains(text) || outcome.stderr.contains(text);
    assert!(is_printed, "{text:?} is not in {outcome:?}");
}

/// Asserts that this text is neither on stdout nor on stderr.
#[track_caller]
pub fn assert_silent(outcome: &Outcome, text: &str) {
    let is_printed = outcome.stdout.contains(text) || outcome.stderr.contains(text);
    assert!(!is_printed, "{text:?} is in {outcome:?}");
}
