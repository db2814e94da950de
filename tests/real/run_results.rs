//! The results of a real Locust, and the recordings of them that the unit tests read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use support::cluster::TestCluster;

use crate::locust_process::{ALL_RELEASES, RELEASES, RealLocust, on_each};

const LOCUSTFILE: &str = "results.py";

/// The files that are recorded, with their paths.
const FILES: [(&str, &str); 3] = [
    ("requests.csv", "/stats/requests/csv"),
    ("failures.csv", "/stats/failures/csv"),
    ("exceptions.csv", "/exceptions/csv"),
];

fn recording(release: &str, file: &str) -> String {
    let directory: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests/fixtures/locust/results"].iter().collect();
    std::fs::read_to_string(directory.join(release).join(file)).unwrap()
}

/// The header, and the first two fields of each row: the type and the name, or the error.
fn outline(csv: &str) -> (Vec<String>, BTreeSet<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        record
            .iter()
            .take(3)
            .filter(|field| field.parse::<f64>().is_err())
            .map(str::to_owned)
            .collect()
    });
    (header, rows.collect())
}

/// The outline of the exceptions: a traceback has the paths of the machine.
fn messages(csv: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.records().map(|record| record.unwrap()[1].to_owned()).collect()
}

#[test]
#[ignore = "needs Locust: tests/run.sh runs it"]
fn the_recorded_results_are_those_of_a_real_locust() {
    on_each(&RELEASES, |release| {
        let cluster = TestCluster::start();
        let builder = RealLocust::builder(release, &cluster);
        let locust = builder.locustfile(LOCUSTFILE).worker_locustfile(LOCUSTFILE).start();
        locust.wait_for(|stats| stats["workers"].as_array().is_some_and(|all| !all.is_empty()));
        assert_eq!(
            locust.text("/stats/requests/csv"),
            recording(release, "before.csv"),
            "{release}"
        );
        locust.post("/swarm", "user_count=5&spawn_rate=5");
        locust.wait_for(|stats| stats["state"] == "running");
        // Each user raises an exception in one of six tasks, so wait for the first.
        locust.wait_for(|_| locust.text("/exceptions/csv").contains("boom"));
        // The workers report the exceptions at once, but their statistics every three seconds.
        let is_reported = |(file, path): &(&str, &str)| {
            outline(&locust.text(path)) == outline(&recording(release, file))
        };
        locust.wait_for(|_| FILES[..2].iter().all(is_reported));
        locust.stop_test();
        locust.wait_for(|stats| stats["state"] == "stopped");
        for (file, path) in FILES {
            let (now, then) = (locust.text(path), recording(release, file));
            match file {
                "exceptions.csv" => assert_eq!(messages(&now), messages(&then), "{release}"),
                _ => assert_eq!(outline(&now), outline(&then), "{release} {file}"),
            }
        }
    });
}

#[test]
fn every_release_has_a_recording() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/locust/results");
    let mut found: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, ALL_RELEASES);
}
