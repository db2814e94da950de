//! Runs a test of Locust: start, follow, stop, results, verdict.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Error, anyhow, bail};
use time::PrimitiveDateTime;
use tokio::time::{Instant, sleep};

use super::super::follow_up::FollowUp;
use super::check::{Output, Plan, TestWork};
use super::clean_up::clean_up;
use super::ended::{Ended, conclude};
use super::idle_limit::IdleLimit;
use super::interruptions::{Haste, Interruptions, SIGNAL_LIMIT};
use super::progress::Progress;
use super::site::{Locust, Site};
use super::undo::{TestToStop, Undo};
use crate::locust::{StartInProgress, StartMemory};
use crate::output::{Failed, write_stdout};
use crate::run::{
    BegunTest, Columns, FinalResults, Finality, Follow, Judgement, LiveStatistics, Observations,
    PhaseKind, PutBack, Replicas, Results, ResultsReader, RunReport, StartStep, TestEnd, Timeline,
    Verdict, WasRunning, json, judge, not_judged, start_test, stop_test, summary, until_accepted,
};
use crate::text::terminal::say;

/// The exit code of a test whose verdict is "failed". k6 uses the same.
const FAILED: u8 = 99;

/// After a failure or a signal: time limit for a Locust that does not answer.
const LAST_LIMIT: Duration = Duration::from_secs(15);

/// The time between two checks if Locust has answered a start.
const ANSWER_CHECK_PERIOD: Duration = Duration::from_millis(50);

/// The progress of a test.
#[derive(Default)]
struct Record {
    undo: Undo,
    timeline: Timeline,
    seen: Observations,
    /// True if Locust has begun the test.
    has_begun: bool,
    /// Time of the test's start in the master's log; `None` if it is unknown.
    logged_at: Option<PrimitiveDateTime>,
    results: Option<Results>,
    /// Locust's own report.
    html: Option<Vec<u8>>,
    errors: Vec<Error>,
}

impl Record {
    /// Results are missing, or Locust's own report is.
    fn lacks_results(&self, test: &TestWork) -> bool {
        self.results.is_none() || (test.files.needs_html() && self.html.is_none())
    }
}

