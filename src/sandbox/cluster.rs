//! A handle on a running sandbox, for tests to inspect and change what is in it.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{
    faults::Fault,
    identity::Rights,
    object,
    pod_failure::PodFailure,
    resource_type::ResourceType,
    routes,
    shared::{RecordedRequest, Shared},
    store::Key,
    tls::{Authority, ClientCertificate},
    verbs,
};

/// Inspects and changes a running sandbox. It may be used from any thread.
#[derive(Clone)]
pub struct ClusterHandle {
    pub(super) shared: Arc<Shared>,
    pub(super) authority: Arc<Authority>,
}

impl std::fmt::Debug for ClusterHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ClusterHandle").finish_non_exhaustive()
    }
}

impl ClusterHandle {
    /// The recorded requests, oldest first. Only the latest 4096 are kept.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.lock().requests.iter().cloned().collect()
    }

    /// Forgets the recorded requests.
    pub fn clear_requests(&self) {
        self.shared.lock().requests.clear();
    }

    /// Adds a fault. If several faults match a request, the oldest one happens.
    pub fn inject(&self, fault: Fault) {
        self.shared.lock().faults.push(fault);
    }

    /// The number of faults that have not happened yet.
    pub fn pending_faults(&self) -> usize {
        self.shared.lock().faults.len()
    }

    /// Removes all faults that have not happened yet, and releases the requests that are held.
    pub fn clear_faults(&self) {
        let mut state = self.shared.lock();
        state.faults.clear();
        state.faults_cleared.send_replace(());
    }

    /// The object at an API path such as
    /// `/apis/apps/v1/namespaces/default/deployments/locust-slave`.
    pub fn object(&self, path: &str) -> Option<Value> {
        let (_, key) = self.locate(path)?;
        self.shared.lock().store.get(&key).map(|object| (**object).clone())
    }

    /// The objects in the collection at an API path.
    pub fn objects(&self, collection: &str) -> Vec<Value> {
        let Some(target) = routes::read("GET", collection, "").target else { return Vec::new() };
        let state = self.shared.lock();
        let kind = state.types.find(&target.group, &target.version, &target.resource);
        let Some(kind) = kind else { return Vec::new() };
        let found = state.store.list(kind.plural, target.namespace.as_deref());
        found.map(|(_, object)| (**object).clone()).collect()
    }

    /// Creates or replaces the object at an API path. Missing names, namespaces, uids, times,
    /// generations and defaults are filled in. The status is stored as given.
    ///
    /// # Panics
    /// If the path does not name an object of a type that the sandbox serves.
    pub fn put_object(&self, path: &str, mut object: Value) {
        let Some((kind, key)) = self.locate(path) else {
            panic!("{path} does not name an object that a sandbox can hold");
        };
        let mut state = self.shared.lock();
        object::member(&mut object, "metadata").insert("name".to_owned(), json!(key.name));
        if let Some(present) = state.store.get(&key) {
            let changed = i64::from(present["spec"] != object["spec"]);
            let metadata = &mut object["metadata"];
            for field in ["uid", "creationTimestamp"] {
                object::default(metadata, field, present["metadata"][field].clone());
            }
            if metadata["generation"].is_null() && present["metadata"]["generation"].is_i64() {
                metadata["generation"] =
                    json!(object::number(present, "/metadata/generation") + changed);
            }
        }
        verbs::complete(kind, &key.namespace, &mut object);
        state.store.put(&key, object);
    }

    /// The replicas of the object at an API path: `spec.replicas` for the built-in types.
    pub fn replicas(&self, path: &str) -> Option<i64> {
        let (kind, _) = self.locate(path)?;
        self.object(path)?["spec"][kind.count()].as_i64()
    }

    /// Scales the object at an API path, as another client would.
    pub fn set_replicas(&self, path: &str, replicas: i64) {
        let Some((kind, key)) = self.locate(path) else { return };
        let mut state = self.shared.lock();
        if let Some(present) = state.store.get(&key) {
            let scaled = object::with_count(present, kind.count(), replicas);
            state.store.put(&key, scaled);
        }
    }

    /// Adds an account with a bearer token.
    pub fn add_account(&self, token: &str, user: &str, rights: Rights) {
        self.shared.lock().accounts.add_token(token, user, rights);
    }

    pub fn add_password(&self, user: &str, password: &str, rights: Rights) {
        self.shared.lock().accounts.add_password(user, password, rights);
    }

    /// Adds an account with a client certificate, and signs that certificate.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn add_certificate(&self, user: &str, rights: Rights) -> Result<ClientCertificate> {
        let (certificate, der) =
            self.authority.client_certificate(user).context("signing a client certificate")?;
        self.shared.lock().accounts.add_certificate(der, user, rights);
        Ok(certificate)
    }

    /// Keeps pending pods from becoming ready, for this reason. `None` ends that.
    pub fn set_pod_failure(&self, pod_failure: Option<PodFailure>) {
        let mut state = self.shared.lock();
        state.store.pod_failure = pod_failure;
        state.store.wake();
    }

    /// Deletes the object at an API path, as another client would.
    pub fn delete_object(&self, path: &str) {
        if let Some((_, key)) = self.locate(path) {
            self.shared.lock().store.remove(&key);
        }
    }

    /// Stops the controllers. Until they resume, no pods come or go, and no status changes.
    pub fn pause_controllers(&self) {
        self.shared.lock().controllers_paused = true;
    }

    /// Starts the controllers again.
    pub fn resume_controllers(&self) {
        let mut state = self.shared.lock();
        state.controllers_paused = false;
        state.store.wake();
    }

    /// Compacts the history: a watch from an older resourceVersion gets `410 Expired`.
    pub fn compact(&self) {
        self.shared.lock().store.compact();
    }

    /// The current resourceVersion.
    pub fn resource_version(&self) -> u64 {
        self.shared.lock().store.version()
    }

    fn locate(&self, path: &str) -> Option<(&'static ResourceType, Key)> {
        let target = routes::read("GET", path, "").target?;
        let state = self.shared.lock();
        let kind = state.types.find(&target.group, &target.version, &target.resource)?;
        let namespace = if kind.namespaced { target.namespace? } else { String::new() };
        Some((kind, Key::new(kind.stored_as(), &namespace, &target.name?)))
    }
}
