//! kubectl and locustctl, invocation by invocation: the same exit code, the same cluster
//! afterwards, the same words but for our counts; and a named list of what is meant to differ.
//!
//! Each row has a cluster of its own for each program, in the same state to the byte, and says
//! what vanilla kubectl 1.36 does. So our side can be checked without kubectl, and an installed
//! kubectl that words things differently is still held to the same exit code and the same changes.
//!
//! `PARITY=text` runs only the rows whose name has it.
#![allow(clippy::unwrap_used)]

mod check;
mod conditions;
mod difference;
mod errors;
mod flags;
mod kubeconfig;
mod manifests;
mod output;
mod row;
mod run;
mod selection;
mod syntax;
mod world;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use check::Kubectl;
use row::Row;

/// Most of the time programs start or wait.
const AT_ONCE: usize = 4;

fn table() -> Vec<Row> {
    let tables = [
        syntax::rows(),
        flags::rows(),
        selection::rows(),
        conditions::rows(),
        output::rows(),
        errors::rows(),
        manifests::rows(),
    ];
    tables.into_iter().flatten().collect()
}

/// Checks all rows, several at once, and reports everything that does not hold.
fn hold(check: impl Fn(&Row) -> Vec<String> + Sync) {
    let only = std::env::var("PARITY").unwrap_or_default();
    let mut rows = table();
    rows.retain(|row| row.name().contains(&only));
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = check(row);
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn our_side_of_every_row_holds() {
    hold(check::ours);
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn kubectl_and_locustctl_do_the_same() {
    let kubectl = Kubectl::installed();
    hold(|row| check::both(row, &kubectl));
}

#[test]
fn no_row_is_there_twice() {
    let mut names = BTreeSet::new();
    for row in table() {
        assert!(names.insert(row.name()), "{}", row.name());
    }
}
