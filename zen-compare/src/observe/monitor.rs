//! Samples a server forty times a second, on a thread of its own, while the server is loaded.
//!
//! The thread runs on the generator's cores, so it takes nothing from the server. From its samples
//! it decides whether the load has warmed up. The CPU time it uses is in the report, as
//! [`sampler_cpu_s`].
//!
//! [`sampler_cpu_s`]: crate::results::GeneratorUse::sampler_cpu_s

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::process::{Holdings, Usage};
use super::process_tree::ProcessTree;
use crate::generator::Progress;
use crate::machine::pin::Pinned;
use crate::machine::thread_usage::ThreadUsage;
use crate::results::SeriesSample;

/// How often the server is sampled. A steady pace can be found after five samples.
const EVERY: Duration = Duration::from_millis(25);
/// One sample in this many becomes a point of the series.
const SAMPLES_PER_POINT: usize = 2;
/// After this many samples, the thread searches for processes that the server has started since.
const SAMPLES_PER_SEARCH: usize = 40;
/// How many intervals between samples make one of the two stretches whose paces are compared.
const STRETCH: usize = 2;
/// A pace is steady when it changes by less than this from one stretch to the next.
const STEADY: f64 = 0.15;

/// A monitoring thread. Dropping it ends the monitoring.
#[derive(Debug)]
pub(crate) struct Monitor {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<Monitored>>,
}

/// What a monitor has seen.
#[derive(Debug, Default)]
pub(crate) struct Monitored {
    samples: Vec<Sample>,
    /// CPU time that the monitoring took.
    pub(crate) cpu: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    answers: u64,
    usage: Usage,
    holdings: Option<Holdings>,
}

impl Monitor {
    /// Monitors the process `pid`, from the given cores or else from those of the calling thread.
    ///
    /// # Errors
    /// When the process has ended, or the thread cannot be pinned to the cores or started.
    pub(crate) fn begin(pid: u32, progress: Arc<Progress>, cores: Option<&[usize]>) -> io::Result<Self> {
        let tree = ProcessTree::new(pid)?;
        let (stop, stopped) = mpsc::channel();
        let _pinned = cores.map(Pinned::pin_to).transpose()?;
        let thread = thread::Builder::new().name("monitor".into()).spawn(move || {
            let mut monitored = Monitored::default();
            let mut tree = tree;
            loop {
                if monitored.samples.len() % SAMPLES_PER_SEARCH == SAMPLES_PER_SEARCH - 1 {
                    tree.find_descendants();
                }
                // The end of a server is detected elsewhere; the series then ends with it.
                if let Ok(usage) = tree.usage() {
                    let holdings = tree.holdings().ok();
                    monitored.samples.push(Sample {
                        at: Instant::now(),
                        answers: progress.answers(),
                        usage,
                        holdings,
                    });
                    progress.set_steady(is_steady(&monitored.samples));
                }
                if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                    monitored.cpu = ThreadUsage::now().cpu;
                    return monitored;
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Ends the monitoring and returns what it has seen.
    pub(crate) fn end(mut self) -> Monitored {
        self.stop = None;
        // The thread does not panic; if it did, there would be no series.
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Monitored {
    /// The samples as points in time, relative to the opening of the window.
    pub(crate) fn series(&self, opened: Instant) -> Vec<SeriesSample> {
        let Some(first) = self.samples.first() else { return Vec::new() };
        let seconds = |at: Instant| {
            let before = opened.saturating_duration_since(at).as_secs_f64();
            at.saturating_duration_since(opened).as_secs_f64() - before
        };
        let points = self.samples.iter().step_by(SAMPLES_PER_POINT).map(|sample| SeriesSample {
            at_s: seconds(sample.at),
            answers: sample.answers,
            cpu_s: sample.usage.since(&first.usage).cpu.as_secs_f64(),
            resident_bytes: sample.holdings.map(|held| held.resident_bytes),
            threads: sample.holdings.map(|held| held.threads),
            descriptors: sample.holdings.and_then(|held| held.descriptors),
        });
        points.collect()
    }
}

fn is_steady(samples: &[Sample]) -> bool {
    let Some(recent) = samples.len().checked_sub(2 * STRETCH + 1).map(|from| &samples[from..]) else {
        return false;
    };
    let [first, middle, last] = [recent[0], recent[STRETCH], recent[2 * STRETCH]];
    let pace = |from: Sample, to: Sample| {
        let answers = to.answers.saturating_sub(from.answers);
        (answers, to.at.duration_since(from.at).as_secs_f64())
    };
    is_same_pace(pace(first, middle), pace(middle, last))
}

/// Whether two stretches, each given as answers and seconds, have the same pace, as far as their
/// numbers of answers can tell.
fn is_same_pace(earlier: (u64, f64), later: (u64, f64)) -> bool {
    if earlier.0 + later.0 == 0 || earlier.1 <= 0.0 || later.1 <= 0.0 {
        return false;
    }
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let (before, after) = (earlier.0 as f64, later.0 as f64);
    // What the later stretch would have had, were it as long as the earlier one.
    let after = after * earlier.1 / later.1;
    // A count of n varies by about the square root of n; up to three times that is chance.
    (before - after).abs() <= STEADY * before.max(after) + 3.0 * (before + after).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paces_that_differ_by_chance_are_the_same() {
        assert!(is_same_pace((100_000, 0.1), (110_000, 0.1)));
        assert!(is_same_pace((100_000, 0.1), (200_000, 0.2)));
        assert!(!is_same_pace((100_000, 0.1), (130_000, 0.1)));
        assert!(is_same_pace((2, 0.1), (3, 0.1)));
        assert!(!is_same_pace((0, 0.1), (0, 0.1)), "without answers there is no pace");
        assert!(!is_same_pace((0, 0.1), (1_000, 0.1)));
    }

    #[test]
    fn a_monitor_finds_a_steady_pace_and_returns_a_series() {
        let progress = Arc::new(Progress::default());
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let monitor = Monitor::begin(child.id(), Arc::clone(&progress), None).unwrap();
        let opened = Instant::now();
        // Answers keep coming, so that a pace is found.
        while !progress.is_steady() {
            progress.set_answers(u64::try_from(opened.elapsed().as_micros()).unwrap());
            thread::sleep(Duration::from_millis(1));
            assert!(opened.elapsed() < Duration::from_secs(60));
        }
        let monitored = monitor.end();
        let watched = opened.elapsed();
        child.kill().unwrap();
        child.wait().unwrap();
        let series = monitored.series(opened);
        assert!(series.len() > STRETCH);
        assert!(
            series.windows(2).all(|pair| pair[0].at_s < pair[1].at_s && pair[0].answers <= pair[1].answers)
        );
        let last = series.last().unwrap();
        assert_eq!(last.threads, Some(1));
        assert!(last.resident_bytes.unwrap() > 0 && last.descriptors.unwrap() > 0);
        assert!(monitored.cpu < watched / 2, "monitoring took {:?} of {watched:?}", monitored.cpu);
    }
}
