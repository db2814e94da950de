//! Creates and removes the pods of an object that only keeps a number of them.

use std::{cmp::Reverse, sync::Arc};

use serde_json::{Value, json};

use super::{
    object, pods,
    store::{Key, Store},
};

/// Creates `count` pods from the owner's template. `key` is that of the owner.
pub(super) fn create(store: &mut Store, key: &Key, owner: &Value, count: usize) {
    for _ in 0..count {
        let base = format!("{}-", key.name);
        let mut pod = pods::from_template(owner, &object::generated_name(&base));
        pod["metadata"]["generateName"] = json!(base);
        store.put(&Key::new("pods", &key.namespace, object::name(&pod)), pod);
    }
}

/// Removes `count` of the pods: first those that are not ready, then the newest ones.
pub(super) fn remove(store: &mut Store, mut present: Vec<(Key, Arc<Value>)>, count: usize) {
    present.sort_by_key(|(_, pod)| (pods::is_ready(pod), Reverse(pods::version(pod))));
    for (key, _) in present.iter().take(count) {
        store.remove(key);
    }
}
