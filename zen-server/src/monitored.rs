//! Monitored services: metrics and logs of each question, from outside of the service.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use zen_proto::{Answer, Closed, DeferredAnswer, DelimiterFraming, Ending, Flow, Framing, Peer, Service};

/// Hears of everything that a service is asked. Each conversation has its own clone.
///
/// Every function but [`asked`](Self::asked) does nothing by default. [`Monitored`] has an example
/// of the two that count questions; this monitor uses them all:
///
/// ```
/// use std::time::Instant;
/// use zen_proto::{Closed, Peer};
/// use zen_server::{Answered, Monitor};
///
/// /// Writes a line for whatever happens, to follow one conversation.
/// #[derive(Clone)]
/// struct Trail;
///
/// impl Monitor for Trail {
///     type Kind = Instant;
///
///     fn opened(&mut self, peer: &Peer) {
///         eprintln!("{}: {} has come", peer.connection, peer.remote);
///     }
///
///     fn asked(&mut self, question: &&[u8]) -> Instant {
///         eprintln!("a question: {}", question.escape_ascii());
///         Instant::now()
///     }
///
///     fn deferred(&mut self, _: &Instant, answered: &Answered<'_>) {
///         eprintln!("{}: put off after {:?}", answered.peer.connection, answered.took);
///     }
///
///     fn answered(&mut self, asked: Instant, answered: &Answered<'_>) {
///         // For an answer that was put off, this is the moment when it leaves.
///         let (number, bytes) = (answered.peer.connection, answered.bytes_out);
///         eprintln!("{number}: an answer of {bytes} bytes after {:?}", asked.elapsed());
///     }
///
///     fn unanswered(&mut self, asked: Instant) {
///         eprintln!("no answer after {:?}", asked.elapsed());
///     }
///
///     fn closed(&mut self, peer: &Peer, closed: &Closed) {
///         let Closed { reason, questions, .. } = closed;
///         eprintln!("{}: {reason} after {questions} questions", peer.connection);
///     }
/// }
/// ```
pub trait Monitor<F: Framing = DelimiterFraming> {
    /// What is kept of a question until its answer leaves: its kind, for instance. The service is
    /// sent to the thread of its conversation, so this must be `Send` with most servers.
    type Kind;

    /// A conversation has begun, with this peer. [`Peer::connection`] is its number.
    fn opened(&mut self, peer: &Peer) {
        let _ = peer;
    }

    /// A question has come, which the service will be asked next.
    fn asked(&mut self, question: &F::Message<'_>) -> Self::Kind;

    /// The service puts the answer off ([`Flow::Later`]). [`answered`](Self::answered) follows when
    /// the answer leaves.
    fn deferred(&mut self, kind: &Self::Kind, answered: &Answered<'_>) {
        let _ = (kind, answered);
    }

    /// The service has answered, or failed. If it has put the answer off, this is the moment when
    /// the answer leaves.
    fn answered(&mut self, kind: Self::Kind, answered: &Answered<'_>) {
        let _ = (kind, answered);
    }

    /// The conversation is over, and an answer that was put off has not left. Called for each such
    /// question, before [`closed`](Self::closed).
    fn unanswered(&mut self, kind: Self::Kind) {
        let _ = kind;
    }

    /// The conversation is over: why, and what was done in it.
    fn closed(&mut self, peer: &Peer, closed: &Closed) {
        let _ = (peer, closed);
    }
}

/// What a service has done with a question; the argument of [`Monitor::answered`].
///
/// ```
/// use std::time::Duration;
/// use zen_server::Answered;
///
/// /// Whether a question is worth a line in the log.
/// fn is_remarkable(answered: &Answered<'_>) -> bool {
///     let slow = answered.owed.unwrap_or(answered.took) > Duration::from_millis(100);
///     let large = answered.bytes_in.max(answered.bytes_out) > 1_000_000;
///     slow || large || answered.flow.is_none()
/// }
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Answered<'a> {
    /// Who has asked, with the number of the connection.
    pub peer: &'a Peer,
    /// How long the service took, by the system's clock. For an answer in pieces, this is the time
    /// that the first took, and for one that was put off, the time until the service went on.
    pub took: Duration,
    /// How long an answer that was put off has been owed, from the question until it left: also
    /// while it waited for the answers before it. `None` if it was not put off.
    pub owed: Option<Duration>,
    /// How many bytes of input the question took, as
    /// [`Answer::question_bytes`](zen_proto::Answer::question_bytes) counts them.
    pub bytes_in: usize,
    /// How many bytes the answer has, or its first piece, without what the framing puts around
    /// them. 0 in [`Monitor::deferred`].
    pub bytes_out: usize,
    /// How the conversation goes on. `None`: the service has panicked.
    pub flow: Option<Flow>,
}

