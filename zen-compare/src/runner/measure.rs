//! One run: starts a server, loads it, and records what it did together with what it used.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crate::analysis::validity::{self, Evidence};
use crate::generator::Progress;
use crate::generator::{self, Load, LoadResult, Moment};
use crate::machine::pin::{Cores, Pinned};
use crate::observe::monitor::{Monitor, Monitored};
use crate::observe::process_tree::ProcessTree;
use crate::observe::system_calls::Tool;
use crate::observe::window_samples::{WindowSamples, share_of, switches_of_ended_children};
use crate::plan::{Job, Length, Plan};
use crate::results::Invalid;
use crate::results::{GeneratorUse, Latency, Run, ThreadCpu};
use crate::server::Running;
use crate::server::StartError;
use crate::stats;
use crate::stats::curve::curve;

/// How long a server's system calls are counted.
pub(crate) const COUNTED: Duration = Duration::from_millis(200);

/// What all runs of a comparison have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lab<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) cores: Option<&'a Cores>,
    /// The tool that counts system calls, if they are to be counted.
    pub(crate) tool: Option<Tool>,
    /// Answers per second of a closed loop, for open loops whose rate is a share of it.
    pub(crate) capacity: Option<f64>,
}

/// Makes one run. `None` when the plan was stopped in the middle of it.
///
/// # Errors
/// When the generator's own event loop fails. Whatever the server does, there is a run, valid or
/// not.
pub(crate) fn measure(lab: Lab<'_>, job: Job<'_>) -> io::Result<Option<Run>> {
    if let Some(what) = job.contender.cannot(job.scenario) {
        let invalid = vec![Invalid::DoesNotApply { what }];
        return Ok(Some(Run { invalid, ..empty_run(job) }));
    }
    let mut measured = lab.start_and_measure(job);
    if let Ok(run) = &mut measured
        && let Some(tool) = lab.tool.filter(|_| job.repetition == 0 && run.answers > 0)
    {
        // A failed count leaves a gap in the report, and the report says what a gap means.
        run.system_calls_per_question = lab.count_system_calls(job, tool).ok().flatten();
    }
    match measured {
        Ok(_) | Err(Failure::NotStarted(_)) if lab.plan.stop.is_stopped() => Ok(None),
        Ok(run) => Ok(Some(run)),
        Err(Failure::NotStarted(error)) => {
            let mut run = empty_run(job);
            run.invalid.push(Invalid::NotStarted { error: error.to_string() });
            Ok(Some(run))
        }
        Err(Failure::Generator(error)) => Err(error),
    }
}

enum Failure {
    NotStarted(StartError),
    Generator(io::Error),
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::NotStarted(error)
    }
}