impl Site<'_> {
    /// Checks that Locust can run the test and that its conditions can be evaluated.
    ///
    /// # Errors
    /// The first problem.
    pub(super) async fn check_test(&self, plan: &Plan, test: &TestWork) -> Result<(), Error> {
        let Some(Locust { master, before }) = &self.locust else {
            bail!("a test needs Locust");
        };
        if plan.replicas.is_none() && self.replicas == 0 {
            bail!(
                "{} has no replicas, so there are no workers: give their number with --replicas",
                self.target
            );
        }
        let page = before.page.clone().unwrap_or_default();
        test.start.check(&page).map_err(Error::msg)?;
        let find = |error: crate::locust::Error| anyhow!("{}: {error}", PhaseKind::Find);
        if !test.fail_if.is_empty() {
            let csv = master.fetch("stats/requests/csv").await.map_err(find)?;
            let columns = Columns::parse(&csv)?;
            for condition in &test.fail_if {
                let checked = condition.check_columns(&columns);
                checked.map_err(|why| anyhow!("--fail-if '{condition}': {why}"))?;
            }
        }
        if !test.abort_if.is_empty() {
            let body = master.fetch("stats/requests").await.map_err(find)?;
            let live = LiveStatistics::parse(&body)?;
            for condition in &test.abort_if {
                let checked = condition.check_live(&live);
                checked.map_err(|why| anyhow!("--abort-if '{condition}': {why}"))?;
            }
        }
        Ok(())
    }

    /// Runs the test, and prints its verdict.
    ///
    /// # Errors
    /// The verdict is "failed", the test could not be run, or a signal came.
    pub(super) async fn run_test(
        &self,
        plan: &Plan,
        test: &TestWork,
        limit: &IdleLimit,
        follow_up: &FollowUp,
        interruptions: &mut Interruptions,
    ) -> Result<(), Failed> {
        let mut record = Record::default();
        let phases = self.test_phases(plan, test, limit, &mut record, interruptions);
        let mut result = phases.await;
        if result.is_ok() {
            let results = self.results(test, &mut record, plan.limit());
            result = match interruptions.unless(results).await {
                Ok(()) => result,
                Err(ended) => Err(ended),
            };
        }
        if let Err(Ended::Failed(error)) = &result {
            record.timeline.leave(Some(format!("{error:#}")));
        }
        record.timeline.enter(PhaseKind::PutBack);
        let undo = std::mem::take(&mut record.undo);
        let new = undo.count.map(|count| count.new);
        let is_confirmed = undo.is_count_confirmed;
        let cleaned = clean_up(self, plan, follow_up, undo, interruptions).await;
        let is_old = matches!(cleaned.count, Some(PutBack::AlreadyOld));
        let restored = is_old || matches!(cleaned.count, Some(PutBack::Done | PutBack::Unchanged));
        let new = new.filter(|_| is_confirmed || !is_old);
        let replicas = Replicas { old: Some(self.replicas), new, restored };
        record.timeline.leave(cleaned.errors.first().map(|error| format!("{error:#}")));
        record.errors.extend(cleaned.errors);
        record.has_begun |= cleaned.test == Some(WasRunning::Yes);
        let is_missing = record.has_begun && result.is_err() && record.lacks_results(test);
        if is_missing && interruptions.haste() <= Haste::Orderly {
            let results = self.results(test, &mut record, plan.limit().min(LAST_LIMIT));
            // A second signal skips the results.
            let _ = interruptions.unless(results).await;
        }
        let report = self.report(test, &result, record, replicas);
        finish(test, &report, result, interruptions)
    }

    /// Scales the workers, and starts and follows the test. Afterwards the test has ended.
    async fn test_phases(
        &self,
        plan: &Plan,
        test: &TestWork,
        limit: &IdleLimit,
        record: &mut Record,
        interruptions: &mut Interruptions,
    ) -> Result<TestEnd, Ended> {
        let Some(locust) = &self.locust else {
            return Err(Ended::failed(PhaseKind::Find, "there is no Locust"));
        };
        let Record { undo, timeline, .. } = record;
        let replicas = self.scale_up(plan, undo, timeline, interruptions).await?;
        record.timeline.enter(PhaseKind::Start);
        let idle = interruptions.unless(self.check_idle(plan, limit, "")).await?;
        idle.map_err(|error| Ended::failed(PhaseKind::Start, error))?;
        let begun = self.start(locust, plan, test, record, interruptions).await?;
        record.has_begun = true;
        record.logged_at = begun.logged_at;
        record.undo.test = TestToStop::Own;
        record.timeline.enter(PhaseKind::Follow);
        let run_time = test.start.run_time();
        let follow = Follow {
            client: self.client,
            target: self.target,
            master: &locust.master,
            test: begun,
            abort_if: &test.abort_if,
            run_time,
            replicas,
            timeout: plan.limit(),
            in_progress: &StartInProgress::default(),
        };
        let mut progress = Progress::new(run_time);
        let end = self.follow(&follow, record, &mut progress, interruptions).await?;
        match &end {
            TestEnd::Aborted(met) => {
                record.seen.note(format!("--abort-if was met: {}", met.explanation()));
            }
            TestEnd::Overdue => {
                record.seen.note("the test was still running after its run time".to_owned());
            }
            TestEnd::Unstopped(why) => return Err(Ended::failed(PhaseKind::Follow, why)),
            TestEnd::Regular | TestEnd::Early(_) => {}
        }
        progress.print_notes(&record.seen);
        drop(progress);
        if matches!(end, TestEnd::Aborted(_) | TestEnd::Overdue) {
            record.timeline.enter(PhaseKind::Stop);
            let stopped = interruptions.unless(stop_test(&locust.master, plan.limit())).await?;
            stopped.map_err(|error| Ended::failed(PhaseKind::Stop, error))?;
        }
        record.undo.test = TestToStop::None;
        Ok(end)
    }

    /// Follows the test until it ends. If a signal comes while locustctl redistributes users, waits for the answer: a
    /// start that arrives after the test was stopped would start another test.
    async fn follow(
        &self,
        follow: &Follow<'_>,
        record: &mut Record,
        progress: &mut Progress,
        interruptions: &mut Interruptions,
    ) -> Result<TestEnd, Ended> {
        let mut on_tick = |tick: Option<&_>, seen: &_| progress.update(tick, seen);
        let mut following = pin!(follow.run(&mut record.seen, &mut on_tick));
        let ended = match interruptions.unless(following.as_mut()).await {
            Ok(end) => return end.map_err(|error| Ended::failed(PhaseKind::Follow, error)),
            Err(ended) => ended,
        };
        if follow.in_progress.is_unfinished() {
            let answered = async {
                while follow.in_progress.is_unfinished() {
                    tokio::select! {
                        _ = &mut following => return,
                        () = sleep(ANSWER_CHECK_PERIOD) => {}
                    }
                }
            };
            if interruptions.finish(answered, SIGNAL_LIMIT).await.is_none() {
                record.errors.push(no_answer(PhaseKind::Follow));
            }
        }
        Err(ended)
    }

    /// Starts the test. If a signal comes after the start was sent, waits for the answer: a start that arrives after
    /// the clean-up would not be cancelled.
    async fn start(
        &self,
        locust: &Locust<'_>,
        plan: &Plan,
        test: &TestWork,
        record: &mut Record,
        interruptions: &mut Interruptions,
    ) -> Result<BegunTest, Ended> {
        let master = &locust.master;
        let step = Cell::new(StartStep::NotSent);
        let starting = start_test(master, &test.start, plan.limit(), &step);
        let mut starting = pin!(starting);
        let result = interruptions.unless(starting.as_mut()).await;
        if step.get() != StartStep::NotSent {
            record.undo.test = TestToStop::Starting;
        }
        let begun = match result {
            Ok(begun) => begun.map_err(|error| Ended::failed(PhaseKind::Start, error))?,
            Err(ended) if step.get() == StartStep::NotSent => return Err(ended),
            Err(ended) => {
                let accepted = async {
                    tokio::select! {
                        _ = starting => {}
                        () = until_accepted(master, &step) => {}
                    }
                };
                if interruptions.finish(accepted, SIGNAL_LIMIT).await.is_none() {
                    record.errors.push(no_answer(PhaseKind::Start));
                }
                return Err(ended);
            }
        };
        if let Some(known) = &begun.known {
            StartMemory::of_user().save(&master.place(), begun.log.as_ref(), known);
        }
        say("Locust has started the test");
        Ok(begun)
    }

    /// Reads the results of a test that has just ended into the record, as a phase. Results that the record
    /// has already are kept.
    async fn results(&self, test: &TestWork, record: &mut Record, limit: Duration) {
        record.timeline.enter(PhaseKind::Results);
        let errors = record.errors.len();
        self.read_results(test, record, limit).await;
        record.timeline.leave(record.errors.get(errors).map(|error| format!("{error:#}")));
    }

    async fn read_results(&self, test: &TestWork, record: &mut Record, limit: Duration) {
        let Some(Locust { master, .. }) = &self.locust else { return };
        let reader = ResultsReader { master, logged_at: record.logged_at, limit };
        if record.results.is_none() {
            final_results(&reader, record).await;
        }
        if test.files.needs_html() && record.html.is_none() {
            match reader.html_report().await {
                Ok(html) => record.html = Some(html),
                Err(error) => record.errors.push(results_error(&error)),
            }
        }
    }

    fn report(
        &self,
        test: &TestWork,
        result: &Result<TestEnd, Ended>,
        record: Record,
        replicas: Replicas,
    ) -> RunReport {
        let lowest_users = record.seen.lowest_users;
        let results = &record.results;
        let judgement = judgement(test, result, results.as_ref(), lowest_users);
        let locust = self.locust.as_ref();
        let page = locust.and_then(|locust| locust.before.page.as_ref());
        let shown = page.cloned().unwrap_or_default();
        let mut settings = test.start.settings(&shown);
        settings.lowest_users = lowest_users;
        RunReport {
            target: self.target.to_string(),
            namespace: self.target.namespace.clone(),
            locust: locust.map(|locust| locust.master.place()),
            release: page.map(|page| page.version.clone()),
            test: settings,
            has_begun: record.has_begun,
            replicas,
            phases: record.timeline.into_phases(),
            judgement,
            results: record.results,
            history: record.seen.history,
            html: record.html,
            notes: record.seen.notes,
            errors: record.errors.iter().map(|error| format!("{error:#}")).collect(),
        }
    }
}

