//! Locust's web API (`locust/web.py`), as far as scaling its workers needs it: what the swarm does,
//! which workers the master counts, and giving a running test its users back.

mod address;
mod judge;
mod master;
mod relay;
mod roster;
mod swarm;

pub use address::{Address, InvalidAddress, Service, candidates};
pub use judge::{Repair, Verdict, judge};
pub use master::{Error, Login, Master};
pub use relay::{Content, LONGEST_SILENCE, Outgoing, Place, Relay};
pub use roster::{Roster, is_pod_of, roster};
pub use swarm::{Settings, Stats, Worker, is_running};