impl Lab<'_> {
    fn server_cores(&self) -> Option<&[usize]> {
        self.cores.map(|cores| cores.server.as_slice())
    }

    fn generator_cores(&self) -> Option<&[usize]> {
        self.cores.map(|cores| cores.generator.as_slice())
    }

    /// Starts a server, loads it, and ends it.
    fn start_and_measure(&self, job: Job<'_>) -> Result<Run, Failure> {
        let before = switches_of_ended_children();
        let server = job.contender.start_for(job.scenario, &self.plan.stop, self.server_cores())?;
        let progress = Arc::new(Progress::new(self.plan.extra_warmup));
        let run = self.measure_running(job, &server, &progress);
        // A server is asked to end, as in real use. One that does not listen is killed, which does
        // not matter here.
        let _ = server.stop();
        let mut run = run?;
        if run.context_switches_per_question.is_none() {
            let switches = switches_of_ended_children().zip(before).map(|(after, before)| after - before);
            #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
            let switches = switches.map(|switches| switches as f64);
            run.context_switches_per_question = switches.and_then(|all| per_answer(all, progress.answers()));
        }
        Ok(run)
    }

    fn measure_running(
        &self,
        job: Job<'_>,
        server: &Running,
        progress: &Arc<Progress>,
    ) -> Result<Run, Failure> {
        let plan = self.plan;
        let workload = job.contender.workload(&plan.workload);
        let Length { warmup, window } = plan.length_of(job.scenario);
        let load = Load { warmup, window, ..self.load(job, server, &workload, progress) };
        let tree = ProcessTree::new(server.pid()).map_err(StartError::from)?;
        let mut samples = WindowSamples::new(tree, self.server_cores());
        let monitor = Monitor::begin(server.pid(), Arc::clone(progress), self.generator_cores());
        let monitor = monitor.map_err(StartError::from)?;
        let mut death = None;
        let mut warmed_up = false;
        let result = self.generate(&load, &mut |moment| {
            samples.see(moment);
            match moment {
                Moment::Passing => {
                    death = server.ended().ok().flatten();
                    if death.is_some() || plan.stop.is_stopped() {
                        return ControlFlow::Break(());
                    }
                }
                // The warm-up has just ended, because the pace is steady or because its time is
                // over.
                Moment::Settling => warmed_up = progress.is_steady(),
                Moment::Opens | Moment::Closes => {}
            }
            ControlFlow::Continue(())
        })?;
        let monitored = monitor.end();
        let died = death.or_else(|| server.ended().ok().flatten());
        let died = died.map(|status| Invalid::ServerDied { status, last_words: server.last_words() });
        let server_cores = self.cores.map_or(1, |cores| cores.server.len());
        let mut run = Run { warmed_up, ..run_of(job, &result, &samples, &monitored, server_cores) };
        if let Some(died) = died {
            blame_death(&mut run.invalid, died);
        }
        Ok(run)
    }

    /// Loads a fresh server while a tool counts its system calls, and returns how many there were
    /// per answer.
    fn count_system_calls(&self, job: Job<'_>, tool: Tool) -> Result<Option<f64>, Failure> {
        let server = job.contender.start_for(job.scenario, &self.plan.stop, self.server_cores())?;
        let tree = ProcessTree::new(server.pid()).map_err(StartError::from)?;
        let progress = Arc::new(Progress::default());
        let workload = job.contender.workload(&self.plan.workload);
        // The tool belongs beside the generator, not on the server's cores.
        let mut count = {
            let _pinned = self.generator_cores().map(Pinned::pin_to).transpose().map_err(StartError::from)?;
            Some(tool.attach(tree.pids()).map_err(StartError::from)?)
        };
        // The window is all of the load, as the tool counts from the first connection on.
        let load =
            Load { warmup: Duration::ZERO, window: COUNTED, ..self.load(job, &server, &workload, &progress) };
        let mut counted = None;
        self.generate(&load, &mut |moment| match moment {
            Moment::Closes => {
                // Before the connections are closed, which would cost the server more calls.
                counted = count.take().and_then(|count| Some((count.end().ok()?, progress.answers())));
                ControlFlow::Continue(())
            }
            _ if self.plan.stop.is_stopped() => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })?;
        let _ = server.stop();
        #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        Ok(counted.and_then(|(calls, answers)| per_answer(calls as f64, answers)))
    }

    fn load<'a>(
        &self,
        job: Job<'a>,
        server: &Running,
        workload: &'a crate::scenario::Workload,
        progress: &'a Progress,
    ) -> Load<'a> {
        Load {
            server: server.address(),
            scenario: job.scenario,
            workload,
            warmup: Duration::ZERO,
            window: Duration::ZERO,
            capacity: self.capacity,
            // Every contender gets the same questions, and every repetition gets others.
            seed: self.plan.seed.wrapping_add(u64::from(job.repetition)),
            progress: Some(progress),
        }
    }

    fn generate(
        &self,
        load: &Load<'_>,
        on_moment: &mut dyn FnMut(Moment) -> ControlFlow<()>,
    ) -> Result<LoadResult, Failure> {
        let _pinned = self.generator_cores().map(Pinned::pin_to).transpose().map_err(StartError::from)?;
        generator::generate(load, on_moment).map_err(Failure::Generator)
    }
}

fn per_answer(total: f64, answers: u64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let answers = answers as f64;
    (answers > 0.0).then(|| total / answers)
}

