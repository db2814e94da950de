//! Every secret that the tests use, so that each output can be searched for all of them.

use std::sync::Mutex;

static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on this must not be printed by any program under test.
pub fn add(secret: &str) {
    SECRETS.lock().unwrap().push(secret.to_owned());
}

/// All that were added.
pub fn all() -> Vec<String> {
    SECRETS.lock().unwrap().clone()
}
