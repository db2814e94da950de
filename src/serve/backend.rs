//! The cluster and Locust behind the server, with what is known of both.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::HeaderValue;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::leadership::Leadership;
use super::live::Live;
use super::object_events::ObjectEvents;
use super::settings::{LocustSettings, SharedState};
use super::turns::Turns;
use crate::cluster::api::Client;
use crate::locust::{Error, KnownStart, LocustLocation, Search, WorkerPods};
use crate::scaling::Target;

pub(super) struct Backend {
    pub client: Client,
    pub target: Target,
    /// The state of the target.
    pub live: Live,
    pub locust: LocustSettings,
    pub turns: Turns,
    pub shared: SharedState,
    pub leadership: Leadership,
    /// The Events of changes.
    pub object_events: ObjectEvents,
    /// The cookie of a viewer who is logged in to Locust.
    viewer_cookie: Mutex<Option<HeaderValue>>,
    /// True if Locust has asked for a login.
    has_locust_login: AtomicBool,
    /// The last start of a test that was made or relayed here.
    last_start: Mutex<Option<KnownStart>>,
}

impl Backend {
    pub(super) fn new(
        client: Client,
        target: Target,
        live: Live,
        locust: LocustSettings,
        shared: SharedState,
    ) -> Self {
        let leadership = Leadership::new(&target.namespace, shared.lease.as_deref());
        Self {
            client,
            target,
            live,
            locust,
            turns: Turns::default(),
            shared,
            leadership,
            object_events: ObjectEvents::default(),
            viewer_cookie: Mutex::default(),
            has_locust_login: AtomicBool::new(false),
            last_start: Mutex::default(),
        }
    }

    /// The location of Locust. If no login is configured, it contains the cookie of a viewer. The viewer's
    /// own page of Locust sends the same requests all the time.
    pub(super) fn location(&self) -> LocustLocation {
        let mut location = self.locust.location.clone();
        let login = &mut location.login;
        if login.cookie.is_none() {
            login.cookie.clone_from(&self.viewer_cookie.lock());
        }
        location
    }

    /// Searches for Locust's master.
    ///
    /// # Errors
    /// Locust or the API server does not answer, or refuses.
    pub(super) async fn find_locust(&self, pods: Option<&WorkerPods>) -> Result<Search<'_>, Error> {
        self.location().find(&self.client, &self.target, pods).await
    }

    /// Remembers the cookie of a viewer whom Locust has authenticated.
    pub(super) fn remember_cookie(&self, cookie: &HeaderValue) {
        let is_first = self.viewer_cookie.lock().replace(cookie.clone()).is_none();
        if is_first {
            self.live.request_look();
        }
    }

    /// True if Locust has asked for a login, and has not been open to everyone since.
    pub(super) fn has_locust_login(&self) -> bool {
        self.has_locust_login.load(Ordering::Relaxed)
    }

    /// Notes if Locust asks for a login.
    pub(super) fn set_locust_login(&self, has_login: bool) {
        self.has_locust_login.store(has_login, Ordering::Relaxed);
    }

    /// The last start of a test that was made or relayed here; `None` if the test has ended since.
    pub(super) fn known_start(&self) -> Option<KnownStart> {
        self.last_start.lock().clone()
    }

    /// Remembers a start, unless a later one is known.
    pub(super) fn remember_start(&self, start: KnownStart) {
        let mut known = self.last_start.lock();
        if known.as_ref().is_none_or(|known| known.at <= start.at) {
            *known = Some(start);
        }
    }

    /// Forgets the start that was accepted at this time, and earlier ones.
    pub(super) fn forget_start(&self, at: Instant) {
        let mut known = self.last_start.lock();
        if known.as_ref().is_some_and(|known| known.at <= at) {
            *known = None;
        }
    }
}
