//! A change that the server has certainly not processed is sent again, as Go's `http2` does.

use support::goaway::{GoAwayServer, Refusal};
use support::{Outcome, locustctl};

const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const ENHANCE_YOUR_CALM: u32 = 11;

fn scale(server: &GoAwayServer) -> Outcome {
    let address = server.address();
    locustctl(&format!(
        "scale --replicas=3 -s https://{address} --insecure-skip-tls-verify --token=some-token"
    ))
    .run()
}

#[test]
fn a_change_that_was_not_processed_is_sent_again() {
    for refusals in [
        &[Refusal::GoAway(NO_ERROR); 3][..],
        &[Refusal::GoAway(ENHANCE_YOUR_CALM)],
        &[Refusal::GoAway(INTERNAL_ERROR), Refusal::GoAway(NO_ERROR)],
        &[Refusal::Reset, Refusal::Reset, Refusal::Reset],
    ] {
        let server = GoAwayServer::start(refusals);
        let outcome = scale(&server);
        outcome.exits(0, "deployment.apps/locust-slave scaled from 1 to 3\n");
        let pauses: Vec<_> = outcome.stderr.lines().collect();
        let long = "Waiting 2 s before the next attempt: the server closed the connection before it processed the request";
        assert!(pauses.iter().all(|line| line.starts_with("Waiting ")), "{outcome:?}");
        assert_eq!(pauses.contains(&long), refusals.len() == 3, "{outcome:?}");
        assert_eq!(server.patches(), refusals.len() + 1);
    }
}

/// Go does not send the first request of a connection again after such a code.
#[test]
fn a_change_that_was_never_processed_is_not_said_to_be_possible() {
    let server = GoAwayServer::start(&[Refusal::GoAway(ENHANCE_YOUR_CALM); 2]);
    let outcome = scale(&server);
    outcome.refuses(
        "Unable to connect to the server: http2: Transport received GOAWAY from server ErrCode:ENHANCE_YOUR_CALM\n",
    );
    assert_eq!(server.patches(), 2);
}

#[test]
fn an_answer_may_have_more_than_16_kilobytes_of_headers() {
    let server = GoAwayServer::with_headers(&[], 300);
    scale(&server).prints("deployment.apps/locust-slave scaled from 1 to 3\n");
}
