//! One run: start a server, load it, and put what it cost beside what it did.

use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::contender::StartError;
use crate::curve::curve;
use crate::generator::{self, Load, Moment, Tally};
use crate::pin::{Cores, Pinned};
use crate::plan::{Job, Plan};
use crate::report::{GeneratorUse, Latency, Run};
use crate::running::Running;
use crate::sample::{Probe, Threads, ThreadsDelta};
use crate::stats;
use crate::validity::{self, Evidence, Invalid};

/// Makes one run. `None` when the plan was stopped in the middle of it.
///
/// # Errors
/// When the generator's own event loop fails. Whatever the server does makes a run, valid or not.
pub(crate) fn measure(plan: &Plan, job: Job<'_>, cores: Option<&Cores>) -> io::Result<Option<Run>> {
    let started = job.contender.start(cores.map(|cores| cores.server.as_slice()));
    let measured = match started {
        Ok(server) => {
            let measured = measure_running(plan, job, cores, &server);
            // Politely, as in real life; a server that does not listen is killed, which is no matter here.
            let _ = server.stop();
            measured
        }
        Err(error) => Err(error.into()),
    };
    match measured {
        Ok(_) | Err(Failure::NotStarted(_)) if plan.stop.is_stopped() => Ok(None),
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

/// What the process looked like at the moments of the load.
#[derive(Default)]
struct Samples {
    cpu: [Option<Duration>; 2],
    threads: [Option<(Instant, Threads)>; 2],
    memory_loaded: Option<u64>,
}

fn measure_running(
    plan: &Plan,
    job: Job<'_>,
    cores: Option<&Cores>,
    server: &Running,
) -> Result<Run, Failure> {
    let workload = job.contender.workload(&plan.workload);
    let load = Load {
        server: server.address(),
        scenario: job.scenario,
        workload: &workload,
        warmup: plan.warmup,
        window: plan.window,
        capacity: None,
        // Every contender gets the same questions, every repetition others.
        seed: plan.seed.wrapping_add(u64::from(job.repetition)),
        progress: None,
    };
    let probe = Probe::new(server.pid()).map_err(StartError::from)?;
    let memory_empty = probe.resident_bytes().ok();
    let mut samples = Samples::default();
    let mut death = None;
    let tally = {
        let _pinned =
            cores.map(|cores| Pinned::to(&cores.generator)).transpose().map_err(StartError::from)?;
        let outcome = generator::generate(&load, &mut |moment| {
            samples.take(moment, probe);
            if moment == Moment::Passing {
                death = server.ended().ok().flatten();
                if death.is_some() || plan.stop.is_stopped() {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        outcome.map_err(Failure::Generator)?
    };
    let died = death.or_else(|| server.ended().ok().flatten());
    let died = died.map(|status| Invalid::ServerDied { status, last_words: server.last_words() });
    let server_cores = cores.map_or(1, |cores| cores.server.len());
    let mut run = Run { memory_empty_bytes: memory_empty, ..run_of(job, &tally, &samples, server_cores) };
    // A server that died explains whatever else went wrong, so it comes first.
    run.invalid.splice(0..0, died);
    Ok(run)
}

impl Samples {
    fn take(&mut self, moment: Moment, probe: Probe) {
        // What cannot be read is left out; a process that has died is noticed elsewhere.
        match moment {
            Moment::Settling => self.threads[0] = look_at_threads(probe),
            Moment::Opens => self.cpu[0] = probe.cpu().ok(),
            Moment::Passing => {}
            Moment::Closes => {
                self.cpu[1] = probe.cpu().ok();
                self.threads[1] = look_at_threads(probe);
                self.memory_loaded = probe.resident_bytes().ok();
            }
        }
    }

    fn cpu(&self) -> Duration {
        let [before, after] = self.cpu;
        after.zip(before).map_or(Duration::ZERO, |(after, before)| after.saturating_sub(before))
    }

    fn threads(&self) -> Option<ThreadsDelta> {
        let [Some((began, before)), Some((ended, after))] = &self.threads else { return None };
        Some(after.since(before, ended.duration_since(*began)))
    }
}

fn look_at_threads(probe: Probe) -> Option<(Instant, Threads)> {
    Some((Instant::now(), probe.threads().ok()?))
}

fn run_of(job: Job<'_>, tally: &Tally, samples: &Samples, server_cores: usize) -> Run {
    let window_s = tally.window.as_secs_f64();
    let share = |time: Duration| if window_s > 0.0 { time.as_secs_f64() / window_s } else { 0.0 };
    let per_answer = |total: f64, answers: u64| {
        #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let answers = answers as f64;
        (answers > 0.0).then(|| total / answers)
    };
    let server_cpu = samples.cpu();
    let threads = samples.threads();
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let switches = threads.and_then(|threads| threads.switches).map(|switches| switches as f64);
    let evidence = Evidence {
        ranked_by: job.scenario.ranked_by(),
        window: tally.window,
        answers: tally.answers,
        generator_cpu: tally.generator_cpu,
        generator_starved: tally.generator_starved,
        server_cpu,
        server_cores,
        busy_threads: threads.and_then(|threads| threads.busy),
    };
    let mut invalid = failures(tally);
    let judgement = validity::judge(&evidence);
    invalid.extend(judgement.invalid);
    Run {
        window_s,
        answers: tally.answers,
        throughput: tally.throughput(),
        throughput_is_lower_bound: judgement.throughput_is_lower_bound,
        latency: Latency::of(&tally.latency),
        latency_curve: curve(&tally.latency),
        server_cpu_s: server_cpu.as_secs_f64(),
        cpu_per_question_ns: per_answer(server_cpu.as_secs_f64() * 1e9, tally.answers),
        occupancy: share(server_cpu),
        context_switches_per_question: switches.and_then(|n| per_answer(n, tally.answers_since_settling)),
        threads: threads.map(|threads| threads.count),
        memory_loaded_bytes: samples.memory_loaded,
        clients_served: tally.clients_served(),
        fairness: stats::jain(&tally.served),
        conversations: tally.conversations,
        clients_waiting: tally.waiting,
        longest_wait_ns: u64::try_from(tally.longest_wait.as_nanos()).unwrap_or(u64::MAX),
        generator: GeneratorUse {
            cpu_s: tally.generator_cpu.as_secs_f64(),
            occupancy: share(tally.generator_cpu),
            cpu_per_question_ns: per_answer(tally.generator_cpu.as_secs_f64() * 1e9, tally.answers),
            starved_s: tally.generator_starved.map(|starved| starved.as_secs_f64()),
        },
        invalid,
        ..empty_run(job)
    }
}

/// What went wrong between the generator and the server, as reasons.
fn failures(tally: &Tally) -> Vec<Invalid> {
    let failures = &tally.failures;
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
