//! The web form and the HTTP endpoint, for people without a terminal and for pipelines.

mod aftermath;
pub mod app;
pub mod caller;
pub mod guard;
pub mod listener;
pub mod live;
pub mod locust_ui;
pub mod log;
pub mod metrics;
pub mod page;
pub mod problem;
mod question;
mod redirect;
mod refusal;
mod root;
pub mod routes;
mod settling;
pub mod snapshot;
mod stepping;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::sync::watch;

use self::app::App;
use self::guard::Guard;
use self::listener::{Listener, Tls};
use self::snapshot::{Limits, TargetInfo};
use crate::cluster::api::Client;
use crate::locust::LocustLocation;
use crate::scaling::Target;

/// Where to serve, and for whom.
#[derive(Debug)]
pub struct Settings {
    /// Address and port.
    pub listen: SocketAddr,
    /// How many replicas may be asked for.
    pub limits: Limits,
    /// Where Locust is, and what may be done there.
    pub locust: LocustSettings,
    /// Who may.
    pub guard: guard::Options,
    /// Certificate and key, to serve over TLS.
    pub tls: Option<Tls>,
}

/// Where Locust's master is, and what may be done there.
#[derive(Debug, Clone)]
pub struct LocustSettings {
    /// Where.
    pub location: LocustLocation,
    /// When a running test is given its users back.
    pub rebalance: RebalanceWhen,
    /// Whether we are put in front of Locust's own web UI.
    pub is_in_front: bool,
}

/// When a running test is given its users back without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebalanceWhen {
    /// After a change that was made here.
    AfterChanges,
    /// Also when workers left for another reason.
    Always,
    /// Never.
    Never,
}

/// What is served.
pub struct Subject {
    /// For its cluster.
    pub client: Client,
    /// What is scaled.
    pub target: Target,
    /// How it is shown.
    pub info: TargetInfo,
}

/// A server that listens, and answers as soon as it is run.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    guard: Guard,
    limits: Limits,
    locust: LocustSettings,
    is_tls: bool,
    is_loopback: bool,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// An address that cannot be had, files that cannot be used, or that everybody could get in
    /// though nobody has said so.
    pub async fn bind(settings: Settings) -> Result<Self> {
        let Settings { listen, limits, locust, guard, tls } = settings;
        let guard = Guard::new(guard)?;
        let is_tls = tls.is_some();
        let is_loopback = listen.ip().to_canonical().is_loopback();
        let listener = Listener::bind(listen, tls).await?;
        Ok(Self { listener, guard, limits, locust, is_tls, is_loopback })
    }

    /// Where a browser on this machine finds it.
    pub fn url(&self) -> String {
        let address = self.listener.local_addr();
        let scheme = if self.is_tls { "https" } else { "http" };
        match address.ip().is_unspecified() {
            true => format!("{scheme}://localhost:{}/", address.port()),
            false => format!("{scheme}://{address}/"),
        }
    }

    /// Serves until `stop` ends, and then until the answers under way have ended, for 10 seconds
    /// at most.
    ///
    /// # Errors
    /// Locust's web UI cannot be asked at all.
    pub async fn run(self, subject: Subject, stop: impl Future<Output = ()>) -> Result<()> {
        let (stopping, is_stopping) = watch::channel(false);
        let Subject { client, target, info } = subject;
        let app = App::new(client, target, info, self.limits, self.locust, is_stopping);
        let app = Arc::new(app);
        let guard = Arc::new(self.guard);
        let router = router(&app, Arc::clone(&guard), self.is_loopback)?;
        let stop = async {
            stop.await;
            let _ = stopping.send(true);
        };
        let App { client, target, live, metrics, .. } = &*app;
        tokio::select! {
            () = self.listener.run(router, stop) => {}
            () = guard.follow_tokens() => {}
            () = live.publish() => {}
            () = live::follow(client, target, live, metrics) => {}
            () = live::follow_autoscalers(client, target, live) => {}
            () = live::follow_swarm(&app) => {}
        }
        Ok(())
    }
}

fn router(app: &Arc<App>, guard: Arc<Guard>, is_loopback: bool) -> Result<Router> {
    let router = routes::routes(app).merge(guard::routes(Arc::clone(&guard)));
    let router = routes::with_fallbacks(router);
    // A layer is around what is there already: nothing may be added after the guard.
    let guarded = |router: Router| {
        let guard = from_fn_with_state(Arc::clone(&guard), guard::guard);
        routes::counted(router.layer(guard), app)
    };
    match app.locust.is_in_front {
        false => Ok(guarded(router)),
        true => locust_ui::in_front(app, &guard, is_loopback, router, guarded),
    }
}
