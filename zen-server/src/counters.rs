//! Counters: what a server has done, readable at any time from any thread.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use zen_proto::{CloseReason, Tally};

/// A server's counters. They only go up, and each is exact. A [`snapshot`](Self::snapshot) of them
/// may fall between two updates that belong together.
///
/// ```
/// use zen_server::Counters;
///
/// let counters = Counters::default();
/// assert_eq!(counters.count_accepted(), 1);
/// assert_eq!(counters.count_accepted(), 2);
/// assert_eq!(counters.snapshot().open, 2);
/// ```
///
/// What a driver counts:
///
/// ```
/// use std::time::Instant;
/// use zen_proto::aphorism::{self, Aphorisms};
/// use zen_proto::{CloseReason, Conversation, Limits};
/// use zen_server::Counters;
///
/// let (counters, now) = (Counters::default(), Instant::now());
/// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
/// counters.count_accepted();
/// conversation.handle_input(b"Why?", now);
/// conversation.answer_with(&mut Aphorisms, now);
/// counters.count(conversation.take_tally());
/// counters.count_closed(CloseReason::Finished);
/// // The next connection could not be accepted.
/// counters.count_accept_error();
///
/// let snapshot = counters.snapshot();
/// assert_eq!((snapshot.questions, snapshot.bytes_in, snapshot.open), (1, 4, 0));
/// assert_eq!(snapshot.accept_errors, 1);
/// ```
#[derive(Debug, Default)]
pub struct Counters {
    accepted: AtomicU64,
    questions: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    accept_errors: AtomicU64,
    closed: [AtomicU64; CloseReason::ALL.len()],
}

/// The counters at one moment.
///
/// ```
/// use zen_proto::CloseReason;
/// use zen_server::Snapshot;
///
/// /// Whether there is something to look into.
/// fn is_in_trouble(now: &Snapshot) -> bool {
///     now.accept_errors > 0 || now.closed(CloseReason::ServiceFailed) > 0
/// }
///
/// /// A line for a log.
/// fn line(now: &Snapshot) -> String {
///     let closed: Vec<String> = now.closes().map(|(reason, n)| format!("{reason} {n}")).collect();
///     format!("{} open, {} questions; closed: {}", now.open, now.questions, closed.join(", "))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections open now.
    pub open: u64,
    /// Questions answered, or handed out to be answered.
    pub questions: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Failures to accept.
    pub accept_errors: u64,
    closed: [u64; CloseReason::ALL.len()],
}

impl Counters {
    /// A connection was accepted. Returns its number, counted from 1.
    pub fn count_accepted(&self) -> u64 {
        self.accepted.fetch_add(1, Relaxed) + 1
    }

    /// Accepting failed.
    pub fn count_accept_error(&self) {
        self.accept_errors.fetch_add(1, Relaxed);
    }

    /// Adds what a conversation has done.
    #[inline]
    pub fn count(&self, tally: Tally) {
        for (counter, n) in [
            (&self.questions, tally.questions),
            (&self.bytes_in, tally.bytes_in),
            (&self.bytes_out, tally.bytes_out),
        ] {
            // An atomic addition costs as much as the rest of this function, so zeros are not
            // added.
            if n > 0 {
                counter.fetch_add(n, Relaxed);
            }
        }
    }

    /// A conversation ended.
    pub fn count_closed(&self, reason: CloseReason) {
        self.closed[reason as usize].fetch_add(1, Relaxed);
    }

    /// All counters now.
    pub fn snapshot(&self) -> Snapshot {
        let mut closed = [0; CloseReason::ALL.len()];
        for (closed, counter) in closed.iter_mut().zip(&self.closed) {
            *closed = counter.load(Relaxed);
        }
        let accepted = self.accepted.load(Relaxed);
        Snapshot {
            accepted,
            open: accepted.saturating_sub(closed.iter().sum()),
            questions: self.questions.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
            accept_errors: self.accept_errors.load(Relaxed),
            closed,
        }
    }
}

impl Snapshot {
    /// How many conversations ended for this reason.
    pub fn closed(&self, reason: CloseReason) -> u64 {
        self.closed[reason as usize]
    }

    /// How many conversations ended for each reason that has occurred.
    pub fn closes(&self) -> impl Iterator<Item = (CloseReason, u64)> {
        CloseReason::ALL.iter().copied().zip(self.closed).filter(|(_, n)| *n > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_is_what_was_accepted_and_has_not_closed() {
        let counters = Counters::default();
        for _ in 0..5 {
            counters.count_accepted();
        }
        counters.count_closed(CloseReason::Finished);
        counters.count_closed(CloseReason::Finished);
        counters.count_closed(CloseReason::Drained);
        let mut tally = Tally::default();
        (tally.questions, tally.bytes_in) = (3, 40);
        counters.count(tally);
        let snapshot = counters.snapshot();
        assert_eq!((snapshot.accepted, snapshot.open), (5, 2));
        assert_eq!((snapshot.questions, snapshot.bytes_in, snapshot.bytes_out), (3, 40, 0));
        assert_eq!(
            snapshot.closes().collect::<Vec<_>>(),
            [(CloseReason::Finished, 2), (CloseReason::Drained, 1)]
        );
    }
}
