//! One client of the generator: what it has asked, which answers it still waits for, when it acts
//! next.
//!
//! This is what one connection can do. How clients of different [roles](Role) differ is elsewhere.

use std::collections::VecDeque;

use mio::net::TcpStream;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::encoded_questions::EncodedQuestions;
use super::load::Nanos;
use super::schedule::{Due, OpenLoop};

/// The most bytes of a wrong answer that are kept to be shown.
const SHOWN: usize = 80;

/// How a client behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Asks and reads as the scenario says. These clients are what is measured.
    Measured,
    /// Sends a byte at a time.
    Trickler,
    /// Never reads.
    NonReader,
    /// Asks once and stays.
    Idle,
}

/// Questions that were written together and are not all answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// When they were due. In a closed loop, when they were asked.
    pub(super) due: Nanos,
    /// When they were written.
    pub(super) sent: Nanos,
    /// How many of them are open.
    open: usize,
}

impl Asked {
    /// How many of them are open.
    pub(super) fn open(&self) -> u64 {
        self.open as u64
    }
}

/// One client. It keeps its place in the load when its connection ends: it is the client that is
/// served or starved.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) role: Role,
    /// Its schedule in an open loop.
    pub(super) open_loop: Option<OpenLoop>,
    /// `None` while there is no connection.
    pub(super) stream: Option<TcpStream>,
    /// Whether the connection is established. Nothing is asked before that.
    pub(super) connected: bool,
    /// When the client acts next: it asks after its think time, or tries to connect again.
    pub(super) wakes_at: Option<Nanos>,
    /// Whether it has joined: a measured client when it first had a connection, an idle connection
    /// when it had its answer.
    pub(super) has_joined: bool,
    /// Answers in the measured window.
    pub(super) served: u64,
    /// How many bytes of the server's greeting are still to come.
    greeting_left: usize,
    /// Position of the next question in the encoded questions.
    next: usize,
    /// Position of the next answer there, and how many of its bytes have come.
    heard: usize,
    heard_bytes: usize,
    /// Questions asked and not yet answered.
    in_flight: usize,
    /// Questions that this conversation may still ask; `None` means any number.
    left: Option<u32>,
    /// Range of the question bytes that the socket had no room for.
    unsent: (usize, usize),
    /// The most questions in flight at a time.
    depth: usize,
    /// The questions in flight, oldest first. Made for `depth` entries, and never grows beyond
    /// them.
    asked: VecDeque<Asked>,
}

/// Why a connection cannot go on.
#[derive(Debug)]
pub(super) enum ConversationFailure {
    /// The server closed the connection, or it failed, whether or not questions were open.
    Closed,
    /// The server said something else than it should have: what was expected and what was received,
    /// both cut short.
    Wrong { expected: Vec<u8>, received: Vec<u8> },
}

impl Client {
    pub(super) fn new(role: Role, depth: usize, position: usize) -> Self {
        Self {
            role,
            open_loop: None,
            stream: None,
            connected: false,
            wakes_at: None,
            has_joined: false,
            served: 0,
            greeting_left: 0,
            next: position,
            heard: position,
            heard_bytes: 0,
            in_flight: 0,
            left: None,
            unsent: (0, 0),
            depth,
            asked: VecDeque::with_capacity(depth),
        }
    }

    /// Begins a conversation on a fresh connection, with a greeting of this many bytes.
    pub(super) fn begin(&mut self, stream: TcpStream, questions: Option<u32>, greeting: usize) {
        self.stream = Some(stream);
        self.connected = false;
        // A client that never reads does not wait for it either.
        self.greeting_left = if self.role == Role::NonReader { 0 } else { greeting };
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
        self.asked.clear();
        self.unsent = (0, 0);
        if let Some(open_loop) = &mut self.open_loop {
            open_loop.block();
        }
    }

    /// Whether the server's greeting is still to come. Nothing is asked before.
    pub(super) fn awaits_greeting(&self) -> bool {
        self.greeting_left > 0
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// When the oldest question in flight was due.
    pub(super) fn waiting_since(&self) -> Option<Nanos> {
        self.asked.front().map(|asked| asked.due)
    }

    /// The questions in flight, oldest first.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = &Asked> {
        self.asked.iter()
    }

    /// Whether this conversation has asked all its questions.
    pub(super) fn has_asked(&self) -> bool {
        self.left == Some(0)
    }

