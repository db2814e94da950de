//! `locustctl serve`: the web form, the HTTP API, and Locust's web UI with the panel.

mod app;
mod backend;
mod caller;
mod change;
mod error_page;
mod follow;
mod guard;
mod listener;
mod live;
mod locust_ui;
mod log;
mod metrics;
mod page;
mod problem;
mod question;
mod rebalancer;
mod redirect;
mod refusal;
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
pub use self::server::Server;
pub use self::settings::{LocustSettings, RebalancePolicy, Settings, Subject};
pub use self::snapshot::TargetInfo;
