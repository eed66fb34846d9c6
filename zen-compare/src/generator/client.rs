//! One client of the generator: what it has asked, what it still has to hear, when it speaks again.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use mio::net::TcpStream;

use super::tape::Tape;

/// The most bytes of a wrong answer that are kept to be shown.
const SHOWN: usize = 80;

/// Nanoseconds since the run began.
pub(super) type Nanos = u64;

/// A client keeps its place in the load when its connection ends: it is the one that is served or starved.
#[derive(Debug)]
pub(super) struct Client {
    /// `None` while there is no connection.
    pub(super) stream: Option<TcpStream>,
    /// Whether the connection is established; before that nothing is asked.
    pub(super) connected: bool,
    /// When the client acts next: asks after a thought, or tries to connect again.
    pub(super) wakes_at: Option<Nanos>,
    /// Answers that count: those in the measured window.
    pub(super) served: u64,
    /// Where the next question lies on the tape.
    next: usize,
    /// Where the next answer lies on the tape, and how many of its bytes have come.
    heard: usize,
    heard_bytes: usize,
    /// Questions asked and not yet answered.
    in_flight: usize,
    /// Questions this conversation may still ask; `None`: any number.
    left: Option<u32>,
    /// Question bytes that the socket had no room for.
    unsent: (usize, usize),
    /// The most questions in flight.
    depth: usize,
    /// When the questions in flight were asked, oldest first: the time of a write and how many of its questions
    /// are open. Never grows beyond `depth` entries, which is what it is made with.
    asked_at: VecDeque<(Nanos, usize)>,
}

/// Why a connection cannot go on.
#[derive(Debug)]
pub(super) enum Broken {
    /// The server closed, or the connection failed, with questions open or not.
    Closed,
    /// The server said something else than it should have: what was expected and what came, both cut short.
    Wrong { expected: Vec<u8>, received: Vec<u8> },
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

impl Client {
    pub(super) fn new(depth: usize, position: usize) -> Self {
        Self {
            stream: None,
            connected: false,
            wakes_at: None,
            served: 0,
            next: position,
            heard: position,
            heard_bytes: 0,
            in_flight: 0,
            left: None,
            unsent: (0, 0),
            depth,
            asked_at: VecDeque::with_capacity(depth),
        }
    }

    /// Begins a conversation on a fresh connection.
    pub(super) fn begin(&mut self, stream: TcpStream, questions: Option<u32>) {
        self.stream = Some(stream);
        self.connected = false;
        self.left = questions;
    }