    /// Whether this conversation has asked all its questions and got all its answers.
    pub(super) fn is_done(&self) -> bool {
        self.has_asked() && self.in_flight == 0
    }

    /// How many questions it may ask now. Zero while bytes are still unsent: the server takes no
    /// more then, and its next answer lets the client go on.
    fn room(&self) -> usize {
        if self.has_unsent() {
            return 0;
        }
        let room = self.depth - self.in_flight;
        self.left.map_or(room, |left| room.min(left as usize))
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.unsent.0 < self.unsent.1
    }

    /// Puts the next `count` questions in line to be sent.
    fn put(&mut self, encoded: &EncodedQuestions, count: usize) {
        if let Some(left) = &mut self.left {
            // Fits: the count is at most `left`.
            *left -= u32::try_from(count).unwrap_or(*left);
        }
        self.unsent = encoded.question_range(self.next, count);
        self.next = encoded.advance(self.next, count);
        self.in_flight += count;
    }

    /// Asks as many questions as may be in flight, in one write.
    pub(super) fn ask(&mut self, encoded: &EncodedQuestions, now: Nanos) -> Result<(), ConversationFailure> {
        let count = self.room();
        if count == 0 {
            return Ok(());
        }
        self.asked.push_back(Asked { due: now, sent: now, open: count });
        self.put(encoded, count);
        self.flush(encoded)
    }

    /// Asks the questions of its schedule that are due, in one write, and calls `tell` for each.
    pub(super) fn ask_due(
        &mut self,
        encoded: &EncodedQuestions,
        now: Nanos,
        mut tell: impl FnMut(Due),
    ) -> Result<(), ConversationFailure> {
        let room = self.room();
        let Some(open_loop) = &mut self.open_loop else { return Ok(()) };
        let mut count = 0;
        while count < room
            && let Some(due) = open_loop.take(now)
        {
            self.asked.push_back(Asked { due: due.at, sent: now, open: 1 });
            tell(due);
            count += 1;
        }
        if count == room {
            open_loop.block();
        }
        if count == 0 {
            return Ok(());
        }
        self.put(encoded, count);
        self.flush(encoded)
    }

    /// Sends the next byte of a question, or the first byte of the next one when no question is in
    /// flight. While it waits for an answer, it sends nothing.
    pub(super) fn trickle(
        &mut self,
        encoded: &EncodedQuestions,
        now: Nanos,
    ) -> Result<(), ConversationFailure> {
        if self.in_flight == 0 {
            self.asked.push_back(Asked { due: now, sent: now, open: 1 });
            self.put(encoded, 1);
        }
        let whole = self.unsent.1;
        self.unsent.1 = whole.min(self.unsent.0 + 1);
        let outcome = self.flush(encoded);
        self.unsent.1 = whole;
        outcome
    }

    /// Asks `count` more questions, however many are in flight, unless earlier ones are still
    /// unsent. Only for a client that never reads.
    pub(super) fn flood(
        &mut self,
        encoded: &EncodedQuestions,
        count: usize,
    ) -> Result<(), ConversationFailure> {
        if !self.has_unsent() {
            self.put(encoded, count);
        }
        self.flush(encoded)
    }

    /// Writes what the socket had no room for earlier.
    pub(super) fn flush(&mut self, encoded: &EncodedQuestions) -> Result<(), ConversationFailure> {
        let Some(stream) = &self.stream else { return Ok(()) };
        while self.unsent.0 < self.unsent.1 {
            match send(stream, encoded.question_bytes(self.unsent.0, self.unsent.1), SendFlags::NOSIGNAL) {
                Ok(0) => return Err(ConversationFailure::Closed),
                Ok(count) => self.unsent.0 += count,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(_) => return Err(ConversationFailure::Closed),
            }
        }
        Ok(())
    }