fn run_of(
    job: Job<'_>,
    result: &LoadResult,
    samples: &WindowSamples<'_>,
    monitored: &Monitored,
    server_cores: usize,
) -> Run {
    let share = |time: Duration| share_of(result.window, time);
    let used = samples.used();
    let split = used.split();
    let threads = samples.threads();
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let switches = threads.as_ref().and_then(|threads| threads.switches).map(|switches| switches as f64);
    let evidence = Evidence {
        ranked_by: job.scenario.ranked_by(),
        window: result.window,
        answers: result.answers,
        generator_cpu: result.generator_cpu,
        generator_starved: result.generator_starved,
        server_cpu: used.cpu,
        server_cores,
        busy_threads: threads.as_ref().and_then(|threads| threads.busy),
        fell_behind: result.schedule.as_ref().is_some_and(validity::fell_behind),
        interference: samples.interference(),
    };
    // Without answers there are no latencies, and waiting times alone would be taken for latencies.
    let answered = result.answers > 0;
    let latency = answered.then_some(&result.latency);
    let uncorrected = result.uncorrected.as_ref().filter(|_| answered);
    let mut invalid = failures(job, result);
    let judgement = validity::judge(&evidence);
    invalid.extend(judgement.invalid);
    let series = samples.opened.map(|opened| monitored.series(opened)).unwrap_or_default();
    Run {
        window_s: result.window.as_secs_f64(),
        answers: result.answers,
        throughput: result.throughput(),
        throughput_is_lower_bound: judgement.throughput_is_lower_bound,
        latency: latency.and_then(Latency::from_histogram),
        latency_uncorrected: uncorrected.and_then(Latency::from_histogram),
        latency_curve: latency.map(curve).unwrap_or_default(),
        latency_curve_uncorrected: uncorrected.map(curve).unwrap_or_default(),
        offered_rate: result.offered_rate,
        schedule: result.schedule,
        server_cpu_s: used.cpu.as_secs_f64(),
        server_user_s: split.map(|(user, _)| user.as_secs_f64()),
        server_system_s: split.map(|(_, system)| system.as_secs_f64()),
        cpu_per_question_ns: per_answer(used.cpu.as_secs_f64() * 1e9, result.answers),
        occupancy: share(used.cpu),
        context_switches_per_question: switches.and_then(|n| per_answer(n, result.answers_since_settling)),
        threads: samples.holdings.map(|held| held.threads),
        thread_cpu: threads
            .zip(samples.used_since_settling())
            .and_then(|(threads, used)| ThreadCpu::from_times(&threads.cpu?, used.cpu)),
        descriptors: samples.holdings.and_then(|held| held.descriptors),
        memory_empty_bytes: samples.memory_empty.map(|(resident, _)| resident),
        memory_loaded_bytes: samples.memory_loaded.map(|(resident, _)| resident),
        pss_empty_bytes: samples.memory_empty.map(|(_, proportional)| proportional),
        pss_loaded_bytes: samples.memory_loaded.map(|(_, proportional)| proportional),
        clients_served: result.clients_served(),
        groups: result.groups.clone(),
        connections_held: result.connections_held,
        fairness: stats::jain(&result.served),
        conversations: result.conversations,
        clients_waiting: result.waiting,
        longest_wait_ns: u64::try_from(result.longest_wait.as_nanos()).unwrap_or(u64::MAX),
        warmup_s: series.first().map_or(0.0, |first| (-first.at_s).max(0.0)),
        series,
        generator: GeneratorUse {
            cpu_s: result.generator_cpu.as_secs_f64(),
            occupancy: share(result.generator_cpu),
            cpu_per_question_ns: per_answer(result.generator_cpu.as_secs_f64() * 1e9, result.answers),
            starved_s: result.generator_starved.map(|starved| starved.as_secs_f64()),
            sampler_cpu_s: monitored.cpu.as_secs_f64(),
        },
        invalid,
        ..empty_run(job)
    }
}

/// A server that died explains whatever else went wrong, so its death comes first. Its CPU time is
/// lost with it, so it seems to have answered without using any.
fn blame_death(reasons: &mut Vec<Invalid>, died: Invalid) {
    reasons.retain(|reason| !matches!(reason, Invalid::ServerNotMeasured { .. }));
    reasons.insert(0, died);
}

/// What went wrong between the generator and the server, as reasons why the run is invalid.
fn failures(job: Job<'_>, result: &LoadResult) -> Vec<Invalid> {
    let failures = &result.failures;
    let mut reasons = Vec::new();
    if let Some((expected, received)) = failures.first_wrong.clone() {
        reasons.push(Invalid::WrongAnswers { conversations: failures.wrong_answers, expected, received });
    }
    if failures.closed_early > 0 {
        reasons.push(Invalid::ClosedEarly { conversations: failures.closed_early });
    }
    if let Some(error) = failures.connect_error.clone() {
        reasons.push(Invalid::CannotConnect { attempts: failures.connects, error });
    }
    reasons.extend(result.schedule.as_ref().and_then(validity::judge_schedule));
    if let Some(possible) = result.idle_cut_to {
        reasons.push(Invalid::OpenFileLimitTooLow { wanted: job.scenario.background.idle, possible });
    }
    reasons
}

/// A run in which nothing has happened.
fn empty_run(job: Job<'_>) -> Run {
    Run {
        contender: job.contender.name().to_owned(),
        scenario: job.scenario.name.clone(),
        repetition: job.repetition,
        clients: job.scenario.clients,
        ..Run::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_death_of_a_server_comes_first_and_explains_its_missing_cpu_time() {
        let died = || Invalid::ServerDied { status: "exit status 3".into(), last_words: String::new() };
        let early = Invalid::ClosedEarly { conversations: 7 };
        let mut reasons = vec![early.clone(), Invalid::ServerNotMeasured { cpu_ns_per_question: 0.0 }];
        blame_death(&mut reasons, died());
        assert_eq!(reasons, [died(), early]);
    }
}
