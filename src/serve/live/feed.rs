//! Where the state comes from: one watch of the target and one of its pods, for as long as serve
//! lives. Whatever goes wrong is told, and tried again.

use std::pin::pin;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::super::log::log;
use super::super::metrics::Metrics;
use super::super::snapshot::Link;
use super::Live;
use crate::cluster::api::{Client, Error, Watch, WatchEvent, WatchTarget};
use crate::scaling::{
    PODS, Pod, Target, Workload, WorkloadKind, autoscalers, label_selector, readiness_of_scale,
    workload_of,
};

/// A connection that is back sooner is not worth a word.
const BLINK: Duration = Duration::from_secs(1);

/// Between looks at a target that does not exist, and between attempts after a refusal.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Of a type that cannot be watched since only its scale is known.
const PERIOD: Duration = Duration::from_secs(2);

/// Autoscalers come and go rarely.
const AUTOSCALER_PERIOD: Duration = Duration::from_secs(60);

/// Follows the target and its pods; never ends.
pub async fn follow(client: &Client, target: &Target, live: &Live, metrics: &Metrics) {
    let (selector, selected) = watch::channel(None);
    let feed = Feed { client, target, live, metrics, selector };
    let target_alone = async {
        match WorkloadKind::of(&target.resource) {
            Some(kind) => {
                tokio::join!(feed.watch_target(kind), feed.read_after_changes(kind));
            }
            None => feed.ask_for_scale().await,
        }
    };
    tokio::join!(target_alone, feed.watch_pods(selected));
}

/// Looks again and again who else changes the count; never ends.
pub async fn follow_autoscalers(client: &Client, target: &Target, live: &Live) {
    let mut told = String::new();
    loop {
        let now = autoscalers(client, target).await;
        let why: Vec<_> =
            now.unknown.iter().map(|(resource, error)| format!("{resource}: {error}")).collect();
        let why = why.join("; ");
        if why != told && !why.is_empty() {
            log(&format!("who else changes the count is not known: {why}"));
        }
        told = why;
        live.change(|state| state.autoscalers = now.after(&state.autoscalers));
        sleep(AUTOSCALER_PERIOD).await;
    }
}

struct Feed<'a> {
    client: &'a Client,
    target: &'a Target,
    live: &'a Live,
    metrics: &'a Metrics,
    selector: watch::Sender<Option<String>>,
}

