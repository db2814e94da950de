//! The state of the workers, as the page and `/api/events` show it.

use locustctl::sandbox::PodFailure;
use support::cluster::TestCluster;
use support::fake_locust::{FakeLocust, default_response};
use support::serving::Serving;

#[test]
fn the_reason_why_pods_do_not_start_is_in_words_below_the_bar() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    serving.wait_until_settled(1);
    cluster.handle().set_pod_failure(Some(PodFailure::ImagePull));
    serving.put("", r#"{"replicas": 2}"#);
    let state = serving.wait_for_state(|state| state["reasons"][0].is_string());
    let text = |name: &str| state[name][0].as_str().unwrap().to_owned();
    let words = "1 pod: the image cannot be pulled: ";
    assert!(text("reasons").starts_with(words), "{state}");
    assert!(text("troubles").contains("ImagePull"), "programs get the reason's name: {state}");
    let page = serving.get("/").text;
    let place = |part: &str| page.find(part).unwrap_or_else(|| panic!("no {part} in {page}"));
    assert!(place("id=\"bar\"") < place(words) && place(words) < place("id=\"form\""));
    assert!(page.contains(">Pods do not start</p>"), "{page}");
    assert_eq!(page.matches("1 of 2 ready").count(), 1, "the text of the bar: {page}");
}

#[test]
fn workers_without_a_connection_to_locust_are_not_shown_as_settled() {
    let cluster = TestCluster::start();
    let serving = Serving::start(&cluster, &[]);
    let state = serving.wait_for_state(|state| {
        state["standing"]["look"] == "settled" && state["locust"]["ownWorkers"] == 1
    });
    assert_eq!(state["standing"]["text"], "All ready");
    // This Locust has no worker of the pods.
    let locust = FakeLocust::start(default_response);
    let serving = Serving::start(&cluster, &[&format!("--locust={}", locust.url())]);
    let state = serving.wait_for_state(|state| {
        state["replicas"]["settled"] == true && state["locust"].is_object()
    });
    assert_eq!(state["standing"]["look"], "moving");
    assert_eq!(state["standing"]["text"], "All ready, not all connected to Locust");
}
