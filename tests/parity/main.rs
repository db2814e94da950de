//! The parity table of kubectl and locustctl. Both must have the same exit code, leave the same
//! cluster, and print the same texts apart from our counts. Intended differences are listed.
//!
//! Each row has its own cluster for each program, in exactly the same state. A row states what
//! kubectl 1.36 does, so our side can be checked without kubectl. An installed kubectl with other
//! texts must still have the same exit code and make the same changes.
//!
//! `PARITY=text` runs only the rows with this text in their name.
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

/// How many rows run concurrently. Most of the time they wait for programs to start.
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

/// Checks all rows, several concurrently, and reports all errors.
fn check_all(check: impl Fn(&Row) -> Vec<String> + Sync) {
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
fn locustctl_matches_every_row() {
    check_all(check::locustctl);
}

#[test]
#[ignore = "needs kubectl: tests/run.sh runs it"]
fn kubectl_and_locustctl_behave_the_same() {
    let kubectl = Kubectl::installed();
    check_all(|row| check::both(row, &kubectl));
}

#[test]
fn row_names_are_unique() {
    let mut names = BTreeSet::new();
    for row in table() {
        assert!(names.insert(row.name()), "{}", row.name());
    }
}