/// A service with a monitor. It answers as the service does. A service without one pays nothing.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Arc, Mutex};
/// use std::time::Duration;
///
/// use zen_proto::aphorism::{self, Aphorisms};
/// use zen_server::{Answered, Monitor, Monitored};
///
/// /// Counts questions by their kind, and logs those that take long.
/// #[derive(Clone, Default)]
/// struct Metrics { by_kind: Arc<Mutex<HashMap<&'static str, u64>>> }
///
/// impl Monitor for Metrics {
///     type Kind = &'static str;
///
///     fn asked(&mut self, question: &&[u8]) -> &'static str {
///         if aphorism::answer(question) == aphorism::UNKNOWN { "unknown" } else { "known" }
///     }
///
///     fn answered(&mut self, kind: &'static str, answered: &Answered<'_>) {
///         *self.by_kind.lock().unwrap().entry(kind).or_default() += 1;
///         if answered.took > Duration::from_millis(10) {
///             let number = answered.peer.connection;
///             let (bytes, took) = (answered.bytes_in, answered.took);
///             eprintln!("connection {number}: {kind} of {bytes} bytes took {took:?}");
///         }
///     }
/// }
///
/// let metrics = Metrics::default();
/// // Any server takes it in place of the service.
/// let service = Monitored::new(Aphorisms, metrics.clone());
/// # use std::time::Instant;
/// # use zen_proto::{Conversation, Limits, Peer};
/// # let (mut service, now) = (service, Instant::now());
/// # let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
/// # conversation.open(&mut service, &Peer::default(), now);
/// # conversation.handle_input(b"Simple is better than?Why?Who?", now);
/// # conversation.answer_with(&mut service, now);
/// # assert_eq!(metrics.by_kind.lock().unwrap()["unknown"], 2);
/// # assert_eq!(metrics.by_kind.lock().unwrap()["known"], 1);
/// ```
pub struct Monitored<S, M, F: Framing = DelimiterFraming>
where
    M: Monitor<F>,
{
    service: S,
    monitor: M,
    peer: Peer,
    /// The questions whose answers were put off, in their order.
    deferred: VecDeque<Deferred<M::Kind>>,
}

/// A question whose answer was put off.
struct Deferred<K> {
    /// What [`Answer::watch`] has returned.
    number: u64,
    kind: K,
    took: Duration,
    bytes_in: usize,
}

impl<S, M: Monitor<F>, F: Framing> Monitored<S, M, F> {
    /// `service`, of which `monitor` hears.
    pub fn new(service: S, monitor: M) -> Self {
        Self { service, monitor, peer: Peer::default(), deferred: VecDeque::new() }
    }
}

impl<S: Clone, M: Monitor<F> + Clone, F: Framing> Clone for Monitored<S, M, F> {
    /// The same for another conversation, in which nothing was asked.
    fn clone(&self) -> Self {
        Self::new(self.service.clone(), self.monitor.clone())
    }
}

impl<S: fmt::Debug, M: Monitor<F> + fmt::Debug, F: Framing> fmt::Debug for Monitored<S, M, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitored")
            .field("service", &self.service)
            .field("monitor", &self.monitor)
            .field("deferred", &self.deferred.len())
            .finish_non_exhaustive()
    }
}

impl<F: Framing, S: Service<F>, M: Monitor<F>> Service<F> for Monitored<S, M, F> {
    fn open(&mut self, peer: &Peer, answer: &mut Answer<'_, F>) -> Flow {
        self.peer = peer.clone();
        self.monitor.opened(peer);
        self.service.open(peer, answer)
    }

    fn answer(&mut self, question: F::Message<'_>, answer: &mut Answer<'_, F>) -> Flow {
        let kind = self.monitor.asked(&question);
        let bytes_in = answer.question_bytes();
        let (before, began) = (answer.output().len(), Instant::now());
        // A panic is only noticed here. It goes on to the conversation, which it ends.
        let result = catch_unwind(AssertUnwindSafe(|| self.service.answer(question, answer)));
        let took = began.elapsed();
        let bytes_out = answer.output().len().saturating_sub(before);
        let flow = result.as_ref().ok().copied();
        let answered = Answered { peer: &self.peer, took, owed: None, bytes_in, bytes_out, flow };
        let number = if flow == Some(Flow::Later) { answer.watch() } else { None };
        match number {
            Some(number) => {
                // What was written is taken back.
                self.monitor.deferred(&kind, &Answered { bytes_out: 0, ..answered });
                self.deferred.push_back(Deferred { number, kind, took, bytes_in });
            }
            None => self.monitor.answered(kind, &answered),
        }
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    fn deferred_answer_left(&mut self, left: &DeferredAnswer) {
        self.service.deferred_answer_left(left);
        // The service may watch answers that no question of its own asked for.
        let Some(at) = self.deferred.iter().position(|deferred| deferred.number == left.number) else {
            return;
        };
        let Some(Deferred { kind, took, bytes_in, .. }) = self.deferred.remove(at) else { return };
        if self.deferred.is_empty() {
            self.deferred = VecDeque::new();
        }
        let (owed, flow) = (Some(left.owed), Some(left.flow));
        let answered = Answered { peer: &self.peer, took, owed, bytes_in, bytes_out: left.bytes, flow };
        self.monitor.answered(kind, &answered);
    }

    fn resume(&mut self, answer: &mut Answer<'_, F>) -> Flow {
        self.service.resume(answer)
    }

    fn tls_started(&mut self, answer: &mut Answer<'_, F>) -> Flow {
        self.service.tls_started(answer)
    }

    fn last_words(&mut self, ending: Ending<'_, F::Error>, answer: &mut Answer<'_, F>) -> Flow {
        self.service.last_words(ending, answer)
    }

    fn closed(&mut self, closed: &Closed) {
        self.service.closed(closed);
        for deferred in self.deferred.drain(..) {
            self.monitor.unanswered(deferred.kind);
        }
        self.monitor.closed(&self.peer, closed);
    }
}

#[cfg(test)]
mod tests;
