//! The server: binds the address, and serves until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::sync::watch;
use tokio::time::timeout;

use super::app::App;
use super::backend::Backend;
use super::error_page::error_pages;
use super::follow::{follow_autoscalers, follow_cluster, follow_lease, follow_locust};
use super::guard::{self, Guard};
use super::history::{follow_history, write_history};
use super::listener::Listener;
use super::settings::{LocustSettings, Settings, SharedState, Subject};
use super::snapshot::Limits;
use super::{locust_ui, routes};

/// Time limit for what is written to the cluster after the last answer.
const LAST_WRITES: Duration = Duration::from_secs(3);

/// A bound server. It answers when it runs.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    guard: Guard,
    limits: Limits,
    locust: LocustSettings,
    shared: SharedState,
    is_tls: bool,
    is_loopback: bool,
}

impl Server {
    /// Binds the address, and reads the files that the settings name.
    ///
    /// # Errors
    /// The address cannot be bound, a file cannot be used, or the settings allow access from other
    /// machines without saying so.
    pub async fn bind(settings: Settings) -> Result<Self> {
        let Settings { listen, limits, locust, shared, guard, tls } = settings;
        // The token file may be a pipe. Then reading it waits for the writer.
        let guard = tokio::task::spawn_blocking(|| Guard::new(guard));
        let mut guard = guard.await.context("reading the token file")??;
        let is_tls = tls.is_some();
        let is_loopback = listen.ip().to_canonical().is_loopback();
        let listener = Listener::bind(listen, tls).await?;
        guard.set_port(listener.local_addr().port());
        let listener = if locust.is_in_front { listener.for_relay() } else { listener };
        Ok(Self { listener, guard, limits, locust, shared, is_tls, is_loopback })
    }

    /// The URL of the page for a browser on this machine.
    pub fn url(&self) -> String {
        let address = self.listener.local_addr();
        let scheme = if self.is_tls { "https" } else { "http" };
        match address.ip().is_unspecified() {
            true => format!("{scheme}://localhost:{}/", address.port()),
            false => format!("{scheme}://{address}/"),
        }
    }

    /// Serves until `stop` completes. Then running answers have 10 seconds to finish.
    ///
    /// # Errors
    /// The client for Locust's web UI cannot be created.
    pub async fn run(self, subject: Subject, stop: impl Future<Output = ()>) -> Result<()> {
        let (stopping, is_stopping) = watch::channel(false);
        let app = Arc::new(App::new(subject, self.limits, self.locust, self.shared, is_stopping));
        let guard = Arc::new(self.guard);
        let router = router(&app, Arc::clone(&guard), self.is_loopback)?;
        let router = match self.is_tls {
            true => router.layer(from_fn(guard::add_hsts)),
            false => router,
        };
        let stop = async {
            stop.await;
            let _ = stopping.send(true);
        };
        let App { backend, metrics, samples, .. } = &*app;
        let Backend { client, target, live, object_events, .. } = &**backend;
        tokio::select! {
            () = self.listener.run(router, stop) => {}
            () = guard.follow_tokens() => {}
            () = live.publish() => {}
            () = samples.record(live) => {}
            () = follow_cluster(client, target, live, metrics) => {}
            () = follow_autoscalers(client, target, live) => {}
            () = follow_locust(backend) => {}
            () = follow_lease(backend, &app.rebalancer) => {}
            () = follow_history(backend) => {}
            () = object_events.send(client, &target.namespace) => {}
        }
        let release = backend.leadership.release(client);
        let last = async {
            tokio::join!(
                write_history(backend),
                object_events.send_last(client, &target.namespace),
                release
            )
        };
        let _ = timeout(LAST_WRITES, last).await;
        Ok(())
    }
}

fn router(app: &Arc<App>, guard: Arc<Guard>, is_loopback: bool) -> Result<Router> {
    let router = routes::routes(app).merge(guard::routes(Arc::clone(&guard)));
    let router = routes::with_fallbacks(router);
    // A layer wraps only the routes that exist already: no route may be added after the guard.
    let guarded = |router: Router| {
        let guard = from_fn_with_state(Arc::clone(&guard), guard::guard);
        routes::counted(router.layer(guard), app)
    };
    let (router, mount) = match app.backend.locust.is_in_front {
        false => (guarded(router), ""),
        true => {
            let router = locust_ui::in_front(app, &guard, is_loopback, router, guarded)?;
            (router, locust_ui::MOUNT)
        }
    };
    Ok(router.layer(from_fn_with_state(mount, error_pages)))
}
