//! All secrets of the tests. Each output is searched for all of them.

use std::sync::Mutex;

static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Adds a secret. No program under test may print it from now on.
pub fn add(secret: &str) {
    SECRETS.lock().unwrap().push(secret.to_owned());
}

pub fn all() -> Vec<String> {
    SECRETS.lock().unwrap().clone()
}
