//! Background tasks that keep the live state up to date.

mod autoscalers;
mod cluster;
mod lease;
mod locust;

pub(super) use self::autoscalers::follow_autoscalers;
pub(super) use self::cluster::follow_cluster;
pub(super) use self::lease::follow_lease;
pub(super) use self::locust::follow_locust;
