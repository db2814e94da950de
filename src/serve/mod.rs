//! `locustctl serve`: the web form, the HTTP API, and Locust's web UI with the panel.

mod app;
mod backend;
mod caller;
mod change;
mod error_page;
mod follow;
mod guard;
mod history;
mod leadership;
mod listener;
mod live;
mod locust_ui;
mod log;
mod memory;
mod metrics;
mod object_events;
mod page;
mod problem;
mod question;
mod rebalancer;
mod record;
mod redirect;
mod refusal;
mod requested_rebalance;
mod root;
mod routes;
mod samples;
mod server;
mod settings;
mod settling;
mod snapshot;
mod stepping;
mod test_before;
mod turns;
mod viewers;

pub use self::guard::{AccessOptions, CrossSite};
pub use self::listener::TlsFiles;
pub use self::locust_ui::MOUNT as LOCUST_UI_MOUNT;
pub use self::log::{log, write_in_background};
pub use self::memory::answers as answer_budget;
pub use self::server::Server;
pub use self::settings::{LocustSettings, RebalancePolicy, Settings, SharedState, Subject};
pub use self::snapshot::TargetInfo;

#[doc(hidden)]
pub use self::guard::try_session;
#[doc(hidden)]
pub use self::locust_ui::try_page;

/// Reads the content as each form of a requested change; used by `fuzz/`.
#[doc(hidden)]
pub fn try_change(content: &[u8]) {
    routes::try_change(content);
}

/// Reads a stored history; used by `fuzz/`.
#[doc(hidden)]
pub fn try_history(text: &str) {
    if let Ok(records) = record::read(text) {
        let _ = record::read(&record::write(&records));
    }
}