    /// Reads once. Returns `None` when there was nothing to read.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, ConversationFailure> {
        let Some(stream) = &self.stream else { return Ok(None) };
        loop {
            match recv(stream, &mut *buffer, RecvFlags::empty()) {
                Ok((0, _)) => return Err(ConversationFailure::Closed),
                Ok((count, _)) => return Ok(Some(count)),
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(_) => return Err(ConversationFailure::Closed),
            }
        }
    }

    /// Compares what was received with the rest of the greeting, and returns what came after it.
    pub(super) fn hear_greeting<'a>(
        &mut self,
        greeting: &[u8],
        received: &'a [u8],
    ) -> Result<&'a [u8], ConversationFailure> {
        let expected = &greeting[greeting.len() - self.greeting_left..];
        let (greeted, rest) = received.split_at(received.len().min(expected.len()));
        if !expected.starts_with(greeted) {
            return Err(Self::wrong(expected, received));
        }
        self.greeting_left -= greeted.len();
        Ok(rest)
    }

    /// Compares what was received with what was expected. Calls `answered` with how many answers
    /// are now whole, once for each write of their questions.
    pub(super) fn hear(
        &mut self,
        encoded: &EncodedQuestions,
        received: &[u8],
        mut answered: impl FnMut(Asked, usize),
    ) -> Result<(), ConversationFailure> {
        let expected = &encoded.answers(self.heard, self.in_flight)[self.heard_bytes..];
        if expected.get(..received.len()) != Some(received) {
            return Err(Self::wrong(expected, received));
        }
        let (mut whole, rest) =
            encoded.whole_answers(self.heard, self.in_flight, self.heard_bytes + received.len());
        self.heard = encoded.advance(self.heard, whole);
        self.heard_bytes = rest;
        self.in_flight -= whole;
        while whole > 0 {
            let Some(asked) = self.asked.front_mut() else { break };
            let count = whole.min(asked.open);
            answered(*asked, count);
            whole -= count;
            asked.open -= count;
            if asked.open == 0 {
                self.asked.pop_front();
            }
        }
        Ok(())
    }

    fn wrong(expected: &[u8], received: &[u8]) -> ConversationFailure {
        let same = expected.iter().zip(received).take_while(|(left, right)| left == right).count();
        // A few bytes that were still right show where in the answer it went wrong.
        let from = same.saturating_sub(16);
        let cut = |bytes: &[u8]| bytes[from.min(bytes.len())..bytes.len().min(from + SHOWN)].to_vec();
        ConversationFailure::Wrong { expected: cut(expected), received: cut(received) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Workload;

    fn client_with_questions_in_flight(count: usize) -> (Client, EncodedQuestions) {
        let workload = Workload::new([("1?", "one."), ("1?", "one.")]).unwrap();
        let encoded = EncodedQuestions::new(&workload, count, 1);
        let mut client = Client::new(Role::Measured, count, 0);
        // Without a stream the questions stay unsent, which makes no difference to their answers.
        client.ask(&encoded, 10).unwrap();
        assert_eq!(client.in_flight(), count);
        (client, encoded)
    }

    #[test]
    fn answers_may_come_in_any_pieces() {
        let (mut client, encoded) = client_with_questions_in_flight(3);
        let mut heard = Vec::new();
        for piece in [&b"on"[..], b"e.o", b"ne", b".one."] {
            client.hear(&encoded, piece, |asked, count| heard.push((asked.due, count))).unwrap();
        }
        assert_eq!(heard, [(10, 1), (10, 2)]);
        assert_eq!(client.in_flight(), 0);
        assert_eq!(client.waiting_since(), None);
    }

    #[test]
    fn one_wrong_byte_is_noticed() {
        let (mut client, encoded) = client_with_questions_in_flight(2);
        client.hear(&encoded, b"one.", |_, _| {}).unwrap();
        let Err(ConversationFailure::Wrong { expected, received }) =
            client.hear(&encoded, b"oni.", |_, _| {})
        else {
            panic!("took a wrong answer for a right one");
        };
        assert_eq!((expected.as_slice(), received.as_slice()), (&b"one."[..], &b"oni."[..]));
    }

    #[test]
    fn an_answer_to_no_question_is_wrong() {
        let (mut client, encoded) = client_with_questions_in_flight(1);
        let outcome = client.hear(&encoded, b"one.one.", |_, _| {});
        assert!(matches!(outcome, Err(ConversationFailure::Wrong { .. })), "{outcome:?}");
    }

    #[test]
    fn a_conversation_asks_no_more_than_it_was_given() {
        let encoded = EncodedQuestions::new(&Workload::aphorisms(), 8, 1);
        let mut client = Client::new(Role::Measured, 8, 0);
        client.left = Some(3);
        client.ask(&encoded, 0).unwrap();
        assert_eq!(client.in_flight(), 3);
        client.unsent = (0, 0);
        client.ask(&encoded, 0).unwrap();
        assert_eq!(client.in_flight(), 3);
        assert!(!client.is_done());
        let answers = encoded.answers(0, 3).to_vec();
        client.hear(&encoded, &answers, |_, _| {}).unwrap();
        assert!(client.is_done());
    }
}
