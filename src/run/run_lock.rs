//! Holds a Lease for the time of a run, so that two runs do not change the same workers.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::cluster::api::Client;
use crate::cluster::lease::{Holder, Holding, Lease, LeaseError};
use crate::scaling::Target;

/// Others may take the Lease this long after its holder was killed. client-go's default is the same.
const DURATION: Duration = Duration::from_secs(15);

/// How often the Lease is renewed.
const RENEWAL: Duration = Duration::from_secs(3);

/// How often the Lease of another run is read, to see if that run is still alive.
const LOOK: Duration = Duration::from_secs(1);

/// The longest name of an object in Kubernetes.
const MAX_NAME: usize = 253;

/// The Lease of the workers of a run.
pub struct RunLock {
    lease: Lease,
    name: String,
}

/// The result of [`RunLock::acquire`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locked {
    Yes {
        /// Another run held the Lease until now. It may have changed the number of workers.
        has_waited: bool,
    },
    /// Another run holds the Lease, and is alive.
    ByOther(Holder),
    /// There is no right to the Lease, or the server has no Leases. The text is the reason.
    NotAvailable(String),
}

impl RunLock {
    /// The Lease that is named after the target, in its namespace.
    pub fn new(target: &Target) -> Self {
        let Target { resource, namespace, name } = target;
        let mut lease = format!("locustctl-run-{}-{name}", resource.singular);
        lease.truncate(lease.floor_char_boundary(MAX_NAME));
        Self { lease: Lease::new(namespace, &lease, Lease::identity(), DURATION), name: lease }
    }

    /// The name of the Lease.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes the Lease. If another run holds it, watches for up to 17 s whether that run still renews it.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn acquire(&mut self, client: &Client) -> Result<Locked, LeaseError> {
        let end = Instant::now() + DURATION + LOOK * 2;
        let mut before: Option<Holder> = None;
        loop {
            let holder = match self.lease.acquire(client).await {
                Ok(Holding::Held) => return Ok(Locked::Yes { has_waited: before.is_some() }),
                Ok(Holding::NotAllowed(why)) => return Ok(Locked::NotAvailable(why)),
                Err(LeaseError::Api(error))
                    if error.status().is_some_and(|it| it.is_not_found()) =>
                {
                    return Ok(Locked::NotAvailable(error.to_string()));
                }
                Ok(Holding::HeldBy(holder)) => holder,
                Err(error) => return Err(error),
            };
            // Each renewal begins the time anew.
            let is_alive =
                before.as_ref().is_some_and(|before| holder.expires_in > before.expires_in);
            if is_alive || Instant::now() >= end {
                return Ok(Locked::ByOther(holder));
            }
            before = Some(holder);
            sleep(LOOK).await;
        }
    }

    /// The other run that holds the Lease, or did so when it was killed. `None` also if the Lease cannot be read.
    pub async fn holder(&mut self, client: &Client) -> Option<Holder> {
        self.lease.look(client).await.ok().flatten()
    }

    /// Renews the Lease. Never ends. `on_loss` is called once if another run has taken it.
    pub async fn keep(&mut self, client: &Client, on_loss: impl FnOnce(&Holder)) {
        let mut on_loss = Some(on_loss);
        loop {
            sleep(RENEWAL).await;
            // A failed renewal is repeated. The Lease lasts for several of them.
            if let Ok(Holding::HeldBy(holder)) = self.lease.acquire(client).await
                && let Some(on_loss) = on_loss.take()
            {
                on_loss(&holder);
            }
        }
    }

    /// Releases the Lease. If this fails, others get it when it has expired.
    pub async fn release(&mut self, client: &Client) {
        let _ = self.lease.release(client).await;
    }
}