impl Feed<'_> {
    async fn watch_target(&self, kind: WorkloadKind) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let watched = WatchTarget {
                resource: &self.target.resource,
                namespace: &self.target.namespace,
                name: Some(&self.target.name),
                labels: None,
            };
            let mut watch = self.client.watch::<Workload>(watched);
            let ended = loop {
                match self.next(&mut watch, |error| self.lost(error)).await {
                    Ok(WatchEvent::Present(objects)) if objects.is_empty() => break None,
                    Ok(WatchEvent::Present(objects)) => {
                        objects.iter().for_each(|object| self.seen(kind, object));
                    }
                    Ok(WatchEvent::Changed(object)) => self.told(kind, &object),
                    Ok(WatchEvent::Deleted(_)) => self.missing(),
                    Ok(WatchEvent::Interrupted(error)) => self.lost(&error),
                    Ok(WatchEvent::Resumed) => self.linked(),
                    Err(error) => break Some(error),
                }
                pause = SHORTEST_PAUSE;
            };
            match ended {
                None => self.missing(),
                Some(error) => self.refused(&error),
            }
            self.metrics.watch_restarted();
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The next event. A disturbance is passed over if it is over in a moment, and told meanwhile
    /// if it is not.
    async fn next<T: DeserializeOwned>(
        &self,
        watch: &mut Watch<'_, T>,
        lost: impl Fn(&Error),
    ) -> Result<WatchEvent<T>, Error> {
        let error = match watch.next().await? {
            WatchEvent::Interrupted(error) => error,
            event => return Ok(event),
        };
        self.metrics.watch_restarted();
        let told_at = Instant::now() + BLINK;
        loop {
            let mut next = pin!(watch.next());
            let event = tokio::select! {
                event = &mut next => event?,
                () = sleep_until(told_at) => {
                    lost(&error);
                    next.await?
                }
            };
            match event {
                WatchEvent::Interrupted(_) if Instant::now() < told_at => {}
                event => return Ok(event),
            }
        }
    }

    /// Reads the target anew after each change from here: the watch may be late, or broken, or tell
    /// of a cluster that was set back.
    async fn read_after_changes(&self, kind: WorkloadKind) {
        loop {
            self.live.has_ended.notified().await;
            let mut pause = SHORTEST_PAUSE;
            loop {
                let ended = self.live.lock().ended();
                match self.read(kind).await {
                    Ok(()) => break self.live.looked(ended),
                    // The watch tells what is wrong.
                    Err(_) => sleep(pause).await,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    async fn read(&self, kind: WorkloadKind) -> Result<(), Error> {
        match workload_of(self.client, self.target).await {
            Ok(object) => self.seen(kind, &object),
            Err(error) if error.status().is_some_and(|status| status.is_not_found()) => {
                self.missing();
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn ask_for_scale(&self) {
        let about = self.target.about("get");
        loop {
            let ended = self.live.lock().ended();
            match self.client.get_scale(&self.target.path(), &about).await {
                Ok(scale) => {
                    self.select(Some(&scale.selector).filter(|text| !text.is_empty()).cloned());
                    let now = readiness_of_scale(&scale, scale.replicas.into());
                    self.found(|| self.live.change(|state| state.count(&now)));
                    self.live.looked(ended);
                }
                Err(error) if error.status().is_some_and(|status| status.is_not_found()) => {
                    self.missing();
                }
                Err(error) if error.is_transient() => self.lost(&error),
                Err(error) => self.refused(&error),
            }
            sleep(PERIOD).await;
        }
    }

    fn told(&self, kind: WorkloadKind, object: &Workload) {
        self.select(label_selector(&object.spec.selector));
        self.found(|| self.live.change(|state| state.told(kind, object)));
    }

    fn seen(&self, kind: WorkloadKind, object: &Workload) {
        self.select(label_selector(&object.spec.selector));
        self.found(|| self.live.change(|state| state.seen(kind, object)));
    }

    /// Something was heard: what was said of the connection before is over.
    fn found(&self, take: impl FnOnce()) {
        let before = self.live.lock().link_state();
        take();
        if !matches!(before, Link::Connected) {
            log(&format!("{} is followed", self.target));
        }
    }

    fn linked(&self) {
        self.found(|| self.live.change(|state| state.link(Link::Connected, "")));
    }

    fn lost(&self, error: &Error) {
        let text = "The cluster does not answer, and what is shown is the last that was known";
        self.stand(Link::Lost, &format!("{text}: {error}"));
    }

    fn refused(&self, error: &Error) {
        self.stand(Link::Refused, &format!("The cluster refuses to show {}: {error}", self.target));
    }

    fn stand(&self, link: Link, message: &str) {
        if self.live.lock().link_state() != link {
            log(message);
        }
        self.live.change(|state| state.link(link, message));
    }

    fn missing(&self) {
        if self.live.lock().link_state() != Link::Missing {
            log(&format!("{} does not exist; it is looked for again and again", self.target));
        }
        self.select(None);
        self.live.change(|state| state.missing());
    }

    fn select(&self, selector: Option<String>) {
        self.selector.send_if_modified(|old| {
            let is_new = *old != selector;
            *old = selector;
            is_new
        });
    }

    async fn watch_pods(&self, mut selected: watch::Receiver<Option<String>>) {
        loop {
            let selector = selected.borrow_and_update().clone();
            let watching = async {
                match &selector {
                    Some(selector) => self.watch_selected(selector).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = watching => {}
                changed = selected.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn watch_selected(&self, selector: &str) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let watched = WatchTarget {
                resource: &PODS,
                namespace: &self.target.namespace,
                name: None,
                labels: Some(selector),
            };
            let mut watch = self.client.watch::<Pod>(watched);
            let unknown = |error: &Error| {
                let why = format!("The pods cannot be seen: {error}");
                self.live.change(|state| state.pods_unknown(Some(why)));
            };
            let error = loop {
                match self.next(&mut watch, unknown).await {
                    Ok(WatchEvent::Present(mut pods)) => {
                        pods.retain(|pod| pod.is_of(self.target));
                        self.live.change(|state| state.all_pods(pods));
                    }
                    Ok(WatchEvent::Changed(pod)) if pod.is_of(self.target) => {
                        self.live.change(|state| state.pod(pod));
                    }
                    Ok(WatchEvent::Changed(_)) => {}
                    Ok(WatchEvent::Deleted(pod)) => self.live.change(|state| state.pod_gone(&pod)),
                    Ok(WatchEvent::Interrupted(error)) => unknown(&error),
                    Ok(WatchEvent::Resumed) => self.live.change(|state| state.pods_unknown(None)),
                    Err(error) => break error,
                }
                pause = SHORTEST_PAUSE;
            };
            unknown(&error);
            self.metrics.watch_restarted();
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
