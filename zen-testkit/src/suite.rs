//! The suite: a list of transcripts that are run against one address.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use zen_proto::{Framing, Limits, Service};

use crate::memory::Terms;
use crate::mismatch::Mismatch;
use crate::report::{Outcome, Report};
use crate::transcript::Transcript;

/// A list of transcripts, and how to run them.
///
/// ```
/// use zen_testkit::{Suite, Transcript};
///
/// let suite = Suite::new([
///     Transcript::new("greeting").expect(b"hello"),
///     Transcript::new("greeting, then the end").expect(b"hello").finish_and_end(),
/// ]);
/// assert_eq!(suite.clone().only("end").len(), 1);
/// assert!(suite.clone().only("beginning").is_empty());
/// assert_eq!(suite.transcripts()[0].name(), "greeting");
/// ```
///
/// Against a server of any kind, four conversations at once, and no longer than is needed to see
/// that it does not work:
///
/// ```
/// use std::net::SocketAddr;
/// use std::time::Duration;
/// use zen_testkit::{Outcome, Suite, Transcript};
///
/// fn check(server: SocketAddr) {
///     let suite = Suite::new([Transcript::new("greeting").expect(b"hello")])
///         .with_parallelism(4)
///         .give_up_after(3)
///         .with_timeout(Duration::from_secs(2));
///     let progress = |outcome: &Outcome| eprintln!("{}: {:?}", outcome.name, outcome.took);
///     let report = suite.run_with(server, progress);
///     report.assert_passed();
///     // Without the progress:
///     suite.run(server).assert_passed();
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a suite does nothing until it is run"]
pub struct Suite {
    transcripts: Vec<Transcript>,
    parallelism: usize,
    give_up_after: usize,
    timeout: Option<Duration>,
}

impl FromIterator<Transcript> for Suite {
    fn from_iter<I: IntoIterator<Item = Transcript>>(transcripts: I) -> Self {
        Self::new(transcripts)
    }
}

impl Extend<Transcript> for Suite {
    fn extend<I: IntoIterator<Item = Transcript>>(&mut self, transcripts: I) {
        self.transcripts.extend(transcripts);
    }
}

impl Suite {
    /// Makes a suite of these transcripts, which are run one at a time.
    pub fn new(transcripts: impl IntoIterator<Item = Transcript>) -> Self {
        Self {
            transcripts: transcripts.into_iter().collect(),
            parallelism: 1,
            give_up_after: 25,
            timeout: None,
        }
    }

    /// Sets how many transcripts run at once. Default 1, which every server can serve; 0 counts as
    /// 1.
    pub fn with_parallelism(mut self, conversations: usize) -> Self {
        self.parallelism = conversations.max(1);
        self
    }

    /// Stops after this many failures and does not run the rest, so that a server that answers
    /// nothing is not waited for again and again. Default 25; 0 counts as 1.
    pub fn give_up_after(mut self, failures: usize) -> Self {
        self.give_up_after = failures.max(1);
        self
    }

    /// Overrides each transcript's [timeout](Transcript::with_timeout).
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Keeps the transcripts whose name contains `part`.
    pub fn only(mut self, part: &str) -> Self {
        self.transcripts.retain(|transcript| transcript.name().contains(part));
        self
    }

    /// The transcripts, in the order in which they are started.
    pub fn transcripts(&self) -> &[Transcript] {
        &self.transcripts
    }

    /// How many transcripts there are.
    pub fn len(&self) -> usize {
        self.transcripts.len()
    }

    /// Whether there are no transcripts, for example after [`only`](Self::only) with text that no
    /// name contains.
    pub fn is_empty(&self) -> bool {
        self.transcripts.is_empty()
    }

    /// Runs all transcripts. Blocks until the last one is done.
    pub fn run(&self, server: SocketAddr) -> Report {
        self.run_with(server, |_| {})
    }

    /// Runs all transcripts and calls `progress` with each outcome when it is ready, on the calling
    /// thread.
    pub fn run_with(&self, server: SocketAddr, mut progress: impl FnMut(&Outcome)) -> Report {
        let start = Instant::now();
        let next = AtomicUsize::new(0);
        // Counted on the threads that run the transcripts, so that none starts after the last
        // allowed failure.
        let failures = AtomicUsize::new(0);
        let (done, outcomes) = mpsc::channel();
        let mut finished = Vec::with_capacity(self.len());
        thread::scope(|scope| {
            for _ in 0..self.parallelism.min(self.len()) {
                let (done, next, failures) = (done.clone(), &next, &failures);
                scope.spawn(move || {
                    while failures.load(Ordering::Relaxed) < self.give_up_after {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(transcript) = self.transcripts.get(index) else { break };
                        let outcome = self.run_one(transcript, server);
                        failures.fetch_add(usize::from(outcome.result.is_err()), Ordering::Relaxed);
                        // The receiver is gone only when the report no longer matters.
                        let _ = done.send((index, outcome));
                    }
                });
            }
            drop(done);
            for (index, outcome) in outcomes {
                progress(&outcome);
                finished.push((index, outcome));
            }
        });
        finished.sort_by_key(|(index, _)| *index);
        let outcomes: Vec<_> = finished.into_iter().map(|(_, outcome)| outcome).collect();
        Report { not_run: self.len() - outcomes.len(), outcomes, took: start.elapsed() }
    }

    /// Runs all transcripts in memory, against the core with the framing and the service that
    /// `server` makes for each conversation, under these limits. No socket is needed, and waiting
    /// for a deadline takes no time.
    ///
    /// Each transcript is played twice: with room for all answers, and "through a narrow network",
    /// in which the server stops at every byte that the client has not read.
    ///
    /// ```
    /// use zen_proto::{Limits, aphorism};
    /// use zen_testkit::Exchanges;
    ///
    /// let suite = Exchanges::new().answers("one", b"Simple is better than?", b"Complex.").suite();
    /// let protocol = || (aphorism::framing(), aphorism::Aphorisms);
    /// let report = suite.run_in_memory(&Limits::default(), protocol);
    /// report.assert_passed();
    /// assert_eq!(report.outcomes.len(), 2 * suite.len());
    /// ```
    pub fn run_in_memory<F: Framing, S: Service<F>>(
        &self,
        limits: &Limits,
        mut server: impl FnMut() -> (F, S),
    ) -> Report {
        let start = Instant::now();
        let ways = [("", Terms::roomy(limits)), (", through a narrow network", Terms::narrow(limits))];
        let mut outcomes = Vec::with_capacity(2 * self.len());
        let mut failures = 0;
        for (how, terms) in &ways {
            for transcript in &self.transcripts {
                if failures < self.give_up_after {
                    let transcript = transcript.clone().also(how);
                    let outcome =
                        self.outcome(&transcript, |timeout| transcript.run_on(terms, timeout, &mut server));
                    failures += usize::from(outcome.result.is_err());
                    outcomes.push(outcome);
                }
            }
        }
        Report { not_run: 2 * self.len() - outcomes.len(), outcomes, took: start.elapsed() }
    }

    fn run_one(&self, transcript: &Transcript, server: SocketAddr) -> Outcome {
        self.outcome(transcript, |timeout| transcript.run_with_timeout(server, timeout))
    }

    fn outcome(
        &self,
        transcript: &Transcript,
        run: impl FnOnce(Duration) -> Result<(), Mismatch>,
    ) -> Outcome {
        let start = Instant::now();
        let result = run(self.timeout.unwrap_or_else(|| transcript.timeout()));
        Outcome { name: transcript.name().to_owned(), result, took: start.elapsed() }
    }
}
