//! What one seed decides before anything happens: the driver, the limits, the protocol.

use std::time::Duration;

use zen_proto::{Decoded, DelimiterFraming, Ending, Framing, Limits, Output, aphorism};
use zen_server::Options;

use crate::numbers::Numbers;

/// The three ways to drive a conversation, each with the steps of its `drive.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A thread that blocks, as in `zen-server-sync`.
    Thread,
    /// An event loop that is told once of each change, as in `zen-server-mio`.
    Loop,
    /// A task that asks until the socket says "not now", as in `zen-server-async`.
    Task,
}

#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    pub(crate) limits: Limits,
    pub(crate) turn_budget: usize,
    /// How much one read takes.
    pub(crate) scratch: usize,
    /// Whether questions take many reads.
    pub(crate) large: bool,
    pub(crate) cap: usize,
    pub(crate) peers: usize,
}

/// No answer is longer.
pub(crate) const LONGEST_ANSWER: usize = 600;

impl Shape {
    pub(crate) fn new(kind: Kind, numbers: &Numbers) -> Self {
        let large = numbers.one_in(40);
        let high = numbers.within(2..2000);
        let pace = numbers.choose(&[1, 10, 60]);
        let seconds = |n: u64| Duration::from_millis(n * 1000 / pace);
        let limits = Limits::default()
            .with_question_length(if large { 400_000 } else { numbers.within(48..200) })
            .with_questions_in_flight(numbers.within(1..9))
            .with_pushed_bytes(numbers.within(100..2000))
            .with_outbound_high_water(high)
            .with_outbound_low_water(numbers.within(0..high))
            .with_turn_time(numbers.choose(&[Duration::ZERO, Duration::from_millis(1), Duration::MAX]))
            .with_turn_questions(numbers.choose(&[1, 3, 64, 1024]))
            .with_question_deadline(seconds(10))
            .with_idle_deadline(seconds(60))
            .with_answer_deadline(seconds(30))
            .with_write_deadline(seconds(30))
            .with_linger_deadline(seconds(2))
            .with_linger_bytes(numbers.within(1..2000))
            .with_drain_deadline(seconds(15));
        Self {
            kind,
            limits,
            turn_budget: numbers.choose(&[1, 2, 16]),
            scratch: if large { 16 * 1024 } else { numbers.choose(&[1, 7, 64, 2048]) },
            large,
            cap: numbers.within(1..4),
            peers: numbers.within(1..5),
        }
    }

    pub(crate) fn options(&self) -> Options {
        Options::default()
            .with_limits(self.limits.clone())
            .with_turn_budget(self.turn_budget)
            .with_connections(self.cap)
    }

    pub(crate) fn memory_bound(&self) -> usize {
        // The rest of a large message is read into the conversation's own memory.
        let read = if self.large { 128 * 1024 } else { self.scratch };
        self.limits.memory_bound(&Questions::default(), read, LONGEST_ANSWER)
    }
}

/// zen's own framing, in which a question that begins with an exclamation mark is malformed.
#[derive(Debug, Clone)]
pub(crate) struct Questions(DelimiterFraming);

impl Default for Questions {
    fn default() -> Self {
        Self(aphorism::framing())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("an exclamation")]
pub(crate) struct Exclamation;

impl Framing for Questions {
    type Message<'a> = &'a [u8];
    type Error = Exclamation;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Exclamation> {
        match self.0.decode(input) {
            Decoded::Whole { message: [b'!', ..], .. } => Decoded::Malformed(Exclamation),
            Decoded::Whole { start, end, message } => Decoded::Whole { start, end, message },
            Decoded::Partial { start, end } => Decoded::Partial { start, end },
            // Its error is infallible, and there is no other kind.
            _ => Decoded::Malformed(Exclamation),
        }
    }

    fn last_words(&mut self, ending: &Ending<'_, Exclamation>, output: &mut Output<'_>) {
        if matches!(ending, Ending::TooLong { .. }) {
            output.put(aphorism::TOO_LONG.as_bytes());
        }
    }
}
