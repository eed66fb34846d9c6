//! Monitored services: metrics and logs of each question, from outside of the service.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use zen_proto::{Answer, Closed, DelimiterFraming, Ending, Flow, Framing, Peer, Service};

/// Hears of everything that a service is asked. Each conversation has its own clone.
///
/// Every function but [`asked`](Self::asked) does nothing by default.
pub trait Monitor<F: Framing = DelimiterFraming> {
    /// What is kept of a question until it is answered: its kind, for instance.
    type Kind;

    /// A conversation has begun, with this peer. [`Peer::connection`] is its number.
    fn opened(&mut self, peer: &Peer) {
        let _ = peer;
    }

    /// A question has come, which the service will be asked next.
    fn asked(&mut self, question: &F::Message<'_>) -> Self::Kind;

    /// The service has answered it, or else said what becomes of it.
    fn answered(&mut self, kind: Self::Kind, answered: &Answered<'_>) {
        let _ = (kind, answered);
    }

    /// The conversation is over: why, and what was done in it.
    fn closed(&mut self, peer: &Peer, closed: &Closed) {
        let _ = (peer, closed);
    }
}

/// What a service has done with a question; the argument of [`Monitor::answered`].
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Answered<'a> {
    /// Who has asked, with the number of the connection.
    pub peer: &'a Peer,
    /// How long the service took, by the system's clock. For an answer in pieces, this is the time
    /// that the first took, and for one that comes later, the time until the service went on.
    pub took: Duration,
    /// How many bytes the service has written, without what the framing puts around them.
    pub bytes: usize,
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
///             eprintln!("connection {number}: {kind} took {:?}", answered.took);
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
#[derive(Debug, Clone)]
pub struct Monitored<S, M> {
    service: S,
    monitor: M,
    peer: Peer,
}

impl<S, M> Monitored<S, M> {
    /// `service`, of which `monitor` hears.
    pub fn new(service: S, monitor: M) -> Self {
        Self { service, monitor, peer: Peer::default() }
    }
}

impl<F: Framing, S: Service<F>, M: Monitor<F>> Service<F> for Monitored<S, M> {
    fn open(&mut self, peer: &Peer, answer: &mut Answer<'_, F>) -> Flow {
        self.peer = peer.clone();
        self.monitor.opened(peer);
        self.service.open(peer, answer)
    }

    fn answer(&mut self, question: F::Message<'_>, answer: &mut Answer<'_, F>) -> Flow {
        let kind = self.monitor.asked(&question);
        let (before, began) = (answer.output().len(), Instant::now());
        // A panic is only noticed here. It goes on to the conversation, which it ends.
        let result = catch_unwind(AssertUnwindSafe(|| self.service.answer(question, answer)));
        let took = began.elapsed();
        let bytes = answer.output().len().saturating_sub(before);
        let flow = result.as_ref().ok().copied();
        self.monitor.answered(kind, &Answered { peer: &self.peer, took, bytes, flow });
        result.unwrap_or_else(|panic| resume_unwind(panic))
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
        self.monitor.closed(&self.peer, closed);
    }
}

#[cfg(test)]
mod tests;
