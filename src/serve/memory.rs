//! The budgets of the bytes that serve buffers. Without them, a few hundred clients or one large answer could
//! use all memory of the pod.

use crate::cluster::body::Budget;

/// All bodies in memory: those of requests, and the answers of the API server and of Locust. Bodies that are
/// relayed as a stream are not buffered. With everything else, serve then stays below 96 MB.
static BODIES: Budget = Budget::new(40 * 1024 * 1024);

/// The bodies of requests. The rest of the memory is for answers, so serve can follow the cluster even if many
/// clients send bodies.
pub(super) static REQUEST_BODIES: Budget = Budget::part_of(&BODIES, 16 * 1024 * 1024);

/// The bodies of requests to Locust that are not streamed. They may be large, and the rest stays for requests
/// to serve itself.
pub(super) static RELAYED_BODIES: Budget = Budget::part_of(&REQUEST_BODIES, 8 * 1024 * 1024);

/// The budget for the answers of the API server and of Locust.
pub fn answers() -> &'static Budget {
    &BODIES
}
