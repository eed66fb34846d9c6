//! Exchanges: a protocol as bytes in and bytes out, from which the transcripts follow.

use std::time::Duration;

use crate::cut::every_cut;
use crate::suite::Suite;
use crate::transcript::Transcript;

/// Long enough for segments to arrive separately at an idle server. A pass does not depend on it.
const SEPARATE: Duration = Duration::from_millis(1);

/// Inputs of up to this many bytes are cut at every byte; longer ones at this many places.
const CUTS: usize = 128;

/// What follows an input that ends the conversation. The server discards it, and the last answer
/// must arrive nevertheless.
const BEHIND: usize = 64 * 1024;

/// A protocol as exchanges: what a client sends in a conversation of its own, and what the server
/// answers. Each exchange becomes many transcripts, since the answers must not depend on how the
/// input arrives:
///
/// - whole, and half-closed at once;
/// - byte by byte;
/// - cut in two at every byte (longer inputs at 128 places);
/// - ended by the client at each of these places, where a beginning of the answers may come;
/// - with more behind it, if the exchange ends the conversation.
///
/// The resulting [`Suite`] runs against any server, and in memory against any framing and service:
///
/// ```
/// use zen_proto::{Limits, aphorism};
/// use zen_testkit::Exchanges;
///
/// let suite = Exchanges::new()
///     .answers("an aphorism", b"Simple is better than?", b"Complex.")
///     .closes("too long", &[b'x'; 65], b"Error: question too long.")
///     .suite();
/// assert!(suite.len() > 150);
/// let limits = Limits::default().with_question_length(64);
/// suite.run_in_memory(&limits, || (aphorism::framing(), aphorism::Aphorisms)).assert_passed();
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "exchanges do nothing until their suite is run"]
pub struct Exchanges {
    greeting: Vec<u8>,
    transcripts: Vec<Transcript>,
}

impl Exchanges {
    /// No exchange, of a protocol without a greeting.
    pub fn new() -> Self {
        Self::default()
    }

    /// The server greets with these bytes, in all exchanges *that follow*.
    ///
    /// ```
    /// use zen_testkit::Exchanges;
    ///
    /// let suite = Exchanges::new()
    ///     .greets(b"HELLO\n")
    ///     .closes("a goodbye", b"BYE\n", b"SEE YOU\n")
    ///     .suite();
    /// assert_eq!(suite.transcripts()[0].name(), "the greeting");
    /// ```
    pub fn greets(mut self, greeting: &[u8]) -> Self {
        self.greeting = greeting.to_vec();
        if self.transcripts.is_empty() {
            self.transcripts.push(Transcript::new("the greeting").expect(greeting).finish_and_end());
        }
        self
    }

    /// The server answers `input` with `answers`, and goes on. `input` is one or more whole
    /// questions.
    pub fn answers(mut self, name: &str, input: &[u8], answers: &[u8]) -> Self {
        let after = self.named(name, "").send(input).expect(answers).finish_and_end();
        let at_once = self.named(name, ", half-closed at once").send(input).finish().expect(answers).ends();
        self.transcripts.extend([after, at_once]);
        self.arrivals(name, input, answers, Transcript::finish_and_end);
        self
    }

    /// The server answers `input` with `answers`, and then ends the conversation: because the
    /// client said goodbye, or because the input is too long or malformed. Anything may follow the
    /// input.
    pub fn closes(mut self, name: &str, input: &[u8], answers: &[u8]) -> Self {
        let whole = self.named(name, "").send(input).expect(answers).ends();
        let more = [input, &input.iter().copied().cycle().take(BEHIND).collect::<Vec<_>>()].concat();
        let followed = self.named(name, ", with more behind it").send(&more).expect(answers).ends();
        self.transcripts.extend([whole, followed]);
        self.arrivals(name, input, answers, Transcript::ends);
        self
    }

    /// Adds a transcript of your own.
    ///
    /// ```
    /// use std::time::Duration;
    /// use zen_testkit::{Exchanges, Transcript};
    ///
    /// // What happens in the course of time is no exchange.
    /// let pause = Duration::from_millis(50);
    /// let slow = Transcript::new("a slow line").send(b"ze").pause(pause).ask(b"n\n", b"ZEN\n");
    /// let suite = Exchanges::new().answers("a line", b"zen\n", b"ZEN\n").with(slow).suite();
    /// assert_eq!(suite.only("slow").len(), 1);
    /// ```
    pub fn with(mut self, transcript: Transcript) -> Self {
        self.transcripts.push(transcript);
        self
    }

    /// The suite of all transcripts.
    pub fn suite(self) -> Suite {
        Suite::new(self.transcripts)
    }

    /// The ways in which the input may arrive, and the places at which the client may break it off.
    fn arrivals(&mut self, name: &str, input: &[u8], answers: &[u8], end: fn(Transcript) -> Transcript) {
        let bytes = self.named(name, ", byte by byte").send_byte_by_byte(input).expect(answers);
        self.transcripts.push(end(bytes));
        for at in places(input.len()) {
            let cut = self
                .named(name, &format!(", cut after {at} bytes"))
                .with_gap(SEPARATE)
                .send_cut_at(input, &[at])
                .expect(answers);
            let broken_off = self
                .named(name, &format!(", broken off after {at} bytes"))
                .send(&input[..at])
                .finish()
                .ends_within(answers);
            self.transcripts.extend([end(cut), broken_off]);
        }
    }

    fn named(&self, name: &str, how: &str) -> Transcript {
        let transcript = Transcript::new(format!("{name}{how}"));
        if self.greeting.is_empty() { transcript } else { transcript.expect(&self.greeting) }
    }
}

/// The places at which an input of this length is cut: all of them, or its first and last ones and
/// some in between.
fn places(length: usize) -> Vec<usize> {
    let all: Vec<usize> = every_cut(length, 2).into_iter().flatten().collect();
    if all.len() <= CUTS {
        return all;
    }
    let (edge, inner) = (CUTS / 4, CUTS / 2);
    let between = &all[edge..all.len() - edge];
    let step = between.len().div_ceil(inner);
    [&all[..edge], &between.iter().copied().step_by(step).collect::<Vec<_>>(), &all[all.len() - edge..]]
        .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_input_is_cut_everywhere_and_a_long_one_often() {
        assert_eq!(places(0), []);
        assert_eq!(places(1), []);
        assert_eq!(places(4), [1, 2, 3]);
        assert_eq!(places(129).len(), 128);
        for length in [130, 1_000, 100_000] {
            let places = places(length);
            assert!((96..=CUTS).contains(&places.len()), "{length}: {}", places.len());
            assert!(places.is_sorted_by(|a, b| a < b));
            assert_eq!((places[0], places[places.len() - 1]), (1, length - 1));
        }
    }
}
