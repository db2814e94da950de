//! `run` on a terminal: the live display, and Ctrl-C.

use support::terminal::Terminal;
use support::waiting::cluster;

use super::command::waiting_script;

#[test]
fn the_state_of_the_test_is_drawn_again_with_a_bar() {
    let cluster = cluster();
    let terminal = Terminal::start_with(&cluster, "xterm", "run --replicas=3 -u 20 -r 20 -t 7s");
    // Neither line is cut off at the width of 80 columns.
    terminal.wait_for(" of 7s: running, 20 users, 3 workers");
    terminal.wait_for(" requests failed, median ");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("[###"), "{screen:?}");
    // The bar is removed before the results are printed.
    let (_, results) = screen.rsplit_once("Aggregated").unwrap();
    assert!(!results.contains("[###"), "{screen:?}");
    assert!(results.contains("verdict: passed\n"), "{screen:?}");
}

#[test]
fn ctrl_c_reaches_the_command_once() {
    let cluster = cluster();
    let script = waiting_script(&cluster, "n=0; trap 'n=$((n+1)); echo signal $n' INT");
    let mut terminal = Terminal::start(&cluster, &format!("run --replicas=3 -- /bin/sh {script}"));
    terminal.wait_for("3 workers are connected to Locust\n");
    let started = cluster.path("started");
    support::serving::wait_until(|| started.exists(), || terminal.screen());
    terminal.press("\u{3}");
    // The script goes on. It is killed only when locustctl has handled the signal.
    let (code, screen) = terminal.end();
    assert_eq!((code, cluster.workers()), (Some(130), 1), "{screen}");
    assert!(screen.contains("signal 1\n") && !screen.contains("signal 2"), "{screen}");
    assert!(screen.contains("The command does not end after the signal"), "{screen}");
}
