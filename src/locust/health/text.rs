//! Health in words.

use std::fmt;

use super::super::release::OLDEST_JUDGED;
use super::types::{Health, Verdict};
use crate::text::quantity;

/// The sentence on a broken master. Only Locust's log distinguishes this from a loss of workers.
pub const MASTER_BROKEN: &str = "Locust's master no longer receives messages from its workers \
                                 (locust#3515), and the test is over: restart the master's pod";

impl Health {
    /// The shortage of users: `the test has 15 of 60 users`.
    pub fn shortage(&self) -> String {
        self.shortage_with("has", "have")
    }

    /// The shortage of users at an earlier time: `the test had 15 of 60 users`.
    pub fn past_shortage(&self) -> String {
        self.shortage_with("had", "had")
    }

    fn shortage_with(&self, has: &str, have: &str) -> String {
        let have = if self.idle == 1 { has } else { have };
        let Self { state, users, workers, idle, .. } = self;
        let wanted = self.wanted.unwrap_or_default();
        if self.has_surplus() {
            return format!("the test {has} {users} users instead of {wanted}");
        }
        let idle_workers = format!("{idle} of {workers} workers {have} no users");
        match (self.lacks_users(), *idle > 0 && idle < workers) {
            (true, false) => format!("the test {has} {users} of {wanted} users"),
            (true, true) => format!("the test {has} {users} of {wanted} users, and {idle_workers}"),
            (false, _) if *idle == 0 => {
                format!("the test {has} {users} of {wanted} users in state {state}")
            }
            (false, _) => idle_workers,
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, users, .. } = self;
        let wanted = self.wanted.unwrap_or_default();
        match &self.verdict {
            Verdict::NoTest => {
                let state = if state.is_empty() { "unknown" } else { state };
                write!(f, "no test is running (Locust's state is {state})")
            }
            Verdict::Ended => {
                write!(f, "the test has ended, although Locust's state is {state}")
            }
            Verdict::WorkersLost => f.write_str(
                "Locust stopped the test, because it lost all its workers: start the test again",
            ),
            Verdict::SingleProcess => {
                f.write_str("Locust runs in a single process, without workers")
            }
            Verdict::TooOld => write!(
                f,
                "locustctl cannot check the users of the test: this needs Locust {OLDEST_JUDGED} \
                 or newer; check them in Locust's page"
            ),
            Verdict::MasterBroken => f.write_str(MASTER_BROKEN),
            Verdict::Foreign => f.write_str(
                "this Locust runs another test: its connected workers are not in the target's pods; \
                 name the right Locust with --locust",
            ),
            Verdict::Healthy if self.wanted.is_none() => {
                write!(f, "a LoadTestShape sets the number of users; the test has {}", quantity(users, "user"))
            }
            Verdict::Healthy if self.wanted == Some(1) => f.write_str("the test has its only user"),
            Verdict::Healthy => write!(f, "the test has all its {wanted} users"),
            Verdict::Starting if self.wanted.is_none() => {
                write!(f, "the test is still starting its users: {users} so far")
            }
            Verdict::Starting => {
                write!(f, "the test is still starting its users: {users} of {wanted}")
            }
            Verdict::Surplus => {
                let surplus = self.shortage();
                write!(
                    f,
                    "{surplus}: old users may still be finishing their tasks, or Locust still counts \
                     a worker that is gone"
                )
            }
            Verdict::Shaped if !self.lacks_users() => {
                write!(f, "{} until the next step of the test's LoadTestShape", self.shortage())
            }
            Verdict::Shaped => write!(
                f,
                "the test has {users} of {wanted} users until the next step of its LoadTestShape"
            ),
            Verdict::Repairable(_) => f.write_str(&self.shortage()),
            Verdict::WorkerSilent(why) => {
                write!(f, "{}; a rebalance must wait: {why}", self.shortage())
            }
            Verdict::Unsafe(why) => {
                let shortage = self.shortage();
                let next = match self.workers {
                    0 => "Check the pods of the workers",
                    _ if !self.lacks_users() && self.idle == 0 => "Check the workers in Locust's page",
                    _ => "To start the missing users yourself, press Edit in Locust's page",
                };
                write!(f, "{shortage}; locustctl does not redistribute the users: {why}. {next}")
            }
            Verdict::Unknown(why) => write!(
                f,
                "locustctl cannot tell how many users the test should have: {why}; press Edit in \
                 Locust's page to set the number"
            ),
        }
    }
}