    /// Ends the conversation; questions in flight are forgotten.
    pub(super) fn end(&mut self) {
        self.stream = None;
        self.connected = false;
        self.wakes_at = None;
        self.heard = self.next;
        self.heard_bytes = 0;
        self.in_flight = 0;
        self.asked_at.clear();
        self.unsent = (0, 0);
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// When the oldest question in flight was asked.
    pub(super) fn waiting_since(&self) -> Option<Nanos> {
        self.asked_at.front().map(|&(asked, _)| asked)
    }

    /// Whether everything this conversation was for has been answered.
    pub(super) fn is_done(&self) -> bool {
        self.left == Some(0) && self.in_flight == 0
    }

    /// Asks as many questions as may be in flight, in one write.
    pub(super) fn ask(&mut self, tape: &Tape, now: Nanos) -> Result<(), Broken> {
        // Bytes still waiting for room mean that the server takes no more: its answers call again.
        if self.unsent.0 < self.unsent.1 {
            return Ok(());
        }
        let mut count = self.depth - self.in_flight;
        if let Some(left) = &mut self.left {
            count = count.min(*left as usize);
            // Fits: the count is at most `left`.
            *left -= u32::try_from(count).unwrap_or(*left);
        }
        if count == 0 {
            return Ok(());
        }
        self.unsent = tape.question_range(self.next, count);
        self.next = Tape::advance(self.next, count);
        self.asked_at.push_back((now, count));
        self.in_flight += count;
        self.flush(tape)
    }

    /// Writes what earlier found no room.
    pub(super) fn flush(&mut self, tape: &Tape) -> Result<(), Broken> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        while self.unsent.0 < self.unsent.1 {
            match stream.write(tape.question_bytes(self.unsent.0, self.unsent.1)) {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => self.unsent.0 += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads once. `None`: there was nothing to read.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Broken> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        loop {
            match stream.read(buffer) {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => return Ok(Some(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Compares what came with what had to come, and reports how many answers are now whole, by the time at which
    /// their questions were asked.
    pub(super) fn hear(
        &mut self,
        tape: &Tape,
        received: &[u8],
        mut answered: impl FnMut(Nanos, usize),
    ) -> Result<(), Broken> {
        let expected = &tape.answers(self.heard, self.in_flight)[self.heard_bytes..];
        if expected.get(..received.len()) != Some(received) {
            return Err(Self::wrong(expected, received));
        }
        let (mut whole, rest) =
            tape.whole_answers(self.heard, self.in_flight, self.heard_bytes + received.len());
        self.heard = Tape::advance(self.heard, whole);
        self.heard_bytes = rest;
        self.in_flight -= whole;
        while whole > 0 {
            let Some((asked, open)) = self.asked_at.front_mut() else { break };
            let count = whole.min(*open);
            answered(*asked, count);
            whole -= count;
            *open -= count;
            if *open == 0 {
                self.asked_at.pop_front();
            }
        }
        Ok(())
    }

    fn wrong(expected: &[u8], received: &[u8]) -> Broken {
        let same = expected.iter().zip(received).take_while(|(left, right)| left == right).count();
        // A little of what was still right shows where in the answer it went wrong.
        let from = same.saturating_sub(16);
        let cut = |bytes: &[u8]| bytes[from.min(bytes.len())..bytes.len().min(from + SHOWN)].to_vec();
        Broken::Wrong { expected: cut(expected), received: cut(received) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Workload;

    fn client_with_questions_in_flight(count: usize) -> (Client, Tape) {
        let workload = Workload::new([("1?", "one."), ("1?", "one.")]).unwrap();
        let tape = Tape::new(&workload, count, 1);
        let mut client = Client::new(count, 0);
        // Without a stream the questions stay unsent, which is all the same to their answers.
        client.ask(&tape, 10).unwrap();
        assert_eq!(client.in_flight(), count);
        (client, tape)
    }

    #[test]
    fn answers_may_come_in_any_pieces() {
        let (mut client, tape) = client_with_questions_in_flight(3);
        let mut heard = Vec::new();
        for piece in [&b"on"[..], b"e.o", b"ne", b".one."] {
            client.hear(&tape, piece, |asked, count| heard.push((asked, count))).unwrap();
        }
        assert_eq!(heard, [(10, 1), (10, 2)]);
        assert_eq!(client.in_flight(), 0);
        assert_eq!(client.waiting_since(), None);
    }

    #[test]
    fn one_wrong_byte_is_noticed() {
        let (mut client, tape) = client_with_questions_in_flight(2);
        client.hear(&tape, b"one.", |_, _| {}).unwrap();
        let Err(Broken::Wrong { expected, received }) = client.hear(&tape, b"oni.", |_, _| {}) else {
            panic!("took a wrong answer for a right one");
        };
        assert_eq!((expected.as_slice(), received.as_slice()), (&b"one."[..], &b"oni."[..]));
    }

    #[test]
    fn an_answer_to_no_question_is_wrong() {
        let (mut client, tape) = client_with_questions_in_flight(1);
        let outcome = client.hear(&tape, b"one.one.", |_, _| {});
        assert!(matches!(outcome, Err(Broken::Wrong { .. })), "{outcome:?}");
    }

    #[test]
    fn a_conversation_asks_no_more_than_it_was_given() {
        let tape = Tape::new(&Workload::aphorisms(), 8, 1);
        let mut client = Client::new(8, 0);
        client.left = Some(3);
        client.ask(&tape, 0).unwrap();
        assert_eq!(client.in_flight(), 3);
        client.unsent = (0, 0);
        client.ask(&tape, 0).unwrap();
        assert_eq!(client.in_flight(), 3);
        assert!(!client.is_done());
        let answers = tape.answers(0, 3).to_vec();
        client.hear(&tape, &answers, |_, _| {}).unwrap();
        assert!(client.is_done());
    }
}
