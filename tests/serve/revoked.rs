//! `locustctl serve` and clients that lose their access, or that come through a proxy.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use support::cluster::TestCluster;
use support::serving::{Serving, wait_until};

const ALICE: &str = "alice-s-token-0123456789";
const BOB: &str = "bob-s-token-9876543210";

fn served(flags: &[&str]) -> (TestCluster, PathBuf, Serving) {
    let cluster = TestCluster::start();
    let file = cluster.file("tokens", &format!("alice {ALICE}\nbob {BOB}\n"));
    let tokens = format!("--auth-token-file={}", file.display());
    let flags: Vec<_> = flags.iter().copied().chain([&*tokens]).collect();
    let serving = Serving::start(&cluster, &flags);
    (cluster, file, serving)
}

/// A client of the event stream with this header. Returns the text of the stream when it ends.
fn viewer(serving: &Serving, header: &str) -> TcpStream {
    let mut stream = TcpStream::connect(serving.authority()).unwrap();
    let request = format!(
        "GET /api/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200");
    stream
}

fn end_of(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("the stream ends");
    text
}

fn log_in(serving: &Serving, token: &str) -> String {
    let request = serving.request("POST", "/login");
    let form = "application/x-www-form-urlencoded";
    let request = request.header("content-type", form).header("sec-fetch-site", "same-origin");
    let answer = serving.send(request.body(format!("token={token}")));
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[test]
fn a_removed_token_ends_its_event_streams() {
    let (_cluster, file, serving) = served(&[]);
    let cookie = log_in(&serving, BOB);
    let program = viewer(&serving, &format!("Authorization: Bearer {BOB}"));
    let person = viewer(&serving, &format!("Cookie: {cookie}"));
    std::fs::write(&file, format!("alice {ALICE}\n")).unwrap();
    end_of(program);
    end_of(person);
    let request = serving.request("GET", "/api/scale").bearer_auth(BOB);
    assert_eq!(serving.send(request).status, 401);
    let request = serving.request("GET", "/readyz");
    assert_eq!(serving.send(request).status, 200);
}

#[test]
fn signing_out_ends_the_event_streams() {
    let (_cluster, _file, serving) = served(&[]);
    let cookie = log_in(&serving, ALICE);
    let person = viewer(&serving, &format!("Cookie: {cookie}"));
    let request = serving.request("POST", "/logout").header("cookie", &cookie);
    let form = "application/x-www-form-urlencoded";
    let request = request.header("content-type", form).header("sec-fetch-site", "same-origin");
    assert_eq!(serving.send(request.body("")).status, 303);
    end_of(person);
}

#[test]
fn an_empty_token_file_refuses_everyone() {
    let (_cluster, file, serving) = served(&[]);
    let status = || {
        let request = serving.request("GET", "/metrics").bearer_auth(ALICE);
        serving.send(request).status
    };
    assert_eq!(status(), 200);
    std::fs::write(&file, format!("# alice {ALICE}\n")).unwrap();
    serving.wait_for_log("any more: no token is valid");
    assert_eq!(status(), 401);
}

/// A file that is rewritten in place is empty for a moment.
#[test]
fn a_valid_token_is_never_refused_while_its_file_is_rewritten() {
    // The time between two looks of serve at such a file.
    const LOOK_PERIOD: Duration = Duration::from_millis(250);
    let (_cluster, file, serving) = served(&[]);
    let content = std::fs::read_to_string(&file).unwrap();
    let status = || {
        let request = serving.request("GET", "/metrics").bearer_auth(ALICE);
        serving.send(request).status
    };
    let end = Instant::now() + Duration::from_millis(3500);
    let mut moments = 0;
    while Instant::now() < end || moments == 0 {
        let begin = Instant::now();
        std::fs::write(&file, "").unwrap();
        let answered = status();
        std::fs::write(&file, &content).unwrap();
        if begin.elapsed() < LOOK_PERIOD {
            assert_eq!(answered, 200, "{}", serving.stderr());
            moments += 1;
        } else {
            // On a busy machine, the file may be empty for so long that its tokens are dropped.
            wait_until(|| status() == 200, || "access with the token".to_owned());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_new_token_is_valid_as_soon_as_it_is_in_the_file() {
    let (_cluster, file, serving) = served(&[]);
    let carol = "carol-s-token-0123456789";
    let content = format!("alice {ALICE}\nbob {BOB}\ncarol {carol}\n");
    std::fs::write(&file, content).unwrap();
    wait_until(
        || serving.send(serving.request("GET", "/metrics").bearer_auth(carol)).status == 200,
        || "access for the new token".to_owned(),
    );
    serving.wait_for_log("reloaded 3 tokens");
}

#[test]
fn the_owner_of_a_token_cannot_take_the_places_of_others() {
    let (_cluster, _file, serving) = served(&[]);
    let bob = log_in(&serving, BOB);
    let header = format!("Authorization: Bearer {ALICE}");
    let _streams: Vec<_> = (0..200).map(|_| viewer(&serving, &header)).collect();
    let request = serving.request("GET", "/api/events").bearer_auth(ALICE);
    serving.send(request).is_problem(429, "TooManyViewers", "alice has 200 open event streams");
    viewer(&serving, &format!("Cookie: {bob}"));
    let first = log_in(&serving, ALICE);
    for _ in 0..1100 {
        log_in(&serving, ALICE);
    }
    let status = |cookie: &str| {
        serving.send(serving.request("GET", "/metrics").header("cookie", cookie)).status
    };
    assert_eq!((status(&first), status(&bob)), (401, 200));
}

#[test]
fn refused_changes_of_one_person_do_not_fill_the_log() {
    let (_cluster, _file, serving) = served(&[]);
    let request = format!(
        "PUT /api/scale HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ALICE}\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    let answers = serving.pipeline(&vec![request; 400]);
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("400 ")).count(), 400);
    serving.wait_for_log("more refusals were not logged");
    let lines = serving.stderr().matches("who=\"alice\"").count();
    assert!((20..400).contains(&lines), "{lines} lines");
}

#[test]
fn behind_a_proxy_each_client_has_its_own_limits() {
    let (_cluster, _file, serving) = served(&["--trusted-proxy=127.0.0.0/8"]);
    let ask = |from: &str, token: &str| {
        let request = serving.request("GET", "/metrics").bearer_auth(token);
        serving.send(request.header("x-forwarded-for", from)).status
    };
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.9\r\n\
                   Authorization: Bearer a-wrong-token-0123456789\r\n\r\n";
    let answers = serving.pipeline(&vec![request.to_owned(); 8]);
    assert!(answers[7].starts_with("429 "), "{answers:?}");
    assert_eq!(ask("203.0.113.10", ALICE), 200, "other clients are not limited");
    serving.wait_for_log("from=203.0.113.9 action=\"GET /metrics\"");
}
