//! The numbers of the page: the last hour, and the load of the test.

use serde_json::{Value, json};
use support::cluster::TestCluster;
use support::fake_locust::{FakeLocust, PAGE, default_response, reply};
use support::serving::{Serving, wait_until};

/// A Locust with a running test.
fn locust() -> FakeLocust {
    FakeLocust::start(|request, stream| match &*request.path {
        "/" => {
            let page = PAGE.replace("ready", "running");
            reply(stream, "200 OK\nContent-Type: text/html; charset=utf-8", page);
        }
        "/stats/requests" => {
            let stats = json!({"state": "running", "user_count": 60, "workers": [],
                "total_rps": 9.0, "current_rps": 12.345, "fail_ratio": 0.12345});
            reply(stream, "200 OK\nContent-Type: application/json", stats.to_string());
        }
        _ => default_response(request, stream),
    })
}

fn samples(serving: &Serving) -> Vec<Value> {
    serving.get("/api/samples").json()["samples"].as_array().unwrap().clone()
}

#[test]
fn the_page_shows_requests_per_second_and_failures() {
    let (cluster, locust) = (TestCluster::start(), locust());
    let serving = Serving::start(&cluster, &[&format!("--locust={}", locust.url())]);
    let state = serving.wait_for_state(|state| state["locust"]["requestsPerSecond"] == 12.3);
    let load = ["requestsPerSecond", "failureRatio"].map(|name| state["locust"][name].clone());
    assert_eq!(load, [json!(12.3), json!(0.123)]);
    let page = serving.get("/").text;
    for expected in ["<dd id=\"rps\">12.3<", "<dd id=\"failures\">12.3 %<"] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let link = format!("href=\"{}/\"", locust.url());
    assert!(page.contains(&link), "the browser of this machine reaches it too: {page}");
}

#[test]
fn a_sample_follows_the_first_answer_of_the_cluster_and_is_also_an_event() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &["--locust=none"]);
    wait_until(|| !samples(&serving).is_empty(), || "a sample".to_owned());
    let sample = &samples(&serving)[0];
    assert_eq!((&sample["ready"], &sample["users"]), (&json!(1), &Value::Null));
    let event = format!("event: sample\ndata: {sample}\n\n");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut events = reqwest::get(format!("{}/api/events", serving.url())).await.unwrap();
        let mut text = String::new();
        while !text.contains("event: sample\n") || !text.ends_with("\n\n") {
            text.push_str(std::str::from_utf8(&events.chunk().await.unwrap().unwrap()).unwrap());
        }
        // The fields of an object have no order here.
        assert_eq!(text.matches("event: sample").count(), 1, "{text}");
        assert!(
            event.len() < text.len() && text.contains(sample["at"].as_str().unwrap()),
            "{text}"
        );
    });
}

#[test]
fn samples_cause_no_requests_to_locust() {
    let (cluster, locust) = (TestCluster::start(), locust());
    let serving = Serving::start(&cluster, &[&format!("--locust={}", locust.url())]);
    wait_until(|| !samples(&serving).is_empty(), || "a sample".to_owned());
    serving.wait_for_log("Watching Locust");
    let before = locust.requests("/stats/requests").len();
    for _ in 0..20 {
        samples(&serving);
    }
    assert_eq!(locust.requests("/stats/requests").len(), before);
}

#[test]
fn the_page_of_a_simulated_cluster_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start_with(directory.path().join("none"), &["--sandbox"]);
    serving.wait_until_settled(1);
    assert!(serving.get("/").text.contains("This cluster is simulated"));
    assert_eq!(serving.state()["target"]["simulated"], true);
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    assert!(!serving.get("/").text.contains("simulated"));
}