async fn final_results(reader: &ResultsReader<'_>, record: &mut Record) {
    let FinalResults { csv, finality } = match reader.final_results(Instant::now()).await {
        Ok(results) => results,
        Err(error) => return record.errors.push(results_error(&error)),
    };
    // A gate must not pass on numbers that may be too low.
    if let Finality::Unconfirmed(why) = finality {
        let text = format!("the results may not be final, because {why}");
        record.errors.push(results_error(&text));
    }
    match Results::parse(csv) {
        Ok(results) => record.results = Some(results),
        Err(error) => record.errors.push(results_error(&error)),
    }
}

/// The error if Locust has not answered a start that locustctl sent in this phase.
fn no_answer(phase: PhaseKind) -> Error {
    anyhow!(
        "{phase}: Locust has not answered the start of the users; if a test begins later, press Stop in Locust's page"
    )
}

fn results_error(error: &impl std::fmt::Display) -> Error {
    anyhow!("{}: {error}", PhaseKind::Results)
}

/// Writes the reports, prints the summary, and returns the result of the command.
fn finish(
    test: &TestWork,
    report: &RunReport,
    result: Result<TestEnd, Ended>,
    interruptions: &Interruptions,
) -> Result<(), Failed> {
    let mut errors: Vec<_> = report.errors.iter().map(|error| anyhow!("{error}")).collect();
    if let Some(text) = test.files.without_test().filter(|_| !report.has_begun) {
        say(&format!("Note: {text}"));
    }
    let unwritten = test.files.write(report).err().unwrap_or_default();
    errors.extend(unwritten.into_iter().map(Error::msg));
    let text = match test.output {
        Output::Summary => summary(report),
        Output::Json => json(report),
    };
    errors.extend(write_stdout(&text).err());
    let result = match result {
        Ok(TestEnd::Early(why)) => Err(Ended::failed(PhaseKind::Follow, why)),
        Ok(_) if report.judgement.verdict == Verdict::Failed => Ok(FAILED),
        Ok(_) => Ok(0),
        Err(ended) => Err(ended),
    };
    conclude(result, errors, interruptions.first())
}

fn judgement(
    test: &TestWork,
    result: &Result<TestEnd, Ended>,
    results: Option<&Results>,
    lowest_users: Option<u64>,
) -> Judgement {
    let aborted = match result {
        Ok(TestEnd::Aborted(condition)) => Some((**condition).clone()),
        _ => None,
    };
    match (result, results) {
        (Ok(TestEnd::Early(why)), _) => not_judged(&test.fail_if, why.clone()),
        (Ok(_), Some(results)) => judge(&test.fail_if, aborted, results, lowest_users),
        (Ok(_), None) => not_judged(&test.fail_if, "the results could not be read".to_owned()),
        (Err(Ended::Signal(_)), _) => {
            not_judged(&test.fail_if, "a signal ended the run".to_owned())
        }
        (Err(Ended::Failed(error)), _) => not_judged(&test.fail_if, format!("{error:#}")),
    }
}
